// A tool call: one folded line in words; opened, its exact input (a written file as a diff) and output.
// SPDX-License-Identifier: Apache-2.0
import { ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";
import type { ToolPart } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/time";
import { StateIcon } from "@/ui/StateMark";
import { Block, DiffBlock } from "./Block";
import { changeOf } from "./change";
import { answerWords, asText, toolWords } from "./words";

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
  const change = useMemo(() => (open ? changeOf(part) : undefined), [open, part]);
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
          {change ? <DiffBlock change={change} /> : <Block label="Input" text={asText(part.input)} />}
          {part.output !== undefined && <Block label="Output" text={asText(part.output)} output />}
          {part.truncated && <p className="text-muted text-xs">The agent's server cut this output.</p>}
        </div>
      )}
    </div>
  );
}
