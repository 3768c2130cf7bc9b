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
