// The chats of a project: open, find, rename, delete, start a new one.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { MoreHorizontal, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { json, path } from "@/api/client";
import { projectPath, useAway, useSessions } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import type { Project, Session } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { count, shortAgo } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { Menu } from "@/ui/Menu";
import { Bones, ErrorNote } from "@/ui/Notes";

export function Sessions({
  project,
  current,
  onPick,
}: {
  project: Project;
  current?: string;
  onPick?(): void;
}) {
  const { user_id: user, id } = project;
  const sessions = useSessions(user, id);
  const [q, setQ] = useState("");
  const [edit, setEdit] = useState<{ kind: "rename" | "delete"; session: Session }>();
  const list = [...(sessions.data ?? [])]
    .filter((s) => (s.title ?? "").toLowerCase().includes(q.toLowerCase()))
    .sort((a, b) => (b.updated_at ?? b.created_at).localeCompare(a.updated_at ?? a.created_at));
  return (
    <nav aria-label="Chats" className="flex min-h-0 grow flex-col">
      <div className="flex gap-1 p-2">
        <input
          type="search"
          aria-label="Search chats"
          placeholder="Search chats"
          value={q}
          onChange={(e) => setQ(e.target.value)}
          className="h-7 min-w-0 grow rounded-md border border-edge bg-bg px-2 text-sm max-sm:h-10"
        />
        <Link
          href={`${paths.project(user, id)}?new`}
          onClick={onPick}
          aria-label="New chat"
          title="New chat"
          className="inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover max-sm:size-10"
        >
          <Plus size={16} aria-hidden />
        </Link>
      </div>
      {sessions.isPending && <Bones lines={3} />}
      {!sessions.data && <ErrorNote error={sessions.error} className="mx-2" />}
      {sessions.data && list.length === 0 && (
        <p className="px-3 py-2 text-muted text-sm">{q ? "No chat with that title." : "No chat yet."}</p>
      )}
      <ul className="min-h-0 grow overflow-auto px-2 pb-2">
        {list.map((s) => (
          <Row
            key={s.id}
            project={project}
            session={s}
            current={s.id === current}
            onPick={onPick}
            edit={setEdit}
          />
        ))}
      </ul>
      {edit?.kind === "rename" && (
        <Rename project={project} session={edit.session} close={() => setEdit(undefined)} />
      )}
      {edit?.kind === "delete" && (
        <Delete
          project={project}
          session={edit.session}
          open={current === edit.session.id}
          close={() => setEdit(undefined)}
        />
      )}
    </nav>
  );
}

interface RowProps {
  project: Project;
  session: Session;
  current: boolean;
  onPick?(): void;
  edit(what: { kind: "rename" | "delete"; session: Session }): void;
}

function Row({ project, session: s, current, onPick, edit }: RowProps) {
  const now = useNow();
  const away = useAway();
  const state = {
    running: "answering",
    waiting_permission: "asks you",
    interrupted: "interrupted",
    idle: "",
  }[s.status];
  return (
    <li className={cn("group flex items-center rounded-md hover:bg-hover", current && "bg-active")}>
      <Link
        href={paths.session(project.user_id, project.id, s.id)}
        aria-current={current ? "page" : undefined}
        onClick={onPick}
        className="min-w-0 grow rounded-md px-2 py-1.5 max-sm:py-2.5"
      >
        <span className="block truncate text-sm">{s.title || "Untitled"}</span>
        <span className="flex gap-2 text-muted text-xs">
          {state && (
            <span className={s.status === "waiting_permission" ? "text-amber" : "text-blue"}>{state}</span>
          )}
          <span className="tnum">{shortAgo(s.updated_at ?? s.created_at, now)}</span>
          {s.message_count !== undefined && <span className="tnum">{count(s.message_count, "message")}</span>}
        </span>
      </Link>
      <Menu
        label={`Acts on ${s.title || "this chat"}`}
        acts={[
          {
            label: "Rename",
            icon: <Pencil size={14} aria-hidden />,
            blocked: away,
            run: () => edit({ kind: "rename", session: s }),
          },
          {
            label: "Delete",
            icon: <Trash2 size={14} aria-hidden />,
            danger: true,
            blocked: away,
            run: () => edit({ kind: "delete", session: s }),
          },
        ]}
      >
        <Button
          kind="quiet"
          size="icon"
          aria-label={`Acts on ${s.title || "this chat"}`}
          className="size-7 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 max-sm:opacity-100"
        >
          <MoreHorizontal size={16} aria-hidden />
        </Button>
      </Menu>
    </li>
  );
}

const sessionPath = (p: Project, s: Session) => `${projectPath(p.user_id, p.id)}${path`/sessions/${s.id}`}`;

function Rename({ project, session, close }: { project: Project; session: Session; close(): void }) {
  const [title, setTitle] = useState(session.title ?? "");
  const save = useMutation({
    mutationFn: () =>
      json<Session>("PATCH", sessionPath(project, session), { body: { title: title.trim() } }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: keys.sessions(project.user_id, project.id) });
      close();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={close}
      title="Rename chat"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="rename-chat"
            busy={save.isPending}
            disabled={!title.trim()}
          >
            Rename
          </Button>
        </>
      }
    >
      <form
        id="rename-chat"
        className="flex flex-col gap-3"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Field label="Title">
          {(f) => (
            <Input
              {...f}
              value={title}
              maxLength={120}
              autoFocus
              onChange={(e) => setTitle(e.target.value)}
            />
          )}
        </Field>
        <ErrorNote error={save.error} />
      </form>
    </Dialog>
  );
}

function Delete({
  project,
  session,
  open,
  close,
}: {
  project: Project;
  session: Session;
  open: boolean;
  close(): void;
}) {
  const [, go] = useLocation();
  const remove = useMutation({
    mutationFn: () => json("DELETE", sessionPath(project, session)),
    onSuccess: () => {
      cache.setQueryData<Session[]>(keys.sessions(project.user_id, project.id), (old) =>
        old?.filter((s) => s.id !== session.id),
      );
      if (open) go(paths.project(project.user_id, project.id));
      close();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`Delete "${session.title || "this chat"}"?`}
      description={`${count(session.message_count ?? 0, "message")} go with it. This cannot be undone.`}
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Delete
          </Button>
        </>
      }
    >
      <ErrorNote error={remove.error} />
    </Dialog>
  );
}
