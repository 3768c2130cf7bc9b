// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Reference } from "@/api/schema";
import { decisionOf, meaningOf, offersAt } from "./complete";

const ref: Reference = {
  modules: [
    {
      name: "gander.sys",
      doc: "",
      functions: [{ name: "sys.now", signature: "sys.now() -> ms: integer", doc: "The clock." }],
    },
  ],
  facts: [
    { name: "idle_ms", type: "integer", doc: "Since the last use.", policies: ["idle"] },
    { name: "project", type: "ProjectFacts", doc: "", policies: ["idle", "retry"] },
    { name: "project.name", type: "string", doc: "Its name.", policies: ["idle", "retry"] },
    { name: "attempt", type: "AttemptFacts", doc: "", policies: ["retry"] },
  ],
  verdicts: [
    { name: "stop", signature: "stop(reason)", doc: "Stops it.", policies: ["idle"] },
    { name: "give_up", signature: "give_up(reason)", doc: "", policies: ["retry"] },
  ],
};
const labels = (before: string, decision?: string) =>
  offersAt(before, ref, decision)?.offers.map((o) => o.label);

test("a file's place says what it decides", () => {
  expect(decisionOf("policies/idle/after_minutes.lua")).toBe("idle");
  expect(decisionOf("cleanup/logs.lua")).toBe("cleanup");
  expect(decisionOf("lib/app.lua")).toBeUndefined();
});

test("facts are offered level by level, only those that the decision knows", () => {
  expect(labels("    if facts.", "idle")).toEqual(["idle_ms", "project"]);
  expect(labels("facts.pro", "retry")).toEqual(["project", "attempt"]);
  expect(labels("return keep(facts.project.", "idle")).toEqual(["name"]);
  expect(offersAt("facts.project.na", ref, "idle")?.back).toBe(2);
  expect(labels("facts.nothing.", "idle")).toBeUndefined();
});

test("verdicts are those that the decision takes", () => {
  expect(labels("    return st", "idle")).toContain("stop");
  expect(labels("    return st", "idle")).not.toContain("give_up");
  expect(labels("    return g", "retry")).toContain("give_up");
});

test("a script that decides nothing is offered the host's functions instead", () => {
  expect(labels("local t = sys.")).toEqual(["now"]);
  expect(labels("return st")).not.toContain("stop");
});

test("nothing is offered in a comment", () => {
  expect(offersAt("-- facts.", ref, "idle")).toBeUndefined();
  expect(labels('local s = "--" facts.', "idle")).toBeDefined();
});

test("a hover says type and sentence of the name under it", () => {
  const line = "  if facts.project.name == x then return stop end";
  expect(meaningOf(line, line.indexOf("name") + 1, ref, "idle")).toMatchObject({
    head: "facts.project.name: string",
  });
  expect(meaningOf(line, line.indexOf("stop"), ref, "idle")).toMatchObject({ doc: "Stops it." });
  expect(meaningOf("facts.attempt", 9, ref, "idle")?.head).toMatch(/not known in idle/);
  expect(meaningOf(line, line.indexOf("then"), ref, "idle")).toBeUndefined();
});
