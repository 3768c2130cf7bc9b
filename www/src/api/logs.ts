// The log of a project as the page holds it: a window over what is stored, newest at the end, with the live lines
// added. `seq` is the only order and the only identity: a line comes once however often it is read.
// SPDX-License-Identifier: Apache-2.0

import { path, send } from "./client";
import type { LogLine, Page } from "./schema";

export interface LogFilter {
  q?: string;
  source?: string;
  level?: string;
}
export interface LogState {
  lines: LogLine[];
  older: boolean;
}

export const MAX_LINES = 100_000;
const PAGE = 1000;

const base = (user: string, project: string) => path`/api/users/${user}/projects/${project}/logs`;

export async function readNewest(
  user: string,
  project: string,
  f: LogFilter,
  signal?: AbortSignal,
): Promise<LogState> {
  const res = await send("GET", base(user, project), { query: { ...f, order: "desc", limit: PAGE }, signal });
  const page = (await res.json()) as Page<LogLine>;
  return { lines: page.items.reverse(), older: page.next !== null };
}

export async function readOlder(
  user: string,
  project: string,
  f: LogFilter,
  before: number,
): Promise<LogState> {
  const res = await send("GET", base(user, project), { query: { ...f, order: "desc", limit: PAGE, before } });
  const page = (await res.json()) as Page<LogLine>;
  return { lines: page.items.reverse(), older: page.next !== null };
}

/** All lines after `seq`: what came while nobody listened. */
export async function readSince(
  user: string,
  project: string,
  f: LogFilter,
  seq: number,
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let after = seq;
  for (let pages = 0; pages < 50; pages++) {
    const res = await send("GET", base(user, project), { query: { ...f, order: "asc", limit: 2000, after } });
    const page = (await res.json()) as Page<LogLine>;
    lines.push(...page.items);
    const last = page.items.at(-1);
    if (!last || page.next === null) break;
    after = last.seq;
  }
  return lines;
}

export async function downloadText(user: string, project: string, f: LogFilter): Promise<Blob> {
  const res = await send("GET", base(user, project), { query: { ...f }, headers: { Accept: "text/plain" } });
  return res.blob();
}

/** Whether a live line belongs to what the filter shows; the host answers the same question for stored ones. */
export function matches(line: LogLine, f: LogFilter): boolean {
  if (f.source && line.source !== f.source) return false;
  if (f.level && line.level !== f.level) return false;
  return !f.q || line.text.toLowerCase().includes(f.q.toLowerCase());
}

/** Adds lines to the end, in order, each once; the oldest fall out beyond the window. */
export function append(state: LogState, more: LogLine[]): LogState {
  const last = state.lines.at(-1)?.seq ?? -1;
  const fresh = more.filter((l) => l.seq > last).sort((a, b) => a.seq - b.seq);
  const once = fresh.filter((l, i) => i === 0 || l.seq !== fresh[i - 1]?.seq);
  if (!once.length) return state;
  const lines = [...state.lines, ...once];
  const over = lines.length - MAX_LINES;
  return over > 0 ? { lines: lines.slice(over), older: true } : { ...state, lines };
}

export function prepend(state: LogState, page: LogState): LogState {
  const first = state.lines[0]?.seq ?? Number.POSITIVE_INFINITY;
  return {
    lines: [...page.lines.filter((l) => l.seq < first), ...state.lines].slice(-MAX_LINES),
    older: page.older,
  };
}
