// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { DryItem } from "@/api/schema";
import { changesOf, nameOf, summary } from "./dry";

const item = (id: string, differs: boolean): DryItem => ({
  project_id: id,
  before: { verdict: "keep" },
  after: { verdict: differs ? "stop" : "keep" },
  differs,
});

test("a dry run is said in one sentence", () => {
  expect(summary([])).toMatch(/no project/);
  expect(summary([item("a", false)])).toBe("No verdict would change, over 1 project.");
  expect(summary([item("a", true), item("b", false)])).toBe("One verdict would change, over 2 projects.");
  expect(changesOf([item("a", true), item("b", false)]).map((i) => i.project_id)).toEqual(["a"]);
});

test("a project of another user is named by its id", () => {
  expect(nameOf(item("0123456789", true), [])).toBe("project 01234567");
});
