// The head of a project: name, state, the sentence that is true now, the first act, and one folded line of facts.
// SPDX-License-Identifier: Apache-2.0
import { ChevronDown, ChevronLeft, MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { ApiError } from "@/api/errors";
import { useAway } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { bytes, exact } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Menu } from "@/ui/Menu";
import { Badge, ErrorNote } from "@/ui/Notes";
import { StateBadge } from "@/ui/StateMark";
import { ACT_WORDS, useActs, useWant } from "./acts";
import { CreationSteps } from "./CreationSteps";
import { NameInPlace } from "./NameInPlace";
import { firstAct, headSentence } from "./sentence";

export function ProjectHead({ project: p }: { project: Project }) {
  const now = useNow(p.state !== "inactive");
  const acts = useActs(p);
  const away = useAway();
  const want = useWant();
  const first = firstAct(p);
  const [facts, setFacts] = useState(false);
  const primary = first === "activate" || first === "retry";
  return (
    <header className="border-line border-b">
      <div className="flex items-center gap-x-3 px-4 pt-3 pb-1 max-sm:gap-x-1 max-sm:px-3 max-sm:pt-1">
        <Link
          href={paths.user(p.user_id)}
          aria-label="All projects"
          className="-ml-2 inline-flex size-10 items-center justify-center rounded-md text-muted md:hidden"
        >
          <ChevronLeft size={20} aria-hidden />
        </Link>
        <NameInPlace project={p} />
        <span className="max-sm:hidden">
          <StateBadge project={p} />
        </span>
        <div className="ml-auto flex shrink-0 items-center gap-1">
          {first && (
            <Button
              kind={primary ? "primary" : "plain"}
              blocked={away}
              busy={want.isPending}
              onClick={() => want.mutate({ project: p, want: first })}
              data-first-act
            >
              {ACT_WORDS[first]}
            </Button>
          )}
          <Menu acts={acts} label="More acts">
            <Button kind="quiet" size="icon" aria-label="More acts">
              <MoreHorizontal size={16} aria-hidden />
            </Button>
          </Menu>
        </div>
      </div>
      <div className="flex items-start gap-2 px-5 pb-2 max-sm:flex-wrap max-sm:px-4">
        <span className="sm:hidden">
          <StateBadge project={p} />
        </span>
        <p
          aria-live="polite"
          className={cn(
            "tnum min-w-0 grow break-words max-sm:order-1 max-sm:basis-full",
            p.state === "error" ? "text-red" : "text-muted",
          )}
        >
          <span title={p.next ? exact(p.next.at) : undefined}>{headSentence(p, now)}</span>
          {p.reason?.file && (p.state === "error" || p.state === "creating") && (
            <>
              {" "}
              <Link href={paths.policy(p.reason.file, p.reason.line)} className="text-accent underline">
                {p.reason.policy ?? p.reason.file}
              </Link>
            </>
          )}
        </p>
        {p.sandbox && (
          <button
            type="button"
            aria-expanded={facts}
            className="ml-auto flex shrink-0 items-center gap-1 rounded px-1 text-muted text-sm hover:bg-hover"
            onClick={() => setFacts(!facts)}
          >
            {p.health?.model?.demo && <Badge tone="amber">demo model</Badge>}
            Sandbox
            <ChevronDown
              size={14}
              aria-hidden
              className={cn("transition-transform", facts && "rotate-180")}
            />
          </button>
        )}
      </div>
      {facts && p.sandbox && <Facts project={p} />}
      <ErrorNote error={want.error} className="mx-4 mb-2">
        <Refusal error={want.error} />
        <Button kind="quiet" size="small" className="-my-1 text-red" onClick={() => want.reset()}>
          Dismiss
        </Button>
      </ErrorNote>
      {p.progress && (p.state === "creating" || p.state === "error") && p.progress.steps.length > 0 && (
        <CreationSteps project={p} />
      )}
    </header>
  );
}

/** The line of the rule that refused, where the host names one. */
function Refusal({ error }: { error: unknown }) {
  const decision = error instanceof ApiError ? error.details.find((d) => d.decision)?.decision : undefined;
  if (!decision?.file) return null;
  return (
    <Link href={paths.policy(decision.file, decision.line)} className="shrink-0 underline">
      {decision.policy}
    </Link>
  );
}

function Facts({ project: p }: { project: Project }) {
  const s = p.sandbox;
  const h = p.health;
  if (!s) return null;
  const u = s.usage;
  const rows: [string, string | undefined][] = [
    ["Provider", s.provider],
    ["Isolation", s.isolation && `${s.isolation.tier}: ${s.isolation.statement}`],
    [
      "Memory",
      u?.memory_mb !== undefined
        ? `${Math.round(u.memory_mb)} MB${s.limits?.memory_mb ? ` of ${s.limits.memory_mb} MB` : ""}`
        : s.limits?.memory_mb && `at most ${s.limits.memory_mb} MB`,
    ],
    [
      "CPU",
      u?.cpu_pct !== undefined
        ? `${u.cpu_pct.toFixed(0)} %${s.limits?.cpus ? ` of ${s.limits.cpus} CPUs` : ""}`
        : s.limits?.cpus && `at most ${s.limits.cpus} CPUs`,
    ],
    ["Disk", u?.disk_mb !== undefined ? bytes(u.disk_mb * 1048576) : undefined],
    [
      "Health",
      h &&
        (h.ok ? `answers${h.latency_ms !== undefined ? ` in ${h.latency_ms} ms` : ""}` : "does not answer"),
    ],
    ["Engine", h && [h.engine, h.engine_version].filter(Boolean).join(" ")],
    ["Model", h?.model && (h.model.demo ? "demo model" : h.model.name)],
    ["Name", s.id],
    ["Address", s.endpoint],
  ].map(([k, v]) => [k as string, v ? String(v) : undefined]);
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 border-line border-t px-5 py-2 text-sm">
      {rows.map(
        ([k, v]) =>
          v && (
            <div key={k} className="contents">
              <dt className="text-muted">{k}</dt>
              <dd className="tnum min-w-0 break-words">{v}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
