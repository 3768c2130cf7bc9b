// Why: decisions and changes of state, newest first, each with its reason and the line of the rule behind it.
// SPDX-License-Identifier: Apache-2.0
import { ChevronRight, Gavel, MoveRight } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useActivity } from "@/api/hooks";
import type { Activity, Decision, Project, State } from "@/api/schema";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Ago, Bones, Copy, Empty, ErrorNote } from "@/ui/Notes";
import { StateIcon, stateWord } from "@/ui/StateMark";

export default function ActivityView({ project }: { project: Project }) {
  const list = useActivity(project.user_id, project.id);
  const items = list.data?.pages.flatMap((p) => p.items) ?? [];
  if (list.isPending) return <Bones lines={8} />;
  if (list.error && !list.data)
    return (
      <ErrorNote error={list.error} className="m-4">
        <Button size="small" onClick={() => void list.refetch()}>
          Try again
        </Button>
      </ErrorNote>
    );
  if (!items.length)
    return (
      <Empty title="Nothing has happened yet">
        Each decision of a policy and each change of state is kept here, with its reason.
      </Empty>
    );
  return (
    <section aria-label="Activity" className="min-h-0 grow overflow-auto">
      <ol className="mx-auto max-w-4xl px-4 py-3 max-sm:px-2">
        {items.map((a) => (
          <li key={a.id} className="border-line border-b last:border-0">
            {a.kind === "decision" && a.decision ? (
              <DecisionRow decision={a.decision} />
            ) : (
              <StateRow entry={a} />
            )}
          </li>
        ))}
      </ol>
      {list.hasNextPage && (
        <div className="flex justify-center pb-6">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
    </section>
  );
}

function StateRow({ entry: a }: { entry: Activity }) {
  const to = a.to as State;
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-x-2 px-2 py-1">
      <MoveRight size={14} aria-hidden className="shrink-0 text-muted" />
      <StateIcon project={{ state: to }} still />
      <span className="min-w-0 grow">
        {a.from && a.from !== a.to && (
          <span className="text-muted">{stateWord({ state: a.from as State })} to </span>
        )}
        <span className="font-medium">{stateWord({ state: to })}</span>
        {a.phase && <span className="text-muted"> · {a.phase.replace("_", " ")}</span>}
        {a.by && <span className="text-muted"> · by {a.by}</span>}
        {a.request_id && (
          <span className="font-mono text-muted text-xs" title={`Request ${a.request_id}`}>
            {" "}
            {a.request_id.slice(0, 8)}
          </span>
        )}
      </span>
      <Ago at={a.at} className="text-muted text-sm" />
      {a.decision && (
        <p className="basis-full pl-10 text-muted text-sm">
          {a.decision.reason} <Where decision={a.decision} />
        </p>
      )}
    </div>
  );
}

/** The line of the rule that decided, as a link into the editor. */
function Where({ decision: d }: { decision: Decision }) {
  if (!d.file || d.policy === "built-in") return d.policy;
  return (
    <Link href={paths.policy(d.file, d.line)} className="text-accent underline">
      {d.file}
      {d.line ? `:${d.line}` : ""}
    </Link>
  );
}

const BAD = new Set(["deny", "give_up"]);
const WARM = new Set(["stop", "queue", "retry", "restart", "replace", "warn", "remove"]);

function DecisionRow({ decision: d }: { decision: Decision }) {
  const [open, setOpen] = useState(false);
  const tone = BAD.has(d.verdict) ? "text-red" : WARM.has(d.verdict) ? "text-amber" : "text-green";
  return (
    <div>
      <div className="flex items-start gap-2 px-2 pt-2 max-sm:min-h-10">
        <button
          type="button"
          aria-expanded={open}
          className="flex min-w-0 grow items-start gap-2 rounded text-left max-sm:min-h-10"
          onClick={() => setOpen(!open)}
        >
          <ChevronRight
            size={14}
            aria-hidden
            className={cn("mt-1 shrink-0 text-muted transition-transform", open && "rotate-90")}
          />
          <Gavel size={14} aria-hidden className={cn("mt-1 shrink-0", tone)} />
          <span className="min-w-0 grow">
            <span className={cn("font-medium", tone)}>{d.verdict.replace("_", " ")}</span>{" "}
            <span>{d.reason}</span>
          </span>
        </button>
        <Ago at={d.at} className="shrink-0 text-muted text-sm" />
      </div>
      <div className="pb-2 pl-12 text-muted text-sm">
        <Where decision={d} />
        {d.generation !== undefined && <span className="tnum"> · generation {d.generation}</span>}
      </div>
      {open && (
        <div className="mb-2 ml-12 flex flex-col gap-2 text-sm">
          {d.would_differ && <p>What would have turned it: {d.would_differ}</p>}
          <div className="flex items-center text-muted text-xs">
            The facts it saw <Copy text={() => JSON.stringify(d.facts, null, 2)} label="Copy the facts" />
          </div>
          <pre tabIndex={0} className="max-h-80 overflow-auto rounded bg-code p-2 font-mono text-xs">
            {typeof d.facts === "string" ? d.facts : (JSON.stringify(d.facts, null, 2) ?? "none were kept")}
          </pre>
        </div>
      )}
    </div>
  );
}
