// What the set-up says during one step: its last lines, as they come. Nothing is drawn while it says nothing.
// SPDX-License-Identifier: Apache-2.0
import { useLogs } from "@/api/hooks";
import type { LogLine, Project } from "@/api/schema";
import { ansiSpans } from "@/lib/ansi";
import { cn } from "@/lib/cn";

const LINES = 10;
const FILTER = { source: "setup" };
/** A step's last words may be stored a moment after its end. */
const LATE_MS = 1000;

export function linesOf(lines: LogLine[], from: string, to?: string): LogLine[] {
  const first = Date.parse(from);
  const last = to ? Date.parse(to) + LATE_MS : Number.POSITIVE_INFINITY;
  const fit = lines.filter((l) => Date.parse(l.at) >= first && Date.parse(l.at) <= last);
  return fit.slice(-LINES);
}

export function SetupLog({ project: p, from, to }: { project: Project; from: string; to?: string }) {
  const logs = useLogs(p.user_id, p.id, FILTER);
  const lines = linesOf(logs.data?.lines ?? [], from, to);
  if (!lines.length) return null;
  return (
    <pre
      tabIndex={0}
      role="group"
      aria-label="What the set-up says"
      className="my-1 ml-6 max-h-44 min-w-0 basis-full overflow-auto whitespace-pre-wrap break-words rounded bg-code p-2 font-mono text-xs"
    >
      {lines.map((l) => (
        <span key={l.seq} className={cn("block", l.stream === "stderr" && "text-red")}>
          {ansiSpans(l.text)}
        </span>
      ))}
    </pre>
  );
}
