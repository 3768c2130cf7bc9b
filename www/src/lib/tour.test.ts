// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { stepOf, TOUR } from "./tour";

test("a tour begins at its first step, ends after its last, and is none where nothing is kept", () => {
  expect(stepOf("")).toBeUndefined();
  expect(stepOf("0")).toBe(0);
  expect(stepOf("99")).toBe(TOUR.length);
  for (const bad of ["x", "-1", "1.5"]) expect(stepOf(bad)).toBeUndefined();
});
