// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bytes, count, counting, duration, relative, shortAgo } from "./time";

const at = "2026-01-01T00:00:00.000Z";
const t = Date.parse(at);

describe("times in words", () => {
  it.each([
    [0, "0 ms"],
    [950, "950 ms"],
    [1500, "1.5 s"],
    [59_000, "59 s"],
    [125_000, "2 m 5 s"],
    [7_980_000, "2 h 13 m"],
    [7_200_000, "2 h"],
    [273_600_000, "3 d 4 h"],
    [-5, "0 ms"],
  ])("a duration of %i ms is %s", (ms, words) => expect(duration(ms)).toBe(words));
  it("counts down in whole seconds", () => {
    expect(counting(1)).toBe("1 s");
    expect(counting(59_001)).toBe("60 s");
    expect(counting(-1)).toBe("0 s");
  });
  it.each([
    [5_000, "just now"],
    [60_000, "1 minute ago"],
    [7_200_000, "2 hours ago"],
    [-180_000, "in 3 minutes"],
  ])("%i ms later it is %s", (later, words) => expect(relative(at, t + later)).toBe(words));
  it("is short in lists", () => {
    expect(shortAgo(at, t + 30_000)).toBe("now");
    expect(shortAgo(at, t + 120_000)).toBe("2m");
    expect(shortAgo(at, t + 86_400_000 * 3)).toBe("3d");
    expect(shortAgo(undefined, t)).toBe("");
  });
});

describe("sizes and counts", () => {
  it("names the unit", () => {
    expect(bytes(12)).toBe("12 bytes");
    expect(bytes(12_582_912)).toBe("12 MB");
    expect(bytes(1536)).toBe("1.5 KB");
  });
  it("knows one from many", () => {
    expect(count(1, "session")).toBe("1 session");
    expect(count(2140, "log line")).toBe("2,140 log lines");
  });
});
