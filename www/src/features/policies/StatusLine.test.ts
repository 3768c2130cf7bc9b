// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { ScriptList } from "@/api/schema";
import { statusWords } from "./StatusLine";

const list: ScriptList = { generation: 42, error: null, items: [] };
const say = (more: object) =>
  statusWords({ dirty: false, checking: false, faults: 0, list, writable: true, ...more }).text;

describe("the line under the editor", () => {
  it("says which generation is live", () => expect(say({})).toBe("Generation 42 is live."));
  it("says what is not saved, and that the old rule stays", () => {
    expect(say({ dirty: true })).toBe("Not saved.");
    expect(say({ dirty: true, faults: 1 })).toBe("Not saved: a fault. Generation 42 stays in force.");
  });
  it("names the file and line that keep a newer generation out", () =>
    expect(
      say({
        list: { ...list, error: { file: "policies/idle/a.lua", line: 12, message: "'end' expected." } },
      }),
    ).toBe("policies/idle/a.lua:12: 'end' expected. Generation 42 stays in force."));
  it("says why a file cannot be changed here", () =>
    expect(say({ writable: false })).toContain("changed on disk"));
});
