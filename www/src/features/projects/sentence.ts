// The one sentence about a project that is true right now, and the short form of it for a list row.
// SPDX-License-Identifier: Apache-2.0
import type { Project } from "@/api/schema";
import { clock, counting, duration, shortAgo } from "@/lib/time";

const PHASES: Record<string, string> = {
  queued: "waiting for a place",
  creating: "making the sandbox",
  installing: "installing",
  starting: "starting the agent",
  healthy: "ready",
  draining: "letting the agent finish",
  saving: "saving the chats",
  collecting: "collecting the logs",
  stopping: "stopping the sandbox",
  stopped: "stopped",
  waiting_retry: "waiting to try again",
};
export const phaseWords = (phase?: string) => (phase ? (PHASES[phase] ?? phase) : "");

const since = (at: string | undefined, now: number) => (at ? now - Date.parse(at) : 0);
const stop = (s: string) => (/[.!?]$/.test(s) ? s : `${s}.`);

export function headSentence(p: Project, now: number): string {
  if (p.desired === "deleted") return "Being deleted: it is stopped and cleaned up first.";
  switch (p.state) {
    case "inactive": {
      if (p.next?.act === "start") return `Starts by itself at ${clock(p.next.at)}.`;
      // The reason of an earlier start is not why it stopped.
      const late = !p.reason?.at || !p.active_at || p.reason.at >= p.active_at;
      const why = p.reason?.text && p.stopped_at && late ? ` ${stop(upper(p.reason.text))}` : "";
      return p.stopped_at ? `Stopped ${ago(p.stopped_at, now)}.${why}` : "Never started.";
    }
    case "creating":
      return creating(p, now);
    case "active": {
      if (p.health && !p.health.ok)
        return `The agent does not answer: ${p.health.failures ?? 1} missed in a row. ${stop(p.health.reason ?? "")}`.trim();
      if (p.health?.can_chat === false)
        return `Active, but it cannot chat: ${stop(p.health.reason ?? "no model is set")}`;
      const up = `Active for ${duration(Math.max(60_000, since(p.active_at, now)))}`;
      if (p.next?.act === "stop") return `${up}; stops at ${clock(p.next.at)} if nobody uses it.`;
      return p.settings?.idle_minutes === 0 ? `${up}; it never stops by itself.` : `${up}.`;
    }
    case "stopping":
      return `Stopping: ${phaseWords(p.phase)}, ${counting(since(p.phase_since, now))}.`;
    case "error":
      return stop(upper(p.last_error?.message ?? p.reason?.text ?? "It failed without saying why"));
  }
}

function creating(p: Project, now: number): string {
  if (p.queue)
    return `Number ${p.queue.position} in the queue${p.reason?.text ? `: ${stop(p.reason.text)}` : "."}`;
  if (p.phase === "waiting_retry" || p.retry?.next_at) {
    const left = p.retry?.next_at ? Date.parse(p.retry.next_at) - now : 0;
    const why = p.last_error ? `: ${p.last_error.message}` : "";
    return stop(
      `Retry ${p.retry?.count ?? 1} of ${p.retry?.max ?? 3}${left > 0 ? ` in ${counting(left)}` : " now"}${why}`,
    );
  }
  const at = p.progress && p.progress.of > 0 ? `, step ${p.progress.step} of ${p.progress.of}` : "";
  return `${upper(p.progress?.text || phaseWords(p.phase))}${at}, ${counting(since(p.phase_since, now))}.`;
}

/** What matters now, in a few characters, for a row of the list. */
export function rowWords(p: Project, now: number): string {
  if (p.desired === "deleted") return "deleting";
  if (p.queue) return `number ${p.queue.position} in the queue`;
  if (p.state === "creating") {
    if (p.phase === "waiting_retry") return `retry ${p.retry?.count ?? ""} of ${p.retry?.max ?? ""}`;
    return `${p.progress?.text || phaseWords(p.phase)}${p.progress?.of ? ` ${p.progress.step}/${p.progress.of}` : ""}`;
  }
  if (p.state === "stopping") return phaseWords(p.phase);
  if (p.state === "error") return p.last_error?.message ?? "failed";
  return shortAgo(p.last_activity_at ?? p.updated_at ?? p.created_at, now);
}

export type FirstAct = "activate" | "cancel" | "deactivate" | "retry";
export function firstAct(p: Project): FirstAct | undefined {
  if (p.desired === "deleted") return undefined;
  if (p.state === "inactive") return "activate";
  if (p.state === "creating") return p.desired === "active" ? "cancel" : undefined;
  if (p.state === "active") return "deactivate";
  if (p.state === "error") return "retry";
  return p.desired === "active" ? "cancel" : "activate";
}

const upper = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
const ago = (at: string, now: number) => {
  const s = shortAgo(at, now);
  return s === "now" ? "just now" : `${duration(Math.max(60_000, since(at, now)))} ago`;
};
