// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { tame } from "./tame";

test("what people write stays as it is", () => {
  const text = "> > quoted\n\n- a\n  - b\n    1. c\n\n---\n\n* * *\n\n```\n    >>>>>>> theirs\n```\n";
  expect(tame(text)).toBe(text);
});

test("the nesting of one line and the indent of a list have an end", () => {
  expect(tame(">".repeat(1000))?.indexOf("\\")).toBe(24);
  expect(tame("- ".repeat(1000))?.indexOf("\\")).toBe(48);
  expect(tame(`${" ".repeat(500)}- deep`)).toBe(`${" ".repeat(96)}- deep`);
});

test("too long, or too many open marks, is not parsed at all", () => {
  expect(tame("x".repeat(100_001))).toBeUndefined();
  expect(tame("*_".repeat(5_000))).toBeUndefined();
});
