// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { changeOf } from "./change";

const signs = (t: Parameters<typeof changeOf>[0]) => changeOf(t)?.lines.map((l) => l.sign + l.text);

test("an edit shows what goes and what comes, and the lines that stay", () => {
  const input = { path: "a.ts", before: "one\ntwo\nthree\n", after: "one\n2\nthree\n" };
  expect(signs({ name: "developer__edit", input })).toEqual([" one", "-two", "+2", " three"]);
  expect(changeOf({ name: "edit", input })).toMatchObject({ path: "a.ts", added: 1, removed: 1 });
});

test("a written file is all new; its input may be JSON in a string", () => {
  const input = JSON.stringify({ path: "hello.txt", content: "hi\nthere" });
  expect(signs({ name: "write", input })).toEqual(["+hi", "+there"]);
});

test("a tool that changes no file has no diff", () => {
  expect(changeOf({ name: "shell", input: { command: "ls" } })).toBeUndefined();
  expect(changeOf({ name: "tree", input: { path: "." } })).toBeUndefined();
  expect(changeOf({ name: "write", input: null })).toBeUndefined();
});

test("a change too large to compare on the screen is left to the raw input", () => {
  const big = "x\n".repeat(150_000);
  expect(changeOf({ name: "write", input: { path: "a", content: big } })).toBeUndefined();
});
