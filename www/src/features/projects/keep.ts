// Puts the host's answer to an act into the list at once; the event that follows says the same.
// SPDX-License-Identifier: Apache-2.0
import { keys } from "@/api/keys";
import { cache, overProjects } from "@/api/live";
import type { Project } from "@/api/schema";

export function keepProject(p: Project | undefined): void {
  if (!p?.id) return;
  cache.setQueryData<Project[]>(keys.projects(p.user_id), (old) =>
    old ? overProjects(old, [{ type: "project", data: p }], p.user_id) : old,
  );
}
