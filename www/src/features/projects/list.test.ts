// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Project } from "@/api/schema";
import { lossWords } from "./DeleteProject";
import { sortAndFilter } from "./ProjectList";

const project = (name: string, touched: string, more: Partial<Project> = {}): Project => ({
  id: name,
  user_id: "ada",
  name,
  state: "inactive",
  desired: "inactive",
  revision: 1,
  created_at: "2026-01-01T00:00:00.000Z",
  last_activity_at: `2026-01-0${touched}T00:00:00.000Z`,
  ...more,
});

describe("the list", () => {
  const list = [project("notes", "2"), project("Swan", "5", { state: "active" }), project("swamp", "3")];
  it("has the last used first", () =>
    expect(sortAndFilter(list, "", "").map((p) => p.name)).toEqual(["Swan", "swamp", "notes"]));
  it("finds a part of a name without regard to case", () =>
    expect(sortAndFilter(list, " SWA", "").map((p) => p.name)).toEqual(["Swan", "swamp"]));
  it("shows one state alone", () =>
    expect(sortAndFilter(list, "", "active").map((p) => p.name)).toEqual(["Swan"]));
});

describe("what a delete takes", () => {
  it("is named, and nothing that is not there", () => {
    const none = { sessions: 0, messages: 0, log_lines: 0, file_bytes: 0, running: false };
    expect(lossWords({ ...none, sessions: 3, log_lines: 2140, file_bytes: 12_582_912 })).toBe(
      "This goes with it: 3 sessions, 2,140 log lines, files of 12 MB.",
    );
    expect(lossWords(none)).toBe("It holds nothing yet.");
  });
});
