// Lays the events of the stream over the Query cache: the only writer of live state.
//
// Events are gathered and applied once a frame, so a burst costs one render. Those that come while a list is being
// read are kept (`during`) and laid over the answer, so an older page never hides a newer event.
// SPDX-License-Identifier: Apache-2.0

import { type InfiniteData, type Query, QueryClient } from "@tanstack/react-query";
import { type ChatState, reduce, withSession } from "./chat";
import { ApiError } from "./errors";
import { keys } from "./keys";
import { append, type LogFilter, type LogState, matches } from "./logs";
import type { Activity, LogLine, Page, Project, ScriptFault, ScriptList, Session } from "./schema";
import { EventStream, type StreamEvent } from "./stream";

export const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 600_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 2,
    },
    mutations: { retry: false },
  },
});

let queue: StreamEvent[] = [];
let waiting = false;
const reading = new Set<StreamEvent[]>();
export const hostAlerts = new EventTarget();

export const stream = new EventStream({
  event(e) {
    queue.push(e);
    for (const kept of reading) kept.push(e);
    if (waiting) return;
    waiting = true;
    if (document.hidden) setTimeout(flush, 50);
    else requestAnimationFrame(flush);
  },
  opened() {
    hostAlerts.dispatchEvent(new Event("opened"));
  },
  refused() {
    void cache.invalidateQueries({ queryKey: ["chat"] });
  },
  jumped() {
    for (const name of ["projects", "sessions", "user-sessions", "activity", "scripts"])
      void cache.invalidateQueries({ queryKey: [name] });
  },
});

/** Runs a read and lays over its answer what the stream said meanwhile. */
export async function during<T>(
  read: () => Promise<T>,
  over: (value: T, events: StreamEvent[]) => T,
): Promise<T> {
  const kept: StreamEvent[] = [];
  reading.add(kept);
  try {
    return over(await read(), kept);
  } finally {
    reading.delete(kept);
  }
}

function flush(): void {
  waiting = false;
  const events = queue;
  queue = [];
  const lines: StreamEvent[] = [];
  const chat: StreamEvent[] = [];
  for (const e of events) {
    if (e.type === "log") lines.push(e);
    else if (!apply(e)) chat.push(e);
  }
  if (lines.length) addLines(lines);
  if (chat.length) addChat(chat);
}

export function overProjects(list: Project[], events: StreamEvent[], user: string): Project[] {
  let out = list;
  for (const e of events) {
    if (e.type === "project") {
      const p = e.data as Project;
      if (p.user_id !== user) continue;
      const at = out.findIndex((x) => x.id === p.id);
      out = at < 0 ? [...out, p] : out.with(at, p);
    } else if (e.type === "project_deleted") {
      const gone = e.data as { id: string };
      out = out.filter((x) => x.id !== gone.id);
    }
  }
  return out;
}

/** Lays session events over a list: of one project, or of all that the stream tells of. */
export function overSessions(list: Session[], events: StreamEvent[], project?: string): Session[] {
  let out = list;
  for (const e of events) {
    const s = e.data as Session;
    if (project !== undefined && s?.project_id !== project) continue;
    if (e.type === "session_deleted") out = out.filter((x) => x.id !== s.id);
    if (e.type !== "session") continue;
    const at = out.findIndex((x) => x.id === s.id);
    out = at < 0 ? [s, ...out] : out.with(at, { ...out[at], ...s });
  }
  return out;
}

/** Applies an event about lists; false when it belongs to the open session. */
function apply(e: StreamEvent): boolean {
  switch (e.type) {
    case "project":
    case "project_deleted": {
      const user = (e.data as Project).user_id;
      cache.setQueryData<Project[]>(keys.projects(user), (old) => old && overProjects(old, [e], user));
      return true;
    }
    case "session":
    case "session_deleted": {
      const s = e.data as Session;
      cache.setQueriesData<Session[]>(
        { queryKey: ["sessions"], predicate: (q) => q.queryKey[2] === s.project_id },
        (old) => old && overSessions(old, [e], s.project_id),
      );
      // The stream is narrowed to the picked user: a session of another's project is none of its list.
      for (const [key, list] of cache.getQueriesData<Session[]>({ queryKey: ["user-sessions"] })) {
        const mine = cache.getQueryData<Project[]>(keys.projects(key[1] as string));
        if (list && mine?.some((p) => p.id === s.project_id))
          cache.setQueryData(key, overSessions(list, [e]));
      }
      const chat = { queryKey: ["chat"], predicate: (q: Query) => q.queryKey[3] === s.id };
      if (e.type === "session") cache.setQueriesData<ChatState>(chat, (old) => old && withSession(old, s));
      else void cache.invalidateQueries(chat);
      return true;
    }
    case "activity":
      addActivity(e.data as Activity);
      return true;
    case "script": {
      const news = e.data as { generation: number; error: ScriptFault | null };
      cache.setQueryData<ScriptList>(keys.scripts, (old) => old && { ...old, ...news });
      void cache.invalidateQueries({ queryKey: keys.scripts });
      hostAlerts.dispatchEvent(new Event("script"));
      return true;
    }
    case "alert":
      hostAlerts.dispatchEvent(new CustomEvent("alert", { detail: e.data }));
      void cache.invalidateQueries({ queryKey: keys.system });
      return true;
    case "reset": {
      const session = (e.data as { session_id?: string } | null)?.session_id;
      if (session)
        void cache.invalidateQueries({ queryKey: ["chat"], predicate: (q) => q.queryKey[3] === session });
      else void cache.invalidateQueries();
      return true;
    }
    default:
      return false;
  }
}

function addActivity(a: Activity): void {
  const project = a.project_id ?? a.decision?.project_id;
  cache.setQueriesData<InfiniteData<Page<Activity>>>(
    { queryKey: ["activity"], predicate: (q) => !project || q.queryKey[2] === project },
    (old) => {
      const first = old?.pages[0];
      if (!old || !first || first.items.some((x) => x.id === a.id)) return old;
      return { ...old, pages: [{ ...first, items: [a, ...first.items] }, ...old.pages.slice(1)] };
    },
  );
}

/** Lays the lines of a project over a window of its log, those that its filter lets through. */
export function overLogs(
  state: LogState,
  events: StreamEvent[],
  project: string,
  filter: LogFilter,
): LogState {
  const lines = events.filter((e) => e.type === "log" && e.logs === project).map((e) => e.data as LogLine);
  return append(
    state,
    lines.filter((l) => matches(l, filter)),
  );
}

function addLines(events: StreamEvent[]): void {
  for (const { queryKey } of cache.getQueryCache().findAll({ queryKey: ["logs"] })) {
    const [, , project, filter] = queryKey as ReturnType<typeof keys.logs>;
    cache.setQueryData<LogState>(
      queryKey,
      (old) => old && overLogs(old, events, project, filter as LogFilter),
    );
  }
}

/** Lays the session's events over a chat; those of a connection opened at another id come again by the next one. */
export function overChat(state: ChatState, events: StreamEvent[]): ChatState {
  let out = state;
  for (const e of events) {
    const data = e.data as Record<string, unknown> | null;
    if (data?.session_id === state.session.id && e.after === state.cursor)
      out = reduce(out, { type: e.type, data });
  }
  return out;
}

function addChat(events: StreamEvent[]): void {
  cache.setQueriesData<ChatState>({ queryKey: ["chat"] }, (old) => old && overChat(old, events));
}
