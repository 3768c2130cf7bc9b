// What wants the reader's attention while they look elsewhere: the window's title, its icon, and, where the reader
// asked for it, a notification when a run ends or asks while the page is hidden. Nothing else interrupts.
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { useProjects, useUserSessions } from "@/api/hooks";
import type { Session } from "@/api/schema";
import { paths } from "@/lib/session";
import { recall } from "@/lib/storage";

export interface Trouble {
  errors: number;
  asks: number;
}
/** "▲ 1 error · ? 2 ask · swan-api · Gander": trouble first, then the place. */
export function titleOf({ errors, asks }: Trouble, place?: string): string {
  const parts = [
    errors > 0 && `▲ ${errors} ${errors === 1 ? "error" : "errors"}`,
    asks > 0 && (asks === 1 ? "? asks" : `? ${asks} ask`),
    place,
    "Gander",
  ];
  return parts.filter(Boolean).join(" · ");
}

export const iconOf = ({ errors, asks }: Trouble): string =>
  errors ? "/favicon-error.svg" : asks ? "/favicon-asks.svg" : "/favicon.svg";

/** What became of a session between two looks at it, where that is news to somebody away. */
export function newsOf(before: Session | undefined, now: Session): string | undefined {
  if (!before || before.status === now.status) return undefined;
  if (now.status === "waiting_permission") return "The agent asks for a permission.";
  const ran = before.status === "running" || before.status === "waiting_permission";
  if (ran && now.status === "idle") return "The agent has finished.";
  if (ran && now.status === "interrupted") return "The run was interrupted.";
  return undefined;
}

export function useAttention(user: string, project?: string, policies?: boolean): void {
  const projects = useProjects(user).data;
  const sessions = useUserSessions(user).data;
  const known = new Set(projects?.map((p) => p.id));
  const errors = projects?.filter((p) => p.state === "error").length ?? 0;
  const asks =
    sessions?.filter((s) => s.status === "waiting_permission" && known.has(s.project_id)).length ?? 0;
  const place = policies ? "Policies" : projects?.find((p) => p.id === project)?.name;
  useEffect(() => {
    document.title = titleOf({ errors, asks }, place);
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    const href = iconOf({ errors, asks });
    if (icon && icon.getAttribute("href") !== href) icon.href = href;
  }, [errors, asks, place]);
  useNotify(user, sessions, (id) => projects?.find((p) => p.id === id)?.name);
}

function useNotify(
  user: string,
  sessions: Session[] | undefined,
  nameOf: (id: string) => string | undefined,
) {
  const seen = useRef(new Map<string, Session>());
  const [, go] = useLocation();
  useEffect(() => {
    for (const s of sessions ?? []) {
      const news = newsOf(seen.current.get(s.id), s);
      seen.current.set(s.id, s);
      if (!news || !document.hidden || !noticesAllowed()) continue;
      const note = new Notification(nameOf(s.project_id) ?? "Gander", {
        body: `${news} ${s.title ?? ""}`.trim(),
        icon: "/favicon.svg",
        tag: s.id,
      });
      note.onclick = () => {
        window.focus();
        go(paths.session(user, s.project_id, s.id));
        note.close();
      };
    }
  });
}

const noticesAllowed = () =>
  typeof Notification !== "undefined" && Notification.permission === "granted" && recall("notify") === "on";
