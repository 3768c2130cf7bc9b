// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { asText, toolWords } from "./words";

describe("a tool call in words", () => {
  it.each([
    [{ name: "shell", input: { command: "npm test\nls" }, status: "completed" }, "ran npm test"],
    [{ name: "developer__shell", input: { command: "ls" } }, "run ls"],
    [{ name: "write", input: { path: "src/a.ts" }, status: "completed" }, "wrote src/a.ts"],
    [{ name: "write", input: '{"path":"b"}' }, "write b"],
    [{ name: "other", title: "Look around" }, "Look around"],
    [{}, "a tool"],
  ])("%j is %s", (call, words) => expect(toolWords(call)).toBe(words));
});

describe("what a tool was given and said", () => {
  it("is shown as it is", () => {
    expect(asText("plain")).toBe("plain");
    expect(asText({ a: 1 })).toBe('{\n  "a": 1\n}');
    expect(
      asText([
        { type: "text", text: "one" },
        { type: "content", content: { text: "two" } },
      ]),
    ).toBe("one\ntwo");
    expect(asText(undefined)).toBe("");
  });
});
