// Reading the host's state in components: one hook a thing, all on the Query cache.
// SPDX-License-Identifier: Apache-2.0

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { fromStore } from "./chat";
import { all, json, path, send } from "./client";
import { keys } from "./keys";
import { cache, during, hostAlerts, overChat, overLogs, overProjects, overSessions, stream } from "./live";
import { append, type LogFilter, type LogState, readNewest, readSince } from "./logs";
import type {
  Activity,
  Contents,
  Message,
  Page,
  Project,
  Reference,
  ScriptList,
  ScriptVersion,
  Session,
  System,
  User,
} from "./schema";

export const projectPath = (user: string, project: string) => path`/api/users/${user}/projects/${project}`;

export function useStream() {
  return useSyncExternalStore(stream.subscribe, stream.getState);
}
/** Why acts are disabled just now, or nothing. */
export function useAway(): string | undefined {
  const { status } = useStream();
  return status === "away" ? "The host does not answer. Reconnecting." : undefined;
}

export const useSystem = () =>
  useQuery({
    queryKey: keys.system,
    queryFn: ({ signal }) => json<System>("GET", "/api/system", { signal }),
  });

/** What the host says of itself that a reader must see in red: anyone can act, or nothing isolates. */
export function dangers(s: System): { open: boolean; bare: boolean } {
  const provider = s.providers.find((p) => p.default) ?? s.providers[0];
  const says = (w: NonNullable<System["warnings"]>[number]) =>
    typeof w === "string" ? w : (w.message ?? w.text ?? "");
  return {
    open: s.trust_network === true || (s.warnings ?? []).some((w) => says(w).includes("trust_network")),
    bare: !provider?.isolation || /^(none|unsafe)/.test(provider.isolation.tier),
  };
}

export const useUsers = () =>
  useQuery({
    queryKey: keys.users,
    queryFn: async ({ signal }) => (await all<User>("/api/users", { signal })).items,
  });

export const useProjects = (user: string) =>
  useQuery({
    queryKey: keys.projects(user),
    queryFn: ({ signal }) =>
      during(
        async () => (await all<Project>(path`/api/users/${user}/projects`, { signal })).items,
        (list, events) => overProjects(list, events, user),
      ),
    enabled: user !== "",
  });

export const useSessions = (user: string, project: string) =>
  useQuery({
    queryKey: keys.sessions(user, project),
    queryFn: ({ signal }) =>
      during(
        async () => (await all<Session>(`${projectPath(user, project)}/sessions`, { signal }, 1000)).items,
        (list, events) => overSessions(list, events, project),
      ),
  });

/** The newest chats of a user over all projects: what asks, what the palette finds. */
export const useUserSessions = (user: string) =>
  useQuery({
    queryKey: keys.userSessions(user),
    queryFn: ({ signal }) =>
      during(
        async () => (await all<Session>(path`/api/users/${user}/sessions`, { signal }, 400)).items,
        (list, events) => overSessions(list, events),
      ),
    enabled: user !== "",
  });

const MESSAGES = 100;
export async function readMessages(
  user: string,
  project: string,
  session: string,
  before?: number,
  signal?: AbortSignal,
) {
  const res = await send("GET", `${projectPath(user, project)}${path`/sessions/${session}/messages`}`, {
    query: { order: "desc", limit: MESSAGES, before },
    signal,
  });
  const page = (await res.json()) as Page<Message>;
  return { page, cursor: res.headers.get("X-Gander-Event-Id") ?? undefined };
}

/** A chat, live while it is shown: read, then followed from the id it was read at. */
export function useChat(user: string, project: string, session: string) {
  const query = useQuery({
    queryKey: keys.chat(user, project, session),
    queryFn: ({ signal }) =>
      during(
        async () => {
          const { page, cursor } = await readMessages(user, project, session, undefined, signal);
          const one = `${projectPath(user, project)}${path`/sessions/${session}`}`;
          return fromStore(
            await json<Session>("GET", one, { signal }),
            page.items,
            page.next !== null,
            cursor,
          );
        },
        (state, events) => overChat(state, events),
      ),
    // A chat that is not on the screen is not followed: it is read again when it is opened.
    gcTime: 0,
  });
  const cursor = query.data?.cursor;
  const ready = query.isSuccess;
  useEffect(() => {
    if (ready) return stream.declare({ session, after: cursor });
  }, [session, cursor, ready]);
  return query;
}

export function useLogs(user: string, project: string, filter: LogFilter) {
  useEffect(() => stream.declare({ logs: project }), [project]);
  // Each time the stream opens, what came while nobody listened is read once: lines are stored before they are sent.
  useEffect(() => {
    const key = keys.logs(user, project, filter);
    const catchUp = () => {
      const held = cache.getQueryData<LogState>(key);
      if (!held) return;
      readSince(user, project, filter, held.lines.at(-1)?.seq ?? 0)
        .then((lines) => cache.setQueryData<LogState>(key, (old) => old && append(old, lines)))
        .catch(() => {});
    };
    hostAlerts.addEventListener("opened", catchUp);
    return () => hostAlerts.removeEventListener("opened", catchUp);
  }, [user, project, filter]);
  return useQuery({
    queryKey: keys.logs(user, project, filter),
    queryFn: ({ signal }) =>
      during(
        () => readNewest(user, project, filter, signal),
        (state, events) => overLogs(state, events, project, filter),
      ),
    gcTime: 0,
  });
}

export const useActivity = (user: string, project: string) =>
  useInfiniteQuery({
    queryKey: keys.activity(user, project),
    queryFn: ({ pageParam, signal }) =>
      json<Page<Activity>>("GET", `${projectPath(user, project)}/activity`, {
        query: { limit: 50, after: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });

export const useContents = (user: string, project: string, enabled: boolean) =>
  useQuery({
    queryKey: keys.contents(user, project),
    queryFn: ({ signal }) => json<Contents>("GET", `${projectPath(user, project)}/contents`, { signal }),
    enabled,
    staleTime: 0,
    gcTime: 0,
  });

export const useScripts = () =>
  useQuery({
    queryKey: keys.scripts,
    queryFn: ({ signal }) => json<ScriptList>("GET", "/api/scripts", { signal }),
  });

/** `policies/idle/x.lua` as a path of the API: slashes stay, the rest is encoded. */
export const scriptPath = (file: string) =>
  `/api/scripts/${file.split("/").map(encodeURIComponent).join("/")}`;

export const useScript = (file: string) =>
  useQuery({
    queryKey: keys.script(file),
    queryFn: async ({ signal }) => {
      const res = await send("GET", scriptPath(file), { headers: { Accept: "text/plain, */*" }, signal });
      return { text: await res.text(), etag: res.headers.get("ETag") ?? "" };
    },
    enabled: file !== "",
  });

export const useScriptHistory = (file: string, enabled: boolean) =>
  useQuery({
    queryKey: keys.history(file),
    queryFn: ({ signal }) => json<Page<ScriptVersion>>("GET", `${scriptPath(file)}?history`, { signal }),
    enabled,
    staleTime: 0,
  });

/** What scripts may use, for completion. A host that has no reference gives none, and is not asked again. */
export const useReference = () =>
  useQuery({
    queryKey: keys.reference,
    queryFn: ({ signal }) => json<Reference>("GET", "/api/reference", { signal }).catch(() => null),
    retry: false,
  }).data ?? undefined;
