// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { headOf } from "./Block";

test("a short text is whole", () => {
  expect(headOf("a\nb", 200, 1000)).toEqual({ head: "a\nb", whole: true });
  expect(headOf("", 200, 1000)).toEqual({ head: "", whole: true });
});

test("a long one is cut at a line, one endless line at a length", () => {
  expect(headOf("a\nb\nc\n", 2, 1000)).toEqual({ head: "a\nb\n", whole: false });
  expect(headOf("x".repeat(50), 2, 10)).toEqual({ head: "x".repeat(10), whole: false });
});
