// How a line's time is written.
// SPDX-License-Identifier: Apache-2.0

export type TimeStyle = "local" | "utc" | "start";

const pad = (n: number, width = 2) => String(n).padStart(width, "0");

export function lineTime(at: string, style: TimeStyle, start: number): string {
  const d = new Date(at);
  if (style === "utc") return d.toISOString().slice(11, 23);
  if (style === "start") {
    const t = Math.max(0, d.getTime() - start);
    return `+${Math.floor(t / 60_000)}:${pad(Math.floor((t % 60_000) / 1000))}.${pad(t % 1000, 3)}`;
  }
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}.${pad(d.getMilliseconds(), 3)}`;
}

/** A text cut where the searched words are, case set aside: the odd pieces are the matches. */
export function marked(text: string, q: string): string[] {
  if (!q) return [text];
  const out: string[] = [];
  const low = text.toLowerCase();
  const needle = q.toLowerCase();
  let from = 0;
  for (let at = low.indexOf(needle); at >= 0; at = low.indexOf(needle, from)) {
    out.push(text.slice(from, at), text.slice(at, at + needle.length));
    from = at + needle.length;
  }
  return [...out, text.slice(from)];
}

/** The lines picked by their numbers: from where the pick began to where it was drawn, in either direction. */
export interface Range {
  anchor: number;
  to: number;
}
/** A pick of one line; with `extend`, from the first picked to this one; the same single line again drops it. */
export function rangeOf(was: Range | undefined, seq: number, extend: boolean): Range | undefined {
  if (extend && was) return { anchor: was.anchor, to: seq };
  if (was && was.anchor === seq && was.to === seq) return undefined;
  return { anchor: seq, to: seq };
}
export const inRange = (r: Range | undefined, seq: number): boolean =>
  r !== undefined && seq >= Math.min(r.anchor, r.to) && seq <= Math.max(r.anchor, r.to);

/** Lines as text to paste elsewhere: the exact time, the source, what was said, without terminal codes. */
export function asText(lines: { at: string; source: string; text: string }[]): string {
  return lines.map((l) => `${l.at} ${l.source} ${bare(l.text)}`).join("\n");
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the codes to take out
const bare = (text: string) => text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "");
