// The chat of a project: sessions beside it, messages as they stream, questions as cards, and the composer.
// SPDX-License-Identifier: Apache-2.0
import { MessagesSquare, Plus, RotateCcw } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, Redirect, useSearch } from "wouter";
import { runStart } from "@/api/chat";
import { ApiError } from "@/api/errors";
import { useAway, useChat, useSessions } from "@/api/hooks";
import type { Message, Mode, Project } from "@/api/schema";
import { paths } from "@/lib/session";
import { recall } from "@/lib/storage";
import { TOUR, tourKey } from "@/lib/tour";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";
import { dropPermission, loadOlder, useCancel, useMode, useSend } from "./acts";
import { Composer } from "./Composer";
import { useFollow } from "./follow";
import { MessageView } from "./MessageView";
import { PermissionCard } from "./PermissionCard";
import { Sessions } from "./Sessions";
import { Chip, Tour } from "./Tour";

interface Props {
  project: Project;
  session?: string;
  /** The act of the head, for "Activate to go on". */
  activate?: React.ReactNode;
}

export default function ChatView({ project, session, activate }: Props) {
  const sessions = useSessions(project.user_id, project.id);
  const fresh = useSearch().split("&").includes("new");
  const [list, setList] = useState(false);
  if (!session && !fresh && sessions.data?.length) {
    const newest = [...sessions.data].sort((a, b) =>
      (b.updated_at ?? b.created_at).localeCompare(a.updated_at ?? a.created_at),
    )[0];
    if (newest) return <Redirect to={paths.session(project.user_id, project.id, newest.id)} replace />;
  }
  return (
    <div className="flex min-h-0 grow">
      <div className="hidden w-56 shrink-0 flex-col border-line border-r @3xl:flex">
        <Sessions project={project} current={session} />
      </div>
      <section aria-label="Chat" className="flex min-h-0 min-w-0 grow flex-col">
        <div className="flex border-line border-b px-2 py-1 @3xl:hidden">
          <Button kind="quiet" size="small" onClick={() => setList(true)}>
            <MessagesSquare size={14} aria-hidden /> Chats
          </Button>
          <span className="min-w-0 grow self-center truncate px-2 text-muted text-sm">
            {sessions.data?.find((s) => s.id === session)?.title}
          </span>
          <Link
            href={`${paths.project(project.user_id, project.id)}?new`}
            aria-label="New chat"
            title="New chat"
            className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-hover max-sm:size-10"
          >
            <Plus size={16} aria-hidden />
          </Link>
        </div>
        {session ? (
          <OpenChat key={session} project={project} session={session} activate={activate} />
        ) : sessions.isPending ? (
          <Bones />
        ) : (
          <NewChat project={project} activate={activate} />
        )}
      </section>
      <Dialog open={list} onOpenChange={setList} title="Chats">
        <Sessions project={project} current={session} onPick={() => setList(false)} />
      </Dialog>
    </div>
  );
}

function NewChat({ project: p, activate }: { project: Project; activate?: React.ReactNode }) {
  const away = useAway();
  const [mode, setMode] = useState<Mode>(p.settings?.mode ?? "approve");
  const send = useSend(p.user_id, p.id, undefined, mode);
  const { mutate } = send;
  const onSend = useCallback((text: string) => mutate({ text, id: crypto.randomUUID() }), [mutate]);
  const demo = p.health?.model?.demo;
  const tour = recall(tourKey(p.id)) !== null;
  const blocked = away ?? (send.isPending ? "The message is on its way." : undefined);
  return (
    <>
      <div className="min-h-0 grow overflow-auto">
        <Empty title={p.state === "active" ? "A new chat" : "Nothing to talk to yet"}>
          {p.state !== "active"
            ? "The agent answers once the project is active."
            : demo
              ? "The demo model answers here. It understands a few plain requests, such as these."
              : "Ask the agent, or tell it what to do. It works on this project's files."}
        </Empty>
        {p.state === "active" && demo && !tour && (
          <div className="-mt-8 flex flex-wrap justify-center gap-1.5 px-4">
            {TOUR.map((s) => (
              <Chip key={s.say} text={s.say} blocked={blocked} onClick={() => onSend(s.say)} />
            ))}
          </div>
        )}
      </div>
      <ErrorNote error={send.error} className="mx-4 mb-2" />
      {p.state === "active" && <Tour project={p} blocked={blocked} onSend={onSend} />}
      {p.state === "active" ? (
        <Composer
          draftKey={`new.${p.id}`}
          running={send.isPending}
          blocked={away}
          mode={mode}
          onMode={setMode}
          onSend={onSend}
          onWait={ignore}
          onCancel={ignore}
        />
      ) : (
        <Inactive project={p} activate={activate} />
      )}
    </>
  );
}
const ignore = () => {};

