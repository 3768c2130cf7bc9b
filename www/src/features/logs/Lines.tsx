// The lines themselves, drawn only where they are seen. Follows the end until the reader scrolls up.
// SPDX-License-Identifier: Apache-2.0
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import { type LogFilter, type LogState, prepend, readOlder } from "@/api/logs";
import type { LogLine, Project } from "@/api/schema";
import { ansiSpans } from "@/lib/ansi";
import { cn } from "@/lib/cn";
import { exact } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Picked } from "./Picked";
import { inRange, lineTime, marked, type Range, rangeOf, type TimeStyle } from "./words";

const ROW = 20;
const NEAR = 40;

interface Props {
  project: Project;
  filter: LogFilter;
  state: LogState;
  paused: boolean;
  wrap: boolean;
  times: TimeStyle;
  at?: number;
}

export function Lines({ project: p, filter, state, paused, wrap, times, at }: Props) {
  const { lines, older } = state;
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(at === undefined);
  const [following, setFollowing] = useState(at === undefined);
  const [seen, setSeen] = useState(0);
  const [reading, setReading] = useState(false);
  const [picked, setPicked] = useState<Range | undefined>(() =>
    at === undefined ? undefined : { anchor: at, to: at },
  );
  const start = Date.parse(p.active_at ?? lines[0]?.at ?? p.created_at);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    getItemKey: (i) => lines[i]?.seq ?? i,
    overscan: 20,
  });
  const last = lines.at(-1)?.seq ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end moves with the last line and the way it is drawn
  useLayoutEffect(() => {
    if (!follow.current || paused) return;
    rows.scrollToIndex(lines.length - 1, { align: "end" });
    setSeen(last);
  }, [last, wrap, paused]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for a link to a line
  useEffect(() => {
    if (at === undefined) return;
    const index = lines.findIndex((l) => l.seq >= at);
    if (index >= 0) rows.scrollToIndex(index, { align: "center" });
  }, []);

  const readMore = async () => {
    const first = lines[0]?.seq;
    if (!older || reading || paused || first === undefined) return;
    setReading(true);
    try {
      const page = await readOlder(p.user_id, p.id, filter, first);
      const el = box.current;
      const fromEnd = el ? el.scrollHeight - el.scrollTop : 0;
      cache.setQueryData<LogState>(keys.logs(p.user_id, p.id, filter), (old) => old && prepend(old, page));
      requestAnimationFrame(() => {
        if (el) el.scrollTop = el.scrollHeight - fromEnd;
      });
    } catch {
      // The next scroll asks again.
    } finally {
      setReading(false);
    }
  };
  const onScroll = () => {
    const el = box.current;
    if (!el) return;
    const end = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR;
    follow.current = end;
    setFollowing(end);
    if (end) setSeen(last);
    if (el.scrollTop < 400) void readMore();
  };
  const pick = useCallback((seq: number, extend: boolean) => {
    setPicked((was) => rangeOf(was, seq, extend));
    if (extend) return;
    const to = new URL(location.href);
    to.search = `?seq=${seq}`;
    history.replaceState(null, "", to);
  }, []);
  const toEnd = () => {
    follow.current = true;
    setFollowing(true);
    setSeen(last);
    rows.scrollToIndex(lines.length - 1, { align: "end" });
  };
  const fresh = lines.length - (lines.findLastIndex((l) => l.seq <= seen) + 1);
  return (
    <div className="relative flex min-h-0 grow flex-col">
      <div
        ref={box}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={`${lines.length} lines`}
        className={cn(
          "min-h-0 grow overflow-y-auto bg-bg py-1 font-mono text-xs leading-5",
          !wrap && "overflow-x-auto",
        )}
      >
        {(older || reading) && (
          <p className="px-3 text-muted">{reading ? "Reading older lines…" : "Older lines above"}</p>
        )}
        <div
          className="relative"
          style={{ height: rows.getTotalSize(), minWidth: wrap ? undefined : "max-content" }}
        >
          {rows.getVirtualItems().map((v) => {
            const line = lines[v.index];
            return (
              line && (
                <div
                  key={v.key}
                  ref={rows.measureElement}
                  data-index={v.index}
                  className={cn(
                    "absolute top-0 left-0 w-full",
                    inRange(picked, line.seq) && "bg-accent-soft",
                  )}
                  style={{ transform: `translateY(${v.start}px)` }}
                >
                  <Line
                    line={line}
                    q={filter.q ?? ""}
                    wrap={wrap}
                    times={times}
                    start={start}
                    onPick={pick}
                  />
                </div>
              )
            );
          })}
        </div>
      </div>
      {picked && <Picked lines={lines} range={picked} drop={() => setPicked(undefined)} />}
      {!following && !paused && (
        <Button
          size="small"
          className="absolute right-6 bottom-3 rounded-full font-sans shadow-lg"
          onClick={toEnd}
        >
          {fresh > 0 ? `${fresh.toLocaleString("en-US")} new ${fresh === 1 ? "line" : "lines"}` : "Follow"} ↓
        </Button>
      )}
    </div>
  );
}

interface LineProps {
  line: LogLine;
  q: string;
  wrap: boolean;
  times: TimeStyle;
  start: number;
  onPick(seq: number, extend: boolean): void;
}

const Line = memo(function Line({ line: l, q, wrap, times, start, onPick }: LineProps) {
  const bad = l.stream === "stderr" || l.level === "error";
  return (
    <div className="group flex items-start gap-3 px-3 hover:bg-hover">
      <a
        href={`?seq=${l.seq}`}
        onClick={(e) => {
          e.preventDefault();
          onPick(l.seq, e.shiftKey);
        }}
        tabIndex={-1}
        title="Pick this line; with Shift, all up to it"
        className="tnum w-10 shrink-0 text-right text-muted select-none hover:text-accent max-sm:hidden"
      >
        {l.seq}
      </a>
      <time dateTime={l.at} title={exact(l.at)} className="tnum shrink-0 text-muted">
        {lineTime(l.at, times, start)}
      </time>
      <span className="w-18 shrink-0 truncate text-muted max-sm:hidden">{l.source}</span>
      <span
        className={cn(
          "min-w-0 grow",
          wrap ? "whitespace-pre-wrap break-words" : "whitespace-pre",
          bad && "text-red",
        )}
      >
        {bad && <span className="sr-only">{l.stream}: </span>}
        {q ? <Marked text={l.text} q={q} /> : ansiSpans(l.text)}
      </span>
    </div>
  );
});

function Marked({ text, q }: { text: string; q: string }) {
  const out: ReactNode[] = [];
  for (const piece of marked(text, q))
    out.push(out.length % 2 ? <mark key={out.length}>{piece}</mark> : piece);
  return out;
}
