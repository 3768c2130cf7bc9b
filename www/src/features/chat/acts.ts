// What a person does in a chat: send, cancel, change the mode.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { toast } from "sonner";
import { useLocation } from "wouter";
import { type ChatState, withOlder, withSent } from "@/api/chat";
import { json, path } from "@/api/client";
import { sentence } from "@/api/errors";
import { projectPath, readMessages } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import type { Mode, Session } from "@/api/schema";
import { paths } from "@/lib/session";

export function useSend(user: string, project: string, session: string | undefined, mode: Mode) {
  const [, go] = useLocation();
  return useMutation({
    mutationFn: async ({ text, id }: { text: string; id: string }) => {
      let to = session;
      if (!to) {
        to = (await json<Session>("POST", `${projectPath(user, project)}/sessions`, { body: { mode } })).id;
        // Opened at once: the chat is followed from before the first event.
        go(paths.session(user, project, to));
      }
      return json("POST", `${projectPath(user, project)}/messages`, {
        query: { wait_s: 0 },
        body: { session_id: to, message_id: id, content: text },
      });
    },
    onMutate: ({ text, id }) => {
      if (session)
        cache.setQueryData<ChatState>(
          keys.chat(user, project, session),
          (s) => s && withSent(s, id, text, new Date().toISOString()),
        );
    },
    onError: (e, { id }) => {
      if (!session) toast.error(sentence(e), { duration: 60_000 });
      else
        cache.setQueryData<ChatState>(
          keys.chat(user, project, session),
          (s) =>
            s && {
              ...s,
              running: s.session.status !== "idle",
              messages: s.messages.filter((m) => m.id !== id),
            },
        );
    },
  });
}

export function useCancel(user: string, project: string, session: string) {
  return useMutation({
    mutationFn: () =>
      json("POST", `${projectPath(user, project)}${path`/sessions/${session}/cancel`}`, { body: {} }),
  });
}

export function useMode(user: string, project: string, session: string) {
  return useMutation({
    mutationFn: (mode: Mode) =>
      json<Session>("PATCH", `${projectPath(user, project)}${path`/sessions/${session}`}`, {
        body: { mode },
      }),
    onSuccess: (s) =>
      cache.setQueryData<ChatState>(
        keys.chat(user, project, session),
        (old) => old && { ...old, session: { ...old.session, ...s } },
      ),
  });
}

export async function loadOlder(
  user: string,
  project: string,
  session: string,
  state: ChatState,
): Promise<void> {
  const first = state.messages.find((m) => m.seq !== undefined)?.seq;
  if (first === undefined) return;
  const { page } = await readMessages(user, project, session, first);
  cache.setQueryData<ChatState>(
    keys.chat(user, project, session),
    (s) => s && withOlder(s, page.items, page.next !== null),
  );
}

export function dropPermission(user: string, project: string, session: string, permission: string): void {
  cache.setQueryData<ChatState>(
    keys.chat(user, project, session),
    (s) => s && { ...s, permissions: s.permissions.filter((p) => p.permission_id !== permission) },
  );
}
