// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { asText, inRange, rangeOf } from "./words";

test("a click picks a line, Shift extends it in either direction, the same click drops it", () => {
  const one = rangeOf(undefined, 5, false);
  expect(one).toEqual({ anchor: 5, to: 5 });
  const up = rangeOf(one, 2, true);
  expect([1, 2, 5, 6].map((n) => inRange(up, n))).toEqual([false, true, true, false]);
  const down = rangeOf(up, 8, true);
  expect([4, 5, 8].map((n) => inRange(down, n))).toEqual([false, true, true]);
  expect(rangeOf(one, 5, false)).toBeUndefined();
  expect(rangeOf(undefined, 7, true)).toEqual({ anchor: 7, to: 7 });
});

test("copied lines have the exact time and no terminal codes", () => {
  const line = { at: "2026-01-01T00:00:00.000Z", source: "setup", text: "\u001b[31mred\u001b[0m" };
  expect(asText([line, line])).toBe("2026-01-01T00:00:00.000Z setup red\n2026-01-01T00:00:00.000Z setup red");
});
