// The steps of an activation with the time each took and what the set-up says under the one that runs; stays readable
// after a failure, the broken step opened.
// SPDX-License-Identifier: Apache-2.0
import { Check, X } from "lucide-react";
import { Link } from "wouter";
import type { Project, Step } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { duration } from "@/lib/time";
import { StateIcon } from "@/ui/StateMark";
import { SetupLog } from "./SetupLog";
import { phaseWords } from "./sentence";

export function CreationSteps({ project: p }: { project: Project }) {
  const now = useNow(p.state === "creating");
  const steps = p.progress?.steps ?? [];
  return (
    <div className="flex items-start gap-4 border-line border-t bg-panel px-5 py-2 text-sm">
      <ol aria-label="Steps of the activation" className="grid min-w-0 grow gap-0.5">
        {steps.map((s, i) => (
          <StepRow
            key={`${s.name} ${s.started_at}`}
            project={p}
            step={s}
            live={p.state === "creating" && i === steps.length - 1}
            now={now}
          />
        ))}
      </ol>
      <Link href={paths.project(p.user_id, p.id, "logs")} className="shrink-0 text-accent underline">
        All logs
      </Link>
    </div>
  );
}

interface RowProps {
  project: Project;
  step: Step;
  live: boolean;
  now: number;
}

function StepRow({ project, step: s, live, now }: RowProps) {
  // The head has said it already, in its sentence.
  const said = project.state === "error" && project.last_error?.message === s.error;
  const end = s.ended_at ? Date.parse(s.ended_at) : live ? now : undefined;
  return (
    <li className="flex flex-wrap items-center gap-x-2">
      <span className="flex w-4 justify-center">
        {s.error ? (
          <X size={14} className="text-red" aria-hidden />
        ) : s.ended_at ? (
          <Check size={14} className="text-green" aria-hidden />
        ) : (
          <StateIcon project={{ state: live ? "creating" : "inactive" }} />
        )}
      </span>
      <span className={cn("min-w-40", live && "font-medium")}>
        {capital(phaseWords(s.name))}
        <span className="sr-only">
          {s.error ? " (failed)" : s.ended_at ? " (done)" : live ? " (now)" : ""}
        </span>
      </span>
      <span className="tnum text-muted">
        {end !== undefined && duration(Math.max(0, end - Date.parse(s.started_at)))}
      </span>
      {s.error && !said && <span className="basis-full break-words pl-6 text-red">{s.error}</span>}
      {(live || s.error) && <SetupLog project={project} from={s.started_at} to={s.ended_at} />}
    </li>
  );
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
