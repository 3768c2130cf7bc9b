// The list of a user's projects: live, filtered here, drawn only where it is seen.
// SPDX-License-Identifier: Apache-2.0
import { useVirtualizer } from "@tanstack/react-virtual";
import { MoreHorizontal, Plus } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useAway, useProjects } from "@/api/hooks";
import type { Project, State } from "@/api/schema";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Menu, RightClick } from "@/ui/Menu";
import { Bones, ErrorNote } from "@/ui/Notes";
import { StateIcon, stateWord } from "@/ui/StateMark";
import { useActs, useDialogs } from "./acts";
import { rowWords } from "./sentence";

const ROW = 52;

export function sortAndFilter(list: Project[], q: string, state: State | ""): Project[] {
  const needle = q.trim().toLowerCase();
  return list
    .filter((p) => (!state || p.state === state) && p.name.toLowerCase().includes(needle))
    .sort((a, b) => lastTouched(b).localeCompare(lastTouched(a)) || a.name.localeCompare(b.name));
}
const lastTouched = (p: Project) => p.last_activity_at ?? p.created_at;

export function ProjectList({ user, current, tab }: { user: string; current?: string; tab: string }) {
  const projects = useProjects(user);
  const [q, setQ] = useState("");
  const [state, setState] = useState<State | "">("");
  const shown = useMemo(() => sortAndFilter(projects.data ?? [], q, state), [projects.data, q, state]);
  const open = useDialogs();
  const away = useAway();
  const [, go] = useLocation();
  const total = projects.data?.length ?? 0;
  const move = (by: number) => {
    const at = shown.findIndex((p) => p.id === current);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next) go(paths.project(user, next.id, tab));
  };
  return (
    <nav aria-label="Projects" className="flex min-h-0 grow flex-col">
      <div className="flex items-center gap-1 px-2 pt-2">
        <h2 className="grow px-1 font-semibold text-sm">Projects</h2>
        <Button
          kind="quiet"
          size="icon"
          aria-label="New project"
          title="New project"
          blocked={away}
          onClick={() => open({ kind: "new", user })}
        >
          <Plus size={16} aria-hidden />
        </Button>
      </div>
      <div className="flex gap-1 px-2 pb-2">
        <input
          id="project-filter"
          type="search"
          aria-label="Filter projects by name"
          placeholder="Filter  /"
          value={q}
          onChange={(e) => setQ(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === "ArrowDown" || e.key === "Enter") move(current ? 1 : 0);
            if (e.key === "Escape") e.currentTarget.blur();
          }}
          className="h-7 min-w-0 grow rounded-md border border-edge bg-bg px-2 text-sm max-sm:h-10"
        />
        <select
          aria-label="Filter projects by state"
          value={state}
          onChange={(e) => setState(e.target.value as State | "")}
          className="h-7 w-22 rounded-md border border-edge bg-bg px-1 text-sm max-sm:h-10"
        >
          <option value="">All</option>
          {(["active", "creating", "stopping", "inactive", "error"] as const).map((s) => (
            <option key={s} value={s}>
              {stateWord({ state: s })}
            </option>
          ))}
        </select>
      </div>
      {projects.isPending ? (
        <Bones lines={6} />
      ) : projects.error && !projects.data ? (
        <ErrorNote error={projects.error} className="m-2">
          <Button size="small" onClick={() => void projects.refetch()}>
            Try again
          </Button>
        </ErrorNote>
      ) : shown.length === 0 ? (
        <div className="px-3 py-4 text-muted text-sm">
          {total === 0 ? (
            "No project yet."
          ) : (
            <>
              Nothing among {total} fits.{" "}
              <button
                type="button"
                className="text-accent underline"
                onClick={() => {
                  setQ("");
                  setState("");
                }}
              >
                Show all
              </button>
            </>
          )}
        </div>
      ) : (
        <Rows list={shown} current={current} tab={tab} />
      )}
    </nav>
  );
}

function Rows({ list, current, tab }: { list: Project[]; current?: string; tab: string }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: list.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
    getItemKey: (i) => list[i]?.id ?? i,
  });
  return (
    <div ref={box} className="min-h-0 grow overflow-auto px-2 pb-2" data-project-rows>
      <ul className="relative" style={{ height: rows.getTotalSize() }} aria-label={`${list.length} projects`}>
        {rows.getVirtualItems().map((v) => {
          const p = list[v.index];
          return (
            p && (
              <li key={v.key} className="absolute inset-x-0" style={{ top: v.start, height: ROW }}>
                <Row project={p} current={p.id === current} tab={tab} />
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}

function Row({ project: p, current, tab }: { project: Project; current: boolean; tab: string }) {
  const now = useNow();
  const acts = useActs(p);
  const moving = p.state === "creating" || p.state === "stopping" || p.state === "error";
  return (
    <RightClick acts={acts}>
      <div
        className={cn("group flex h-12 items-center rounded-md pr-1 hover:bg-hover", current && "bg-active")}
      >
        <Link
          href={paths.project(p.user_id, p.id, tab)}
          aria-current={current ? "page" : undefined}
          data-project={p.id}
          className="flex min-w-0 grow items-center gap-2 self-stretch rounded-md px-2"
        >
          <StateIcon project={p} />
          <span className="min-w-0 grow">
            <span className="flex items-baseline gap-2">
              <span className="min-w-0 grow truncate text-left font-medium" dir="auto">
                {p.name}
              </span>
              {!moving && <span className="tnum shrink-0 text-muted text-xs">{rowWords(p, now)}</span>}
            </span>
            <span className={cn("block truncate text-xs", p.state === "error" ? "text-red" : "text-muted")}>
              {stateWord(p)}
              {moving && ` · ${rowWords(p, now)}`}
            </span>
          </span>
        </Link>
        <Menu acts={acts} label={`Acts on ${p.name}`}>
          <Button
            kind="quiet"
            size="icon"
            aria-label={`Acts on ${p.name}`}
            className="size-7 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 max-sm:opacity-100"
          >
            <MoreHorizontal size={16} aria-hidden />
          </Button>
        </Menu>
      </div>
    </RightClick>
  );
}
