// What the log view can be told: filter, pause, wrap, times, copy, download.
// SPDX-License-Identifier: Apache-2.0
import { Download, Pause, Play, WrapText } from "lucide-react";
import { useState } from "react";
import { useAway } from "@/api/hooks";
import { downloadText, type LogFilter } from "@/api/logs";
import type { LogLine, Project } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Copy, ErrorNote } from "@/ui/Notes";
import { asText, type TimeStyle } from "./words";

interface Props {
  project: Project;
  filter: LogFilter;
  onFilter(f: LogFilter): void;
  paused: boolean;
  onPause(): void;
  wrap: boolean;
  onWrap(): void;
  times: TimeStyle;
  onTimes(t: string): void;
  lines: LogLine[];
}

const SOURCES = ["system", "setup", "goose-api", "command", "lifecycle"];
const LEVELS = ["error", "warn", "info", "debug"];
const choice = "h-7 rounded-md border border-edge bg-bg px-1 text-sm max-sm:h-10";

export function Toolbar(props: Props) {
  const { project: p, filter, onFilter, lines } = props;
  const away = useAway();
  const [error, setError] = useState<unknown>();
  const save = () => {
    setError(undefined);
    downloadText(p.user_id, p.id, filter)
      .then((blob) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(blob);
        link.download = `${p.name.replace(/[^\w.-]+/g, "_")}.log`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      })
      .catch(setError);
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-1.5 border-line border-b px-3 py-1.5">
        <input
          type="search"
          aria-label="Filter lines by text"
          placeholder="Filter lines"
          value={filter.q ?? ""}
          maxLength={200}
          onChange={(e) => onFilter({ ...filter, q: e.target.value || undefined })}
          className="h-7 w-44 min-w-24 grow rounded-md border border-edge bg-bg px-2 text-sm max-sm:h-10 sm:max-w-72"
        />
        <select
          aria-label="Source"
          className={choice}
          value={filter.source ?? ""}
          onChange={(e) => onFilter({ ...filter, source: e.target.value || undefined })}
        >
          <option value="">All sources</option>
          {SOURCES.map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
        <select
          aria-label="Level"
          className={choice}
          value={filter.level ?? ""}
          onChange={(e) => onFilter({ ...filter, level: e.target.value || undefined })}
        >
          <option value="">All levels</option>
          {LEVELS.map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
        <span className="grow max-sm:hidden" />
        <select
          aria-label="Times"
          className={`${choice} max-sm:hidden`}
          value={props.times}
          onChange={(e) => props.onTimes(e.target.value)}
        >
          <option value="local">Local time</option>
          <option value="utc">UTC</option>
          <option value="start">Since start</option>
        </select>
        <Button
          kind="quiet"
          size="small"
          aria-pressed={props.wrap}
          onClick={props.onWrap}
          title="Wrap long lines"
          aria-label="Wrap long lines"
          className="max-sm:hidden"
        >
          <WrapText size={14} aria-hidden />
        </Button>
        <Copy label="Copy all lines" text={() => asText(lines)} />
        <Button
          kind="quiet"
          size="small"
          onClick={save}
          blocked={away}
          aria-label="Download what the filter shows"
          title="Download what the filter shows"
        >
          <Download size={14} aria-hidden />
        </Button>
        <Button size="small" onClick={props.onPause} aria-pressed={props.paused}>
          {props.paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
          {props.paused ? "Go on" : "Pause"}
        </Button>
      </div>
      <ErrorNote error={error} className="m-2" />
    </>
  );
}
