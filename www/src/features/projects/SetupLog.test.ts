// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { LogLine } from "@/api/schema";
import { linesOf } from "./SetupLog";

const line = (seq: number, at: string): LogLine => ({
  seq,
  at,
  source: "setup",
  stream: "stdout",
  text: `${seq}`,
});
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;

test("a step shows its own lines, not those of the steps before and after it", () => {
  const lines = [line(1, at(1)), line(2, at(10)), line(3, at(12)), line(4, at(20))];
  expect(linesOf(lines, at(10), at(12)).map((l) => l.seq)).toEqual([2, 3]);
  expect(linesOf(lines, at(10)).map((l) => l.seq)).toEqual([2, 3, 4]);
});

test("of many lines a step shows the last", () => {
  const lines = Array.from({ length: 40 }, (_, i) => line(i, at(i)));
  expect(linesOf(lines, at(0)).map((l) => l.seq)).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
});
