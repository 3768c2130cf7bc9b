// Text of a tool, in monospace: its first lines, the rest on demand, hidden characters visible, terminal colours kept.
// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState } from "react";
import { ansiSpans } from "@/lib/ansi";
import { cn } from "@/lib/cn";
import { bytes } from "@/lib/time";
import { printable, visible } from "@/lib/visible";
import { Copy } from "@/ui/Notes";
import type { Change } from "./change";

const FIRST_LINES = 200;
const FIRST_CHARS = 20_000;
/** More than this is never drawn: the copy has all of it. */
const MOST_CHARS = 400_000;

const box = "max-h-96 overflow-auto rounded bg-code p-2 font-mono text-xs";

/** The first lines of a text within the bounds, and whether that is all of it. */
export function headOf(text: string, lines: number, chars: number): { head: string; whole: boolean } {
  let end = 0;
  for (let n = 0; n < lines; n++) {
    const next = text.indexOf("\n", end);
    if (next < 0) {
      end = text.length;
      break;
    }
    end = next + 1;
  }
  end = Math.min(end, chars);
  return end >= text.length ? { head: text, whole: true } : { head: text.slice(0, end), whole: false };
}

interface Props {
  label: string;
  text: string;
  /** Lines shown before "show all". */
  max?: number;
  /** A program's output: its control characters mean nothing to the reader. */
  output?: boolean;
}

export function Block({ label, text, max = FIRST_LINES, output }: Props) {
  const [all, setAll] = useState(false);
  const clean = output ? printable : visible;
  const { head, whole } = useMemo(
    () => headOf(text, all ? Number.POSITIVE_INFINITY : max, all ? MOST_CHARS : FIRST_CHARS),
    [text, all, max],
  );
  const spans = useMemo(() => ansiSpans(clean(head)), [head, clean]);
  return (
    <div>
      <div className="flex h-5 items-center text-muted text-xs">
        {label}
        <Copy text={text} label={`Copy ${label.toLowerCase()}`} className="h-5" />
      </div>
      <pre
        tabIndex={0}
        role="group"
        aria-label={label}
        className={cn(box, "whitespace-pre-wrap break-words")}
      >
        {spans}
      </pre>
      {!whole && !all && (
        <button
          type="button"
          className="mt-1 text-accent text-sm underline max-sm:min-h-10"
          onClick={() => setAll(true)}
        >
          Show all: {sizeWords(text)}
        </button>
      )}
      {!whole && all && (
        <p className="mt-1 text-muted text-sm">
          The first {bytes(MOST_CHARS)} of {sizeWords(text)}; the copy has all.
        </p>
      )}
    </div>
  );
}

function sizeWords(text: string): string {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return `${lines.toLocaleString("en-US")} ${lines === 1 ? "line" : "lines"}, ${bytes(text.length)}`;
}

/** A changed file, line by line. */
export function DiffBlock({ change: c }: { change: Change }) {
  const [all, setAll] = useState(false);
  const shown = all ? c.lines : c.lines.slice(0, FIRST_LINES);
  return (
    <div>
      <div className="tnum mb-0.5 flex gap-2 text-muted text-xs">
        <span className="min-w-0 truncate font-mono">{visible(c.path)}</span>
        {c.added > 0 && <span className="text-green">+{c.added}</span>}
        {c.removed > 0 && <span className="text-red">−{c.removed}</span>}
      </div>
      <pre tabIndex={0} role="group" aria-label={`Changes to ${c.path}`} className={cn(box, "px-0")}>
        {shown.map((l, i) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one change never move
            key={i}
            className={cn(
              "block whitespace-pre-wrap break-words pr-2 pl-6 -indent-4",
              l.sign === "+" && "bg-green-soft",
              l.sign === "-" && "bg-red-soft",
            )}
          >
            <span className="inline-block w-4 select-none indent-0 text-muted" aria-hidden>
              {l.sign}
            </span>
            {l.sign !== " " && <span className="sr-only">{l.sign === "+" ? "added: " : "removed: "}</span>}
            {visible(l.text)}
          </span>
        ))}
      </pre>
      {!all && c.lines.length > FIRST_LINES && (
        <button type="button" className="mt-1 text-accent text-sm underline" onClick={() => setAll(true)}>
          Show all {c.lines.length.toLocaleString("en-US")} lines
        </button>
      )}
    </div>
  );
}
