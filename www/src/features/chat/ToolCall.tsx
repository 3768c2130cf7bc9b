// A tool call: one folded line in words; opened, its exact input and output.
// SPDX-License-Identifier: Apache-2.0
import { ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";
import type { ToolPart } from "@/api/schema";
import { ansiSpans } from "@/lib/ansi";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/time";
import { StateIcon } from "@/ui/StateMark";
import { answerWords, asText, toolWords } from "./words";

const FIRST_LINES = 200;

export function ToolCall({ part }: { part: ToolPart }) {
  const [open, setOpen] = useState(false);
  const running = part.status === "in_progress" || part.status === "running";
  const waiting = part.status === "pending" || part.status === undefined;
  const failed = part.status === "failed";
  const now = useNow(running);
  const end = part.ended_at ? Date.parse(part.ended_at) : running ? now : undefined;
  const took = part.started_at && end ? duration(Math.max(0, end - Date.parse(part.started_at))) : "";
  const state = failed
    ? "error"
    : running || waiting
      ? "creating"
      : part.status === "cancelled"
        ? "stopping"
        : "active";
  const word = failed
    ? "failed"
    : running
      ? "running"
      : waiting
        ? "waiting"
        : part.status === "cancelled"
          ? "cancelled"
          : "";
  return (
    <div className="my-1 rounded-md border border-line bg-panel">
      <button
        type="button"
        aria-expanded={open}
        className="flex min-h-8 w-full items-center gap-2 px-2 py-1 text-left text-sm max-sm:min-h-10"
        onClick={() => setOpen(!open)}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={cn("shrink-0 text-muted transition-transform", open && "rotate-90")}
        />
        <StateIcon project={{ state }} />
        <span className="min-w-0 grow truncate">{toolWords(part)}</span>
        {part.permission && (
          <span className="text-muted text-xs">{answerWords(part.permission.decision)}</span>
        )}
        <span className="tnum shrink-0 text-muted text-xs">{word || took}</span>
      </button>
      {open && (
        <div className="flex flex-col gap-2 border-line border-t p-2">
          <Block label="Input" text={asText(part.input)} />
          {part.output !== undefined && <Block label="Output" text={asText(part.output)} />}
          {part.truncated && <p className="text-muted text-xs">The agent's server cut this output.</p>}
        </div>
      )}
    </div>
  );
}

export function Block({ label, text, max = FIRST_LINES }: { label: string; text: string; max?: number }) {
  const [all, setAll] = useState(false);
  const lines = useMemo(() => text.split("\n"), [text]);
  const shown = all ? text : lines.slice(0, max).join("\n");
  return (
    <div>
      <div className="mb-0.5 text-muted text-xs">{label}</div>
      <pre
        tabIndex={0}
        className="max-h-96 overflow-auto whitespace-pre-wrap break-words rounded bg-code p-2 font-mono text-xs"
      >
        {ansiSpans(shown)}
      </pre>
      {!all && lines.length > max && (
        <button type="button" className="mt-1 text-accent text-sm underline" onClick={() => setAll(true)}>
          Show all {lines.length} lines
        </button>
      )}
    </div>
  );
}