function Inactive({ project: p, activate }: { project: Project; activate?: React.ReactNode }) {
  if (p.state !== "inactive") return null;
  return <div className="flex items-center justify-center border-line border-t p-4">{activate}</div>;
}

function OpenChat({
  project: p,
  session,
  activate,
}: {
  project: Project;
  session: string;
  activate?: React.ReactNode;
}) {
  const { user_id: user, id } = p;
  const chat = useChat(user, id, session);
  const away = useAway();
  const state = chat.data;
  const [waiting, setWaiting] = useState<string>();
  const send = useSend(user, id, session, state?.session.mode ?? "approve");
  const cancel = useCancel(user, id, session);
  const mode = useMode(user, id, session);
  const box = useRef<HTMLDivElement>(null);
  const { following, toEnd, onScroll } = useFollow(box, state);
  const [seen, setSeen] = useState(0);
  const total = state?.messages.length ?? 0;
  useEffect(() => {
    if (following) setSeen(total);
  }, [following, total]);
  const { mutate } = send;
  const onSend = useCallback(
    (text: string) => {
      // Who speaks wants to see what comes of it.
      toEnd();
      mutate({ text, id: crypto.randomUUID() });
    },
    [mutate, toEnd],
  );
  const asks = (state?.permissions.length ?? 0) > 0;
  const spoken = useSpoken(state?.messages, state?.running ?? false);

  if (chat.error instanceof ApiError && chat.error.status === 404)
    return <Empty title="This chat is gone">It was deleted, perhaps in another window.</Empty>;
  if (!state) return chat.error ? <ErrorNote error={chat.error} className="m-4" /> : <Bones lines={6} />;
  const from = runStart(state);
  const lastUser = state.messages.findLast((m) => m.role === "user");
  return (
    <>
      <div className="relative flex min-h-0 grow flex-col">
        <div
          ref={box}
          className="min-h-0 grow overflow-auto"
          onScroll={onScroll}
          tabIndex={0}
          role="group"
          aria-label="Messages"
        >
          <div className="mx-auto flex max-w-3xl flex-col gap-3 px-4 py-4 max-sm:px-3">
            {state.older && (
              <Button
                kind="quiet"
                size="small"
                className="self-center"
                onClick={() => void loadOlder(user, id, session, state)}
              >
                Older messages
              </Button>
            )}
            {state.messages.map((m, i) => (
              <MessageView
                key={m.id}
                message={m}
                live={state.running && i >= from && m.status === "partial"}
              />
            ))}
            {state.permissions.map((q, i) => (
              <PermissionCard
                key={q.permission_id}
                user={user}
                project={id}
                session={session}
                permission={q}
                keys={i === 0}
                onGone={() => dropPermission(user, id, session, q.permission_id)}
              />
            ))}
            {state.running && state.permissions.length === 0 && (
              <p className="text-muted text-sm">The agent is working…</p>
            )}
            {!state.running && (state.fault || state.session.status === "interrupted") && (
              <ErrorNote error={state.fault?.message ?? "The last run was interrupted before it ended."}>
                {lastUser && (
                  <Button size="small" blocked={away} onClick={() => onSend(textOf(lastUser))}>
                    <RotateCcw size={14} aria-hidden /> Retry
                  </Button>
                )}
              </ErrorNote>
            )}
            <ErrorNote error={send.error ?? cancel.error ?? mode.error} />
          </div>
        </div>
        {!following && (
          <Button
            size="small"
            kind={asks ? "primary" : "plain"}
            className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-lg"
            onClick={toEnd}
          >
            {asks
              ? "The agent asks"
              : total > seen
                ? `${total - seen} new ${total - seen === 1 ? "message" : "messages"}`
                : "To the newest"}{" "}
            ↓
          </Button>
        )}
      </div>
      <div aria-live="polite" className="sr-only">
        {spoken}
      </div>
      {p.state === "active" && (
        <Tour
          project={p}
          blocked={away ?? (state.running ? "The agent is still answering." : undefined)}
          onSend={onSend}
        />
      )}
      {p.state === "active" ? (
        <Composer
          draftKey={session}
          running={state.running}
          blocked={away}
          waiting={waiting}
          mode={state.session.mode ?? "approve"}
          onMode={(m) => mode.mutate(m)}
          onSend={onSend}
          onWait={setWaiting}
          onCancel={() => cancel.mutate()}
        />
      ) : (
        <Inactive project={p} activate={activate} />
      )}
    </>
  );
}

const textOf = (m: Message) => m.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

/** The newest whole answer, for a screen reader: said once it is complete, not each token. */
function useSpoken(messages: Message[] | undefined, running: boolean): string {
  const ran = useRef(false);
  if (running) ran.current = true;
  return useMemo(() => {
    if (running || !ran.current) return "";
    const last = messages?.findLast((m) => m.role === "assistant");
    return last ? `The agent answered: ${textOf(last)}` : "";
  }, [messages, running]);
}
