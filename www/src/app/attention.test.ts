// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Session } from "@/api/schema";
import { iconOf, newsOf, titleOf } from "./attention";

const session = (status: Session["status"]): Session => ({
  id: "s",
  project_id: "p",
  status,
  created_at: "2026-01-01T00:00:00.000Z",
});

test("the title says trouble first", () => {
  expect(titleOf({ errors: 0, asks: 0 })).toBe("Gander");
  expect(titleOf({ errors: 1, asks: 0 })).toBe("▲ 1 error · Gander");
  expect(titleOf({ errors: 0, asks: 1 })).toBe("? asks · Gander");
  expect(titleOf({ errors: 2, asks: 3 }, "etl")).toBe("▲ 2 errors · ? 3 ask · etl · Gander");
});

test("an error goes before a question in the icon", () => {
  expect(iconOf({ errors: 1, asks: 1 })).toBe("/favicon-error.svg");
  expect(iconOf({ errors: 0, asks: 1 })).toBe("/favicon-asks.svg");
  expect(iconOf({ errors: 0, asks: 0 })).toBe("/favicon.svg");
});

test("only what ends or asks is news, and never what was so before the page was opened", () => {
  expect(newsOf(undefined, session("waiting_permission"))).toBeUndefined();
  expect(newsOf(session("idle"), session("running"))).toBeUndefined();
  expect(newsOf(session("running"), session("waiting_permission"))).toMatch(/asks/);
  expect(newsOf(session("waiting_permission"), session("running"))).toBeUndefined();
  expect(newsOf(session("running"), session("idle"))).toMatch(/finished/);
  expect(newsOf(session("running"), session("interrupted"))).toMatch(/interrupted/);
});
