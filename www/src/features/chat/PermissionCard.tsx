// A question of the agent: what it wants to run, exactly, and four answers. Keys 1 to 4 answer it.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { ShieldQuestion } from "lucide-react";
import { useEffect, useMemo } from "react";
import { json, path } from "@/api/client";
import { ApiError } from "@/api/errors";
import { projectPath, useAway } from "@/api/hooks";
import type { Answer, Permission } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { counting } from "@/lib/time";
import { Button } from "@/ui/Button";
import { ErrorNote } from "@/ui/Notes";
import { Block, DiffBlock } from "./Block";
import { changeOf } from "./change";
import { ANSWERS, asText, toolWords } from "./words";

interface Props {
  user: string;
  project: string;
  session: string;
  permission: Permission;
  /** Only the first open card listens to the keys. */
  keys: boolean;
  onGone(): void;
}

export function PermissionCard({ user, project, session, permission: p, keys, onGone }: Props) {
  const now = useNow(true);
  const away = useAway();
  const answer = useMutation({
    mutationFn: (decision: Answer) =>
      json(
        "POST",
        `${projectPath(user, project)}${path`/sessions/${session}/permissions/${p.permission_id}`}`,
        {
          body: { decision },
        },
      ),
    onSuccess: onGone,
    onError: (e) => {
      // Another window was first, or the time ran out: the card has nothing left to ask.
      if (e instanceof ApiError && [404, 409, 410].includes(e.status)) onGone();
    },
  });
  const { mutate, isPending } = answer;
  const change = useMemo(() => changeOf(p), [p]);
  useEffect(() => {
    if (!keys || away || isPending) return;
    const press = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement;
      if (e.ctrlKey || e.metaKey || e.altKey || target.closest("[role=dialog],[role=menu],select")) return;
      const typing = target.closest("input,textarea,[contenteditable=true]") as HTMLTextAreaElement | null;
      if (typing?.value) return;
      const hit = ANSWERS.find((a) => a.key === e.key);
      if (!hit) return;
      e.preventDefault();
      mutate(hit.id);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [keys, away, isPending, mutate]);
  const left = p.expires_at ? Date.parse(p.expires_at) - now : undefined;
  return (
    <section aria-label="Permission question" className="my-2 rounded-md border-2 border-amber bg-raised">
      <div role="alert" className="flex items-center gap-2 px-3 pt-2 font-medium">
        <ShieldQuestion size={16} className="shrink-0 text-amber" aria-hidden />
        <span className="min-w-0 grow break-words">The agent asks to {toolWords(p)}</span>
      </div>
      <div className="flex flex-col gap-2 px-3 py-2">
        {change && <DiffBlock change={change} />}
        <Block label={`Input of ${p.name ?? "the tool"}`} text={asText(p.input)} max={change ? 4 : 40} />
        <p className="tnum text-muted text-sm">
          {p.cwd && (
            <>
              In <code className="font-mono text-xs">{p.cwd}</code>.{" "}
            </>
          )}
          {left !== undefined &&
            (left > 0 ? `${counting(left)} left; then it is rejected.` : "The time has run out.")}
        </p>
        <div className="flex flex-wrap gap-2">
          {ANSWERS.map((a) => (
            <Button
              key={a.id}
              kind={a.id === "allow_once" ? "primary" : "plain"}
              blocked={away}
              busy={isPending}
              aria-keyshortcuts={a.key}
              onClick={() => mutate(a.id)}
            >
              {a.label}
              <kbd className="font-mono text-xs opacity-80">{a.key}</kbd>
            </Button>
          ))}
        </div>
        <ErrorNote error={answer.error} />
      </div>
    </section>
  );
}
