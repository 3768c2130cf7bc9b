// Times and sizes in words.
// SPDX-License-Identifier: Apache-2.0

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

/** "4 s", "2 h 13 m", "3 d 4 h": two units at most, never "0 of" the second. */
export function duration(ms: number): string {
  const t = Math.max(0, Math.round(ms));
  if (t < S) return `${t} ms`;
  if (t < 10 * S) return `${(t / S).toFixed(1)} s`;
  if (t < M) return `${Math.round(t / S)} s`;
  const two = (big: number, b: string, small: number, s: string) => {
    const n = Math.floor(t / big);
    const rest = Math.floor((t % big) / small);
    return rest ? `${n} ${b} ${rest} ${s}` : `${n} ${b}`;
  };
  if (t < H) return two(M, "m", S, "s");
  if (t < D) return two(H, "h", M, "m");
  return two(D, "d", H, "h");
}

/** A whole number of seconds, for something that counts. */
export function counting(ms: number): string {
  return ms < M ? `${Math.max(0, Math.ceil(ms / S))} s` : duration(Math.ceil(ms / S) * S);
}

/** Short, for a list: "now", "2m", "3h", "5d". */
export function shortAgo(at: string | undefined, now: number): string {
  if (!at) return "";
  const t = now - Date.parse(at);
  if (t < M) return "now";
  if (t < H) return `${Math.floor(t / M)}m`;
  if (t < D) return `${Math.floor(t / H)}h`;
  return `${Math.floor(t / D)}d`;
}

/** "just now", "2 minutes ago", "in 3 hours". */
export function relative(at: string, now: number): string {
  const t = Date.parse(at) - now;
  const size = Math.abs(t);
  if (size < 10 * S) return "just now";
  const [n, unit] = size < M ? [S, "second"] : size < H ? [M, "minute"] : size < D ? [H, "hour"] : [D, "day"];
  const count = Math.round(size / (n as number));
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return t < 0 ? `${words} ago` : `in ${words}`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false });
const secondsFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** "14:20", the reader's own zone. */
export const clock = (at: string | number) => clockFormat.format(new Date(at));
export const clockSeconds = (at: string | number) => secondsFormat.format(new Date(at));
/** The exact time, for a hover. */
export const exact = (at: string) =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });

export function bytes(n: number): string {
  if (n < 1024) return `${n} bytes`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = n;
  let unit = "";
  for (const u of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = u;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export const count = (n: number, one: string, many = `${one}s`) =>
  `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
