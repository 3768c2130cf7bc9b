// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { append, MAX_LINES, matches, prepend } from "./logs";
import type { LogLine } from "./schema";

const line = (seq: number, more: Partial<LogLine> = {}): LogLine => ({
  seq,
  at: "2026-01-01T00:00:00.000Z",
  source: "setup",
  stream: "stdout",
  text: `line ${seq}`,
  ...more,
});
const seqs = (s: { lines: LogLine[] }) => s.lines.map((l) => l.seq);

describe("the window over a log", () => {
  it("takes each line once, in order", () => {
    const s = append({ lines: [line(1), line(2)], older: false }, [line(2), line(4), line(3), line(3)]);
    expect(seqs(s)).toEqual([1, 2, 3, 4]);
  });
  it("stays the same object when nothing is new", () => {
    const s = { lines: [line(5)], older: false };
    expect(append(s, [line(4), line(5)])).toBe(s);
  });
  it("lets the oldest fall out and says that there are older ones", () => {
    const full = { lines: Array.from({ length: MAX_LINES }, (_, i) => line(i + 1)), older: false };
    const s = append(full, [line(MAX_LINES + 1)]);
    expect(s.lines).toHaveLength(MAX_LINES);
    expect(s.lines[0]?.seq).toBe(2);
    expect(s.older).toBe(true);
  });
  it("puts an older page before, each line once", () => {
    expect(
      seqs(prepend({ lines: [line(3)], older: true }, { lines: [line(1), line(2), line(3)], older: false })),
    ).toEqual([1, 2, 3]);
  });
});

describe("the filter on live lines", () => {
  it("finds text without regard to case", () => {
    expect(matches(line(1, { text: "Listening" }), { q: "listen" })).toBe(true);
    expect(matches(line(1, { text: "other" }), { q: "listen" })).toBe(false);
  });
  it("asks source and level too", () => {
    expect(matches(line(1, { level: "error" }), { source: "setup", level: "error" })).toBe(true);
    expect(matches(line(1, { level: "info" }), { level: "error" })).toBe(false);
    expect(matches(line(1), { source: "command" })).toBe(false);
  });
});
