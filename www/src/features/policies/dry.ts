// Reading a dry run: which verdicts change, the ones that do before the ones that fail the same way as before.
// SPDX-License-Identifier: Apache-2.0
import type { DryItem, Project } from "@/api/schema";

export const changesOf = (items: DryItem[]): DryItem[] => items.filter((i) => i.differs);

/** A project by its name; of another user's only the beginning of its id is known here. */
export const nameOf = (item: DryItem, projects: Project[] | undefined): string =>
  projects?.find((p) => p.id === item.project_id)?.name ?? `project ${item.project_id.slice(0, 8)}`;

export function summary(items: DryItem[]): string {
  const changes = changesOf(items).length;
  if (!items.length) return "There is no project to ask about.";
  const over = `${items.length} ${items.length === 1 ? "project" : "projects"}`;
  if (!changes) return `No verdict would change, over ${over}.`;
  return `${changes === 1 ? "One verdict" : `${changes} verdicts`} would change, over ${over}.`;
}
