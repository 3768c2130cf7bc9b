// Ctrl+K: projects, chats, policies and acts by name.
// SPDX-License-Identifier: Apache-2.0
import { Command } from "cmdk";
import { MessageSquare } from "lucide-react";
import { useLocation } from "wouter";
import { useProjects, useScripts, useUserSessions } from "@/api/hooks";
import { useDialogs } from "@/features/projects/acts";
import { paths } from "@/lib/session";
import { Badge } from "@/ui/Notes";
import { StateIcon, stateWord } from "@/ui/StateMark";

const group =
  "p-1 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted";
const item =
  "flex min-h-8 items-center gap-2 rounded px-2 data-[selected=true]:bg-hover max-sm:min-h-10 cursor-default";

export default function Palette({ user, onClose }: { user: string; onClose(): void }) {
  const projects = useProjects(user);
  const scripts = useScripts();
  const sessions = useUserSessions(user);
  const names = new Map(projects.data?.map((p) => [p.id, p.name]));
  const open = useDialogs();
  const [, go] = useLocation();
  const run = (act: () => void) => () => {
    onClose();
    setTimeout(act);
  };
  return (
    <Command.Dialog
      open
      onOpenChange={(on) => !on && onClose()}
      label="Search or act"
      overlayClassName="fixed inset-0 z-40 bg-black/45"
      contentClassName="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-24px)] max-w-xl -translate-x-1/2 overflow-hidden rounded-md border border-line bg-raised shadow-2xl"
    >
      <Command.Input
        placeholder="Find a project, a chat, a policy or an act"
        className="h-11 w-full border-line border-b bg-transparent px-4 outline-none"
      />
      <Command.List className="max-h-[50vh] overflow-auto">
        <Command.Empty className="p-4 text-muted">Nothing by that name.</Command.Empty>
        {user && (
          <Command.Group heading="Projects" className={group}>
            {projects.data?.slice(0, 200).map((p) => (
              <Command.Item
                key={p.id}
                value={`${p.name} ${p.id}`}
                className={item}
                onSelect={run(() => go(paths.project(user, p.id)))}
              >
                <StateIcon project={p} />
                <span className="grow truncate">{p.name}</span>
                <span className="text-muted text-sm">{stateWord(p)}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {user && sessions.data && sessions.data.length > 0 && (
          <Command.Group heading="Chats" className={group}>
            {sessions.data.slice(0, 200).map((s) => (
              <Command.Item
                key={s.id}
                value={`${s.title ?? ""} ${names.get(s.project_id) ?? ""} ${s.id}`}
                className={item}
                onSelect={run(() => go(paths.session(user, s.project_id, s.id)))}
              >
                <MessageSquare size={14} aria-hidden className="shrink-0 text-muted" />
                <span className="min-w-0 grow truncate" dir="auto">
                  {s.title || "Untitled chat"}
                </span>
                {s.status === "waiting_permission" && <Badge tone="amber">asks</Badge>}
                <span className="max-w-40 truncate text-muted text-sm" dir="auto">
                  {names.get(s.project_id)}
                </span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading="Acts" className={group}>
          {user && (
            <Command.Item className={item} onSelect={run(() => open({ kind: "new", user }))}>
              New project
            </Command.Item>
          )}
          <Command.Item className={item} onSelect={run(() => go("/users"))}>
            Switch user
          </Command.Item>
        </Command.Group>
        <Command.Group heading="Policies" className={group}>
          {scripts.data?.items
            .filter((s) => /^(policies|cleanup)\//.test(s.path))
            .map((s) => (
              <Command.Item
                key={s.path}
                value={s.path}
                className={item}
                onSelect={run(() => go(paths.policy(s.path)))}
              >
                <span className="font-mono text-sm">{s.path}</span>
                <span className="min-w-0 grow truncate text-muted text-sm">{s.doc}</span>
              </Command.Item>
            ))}
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}
