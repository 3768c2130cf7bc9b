// The log of a project: live at its end, older pages on scroll, filtered by the host over all that is stored.
// SPDX-License-Identifier: Apache-2.0
import { useDeferredValue, useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { ApiError } from "@/api/errors";
import { useLogs } from "@/api/hooks";
import type { LogFilter, LogState } from "@/api/logs";
import type { Project } from "@/api/schema";
import { useRemembered } from "@/lib/storage";
import { Button } from "@/ui/Button";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";
import { Lines } from "./Lines";
import { Toolbar } from "./Toolbar";
import type { TimeStyle } from "./words";

export default function LogsView({ project: p }: { project: Project }) {
  const [filter, setFilter] = useState<LogFilter>({});
  const settled = useDeferredValue(useDebounced(filter, 250));
  const logs = useLogs(p.user_id, p.id, settled);
  const [paused, setPaused] = useState<LogState>();
  const [wrap, setWrap] = useRemembered("logs.wrap", "on");
  const [times, setTimes] = useRemembered("logs.times", "local");
  const [search] = useSearchParams();
  const live = logs.data;
  const shown = paused ?? live;
  const pausedBy = paused && live ? (live.lines.at(-1)?.seq ?? 0) - (paused.lines.at(-1)?.seq ?? 0) : 0;
  const filtered = !!(filter.q || filter.source || filter.level);
  return (
    <section aria-label="Logs" className="flex min-h-0 grow flex-col">
      <Toolbar
        project={p}
        filter={filter}
        onFilter={(f) => {
          setFilter(f);
          setPaused(undefined);
        }}
        paused={paused !== undefined}
        onPause={() => setPaused(paused ? undefined : live)}
        wrap={wrap === "on"}
        onWrap={() => setWrap(wrap === "on" ? "off" : "on")}
        times={times as TimeStyle}
        onTimes={setTimes}
        lines={shown?.lines ?? []}
      />
      {paused && (
        <div
          className="flex items-center gap-2 border-line border-b bg-amber-soft px-3 py-1 text-amber text-sm"
          role="status"
        >
          <span className="tnum grow">
            Paused{pausedBy > 0 ? `; ${pausedBy.toLocaleString("en-US")} newer` : ""}.
          </span>
          <Button size="small" onClick={() => setPaused(undefined)}>
            Go on
          </Button>
        </div>
      )}
      {!shown ? (
        logs.error ? (
          <ErrorNote error={logs.error instanceof ApiError ? logs.error.message : logs.error} className="m-4">
            <Button size="small" onClick={() => void logs.refetch()}>
              Try again
            </Button>
          </ErrorNote>
        ) : (
          <Bones lines={12} />
        )
      ) : shown.lines.length === 0 ? (
        <Empty title={filtered ? "No line fits the filter" : "No line yet"}>
          {filtered
            ? "All that is stored was searched."
            : "What the sandbox and its set-up say appears here, and stays."}
        </Empty>
      ) : (
        <Lines
          key={JSON.stringify(settled)}
          project={p}
          filter={settled}
          state={shown}
          paused={paused !== undefined}
          wrap={wrap === "on"}
          times={times as TimeStyle}
          at={Number(search.get("seq")) || undefined}
        />
      )}
    </section>
  );
}

function useDebounced<T>(value: T, ms: number): T {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const t = setTimeout(() => setLate(value), ms);
    return () => clearTimeout(t);
  }, [value, ms]);
  return late;
}
