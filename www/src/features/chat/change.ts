// A file that a tool writes or edits, as lines of a diff: from the tool's own input, so it is there before it runs.
// SPDX-License-Identifier: Apache-2.0
import { diffLines } from "diff";
import type { Permission, ToolPart } from "@/api/schema";
import { record, toolName } from "./words";

export interface Line {
  sign: "+" | "-" | " ";
  text: string;
}
export interface Change {
  path: string;
  lines: Line[];
  added: number;
  removed: number;
}

const MAX_CHARS = 200_000;
const DIFF_MS = 200;
const OLD = ["before", "old_str", "old_text", "old_string", "oldText"];
const NEW = ["after", "new_str", "new_text", "new_string", "newText"];

const given = (input: Record<string, unknown>, names: string[]): string | undefined => {
  const name = names.find((n) => typeof input[n] === "string");
  return name === undefined ? undefined : (input[name] as string);
};

/** The change a tool call makes to a file, or nothing where its input does not say one. */
export function changeOf(t: Pick<ToolPart | Permission, "name" | "input">): Change | undefined {
  const input = record(t.input);
  const path = given(input, ["path", "file_path", "file"]);
  if (path === undefined) return undefined;
  const before = given(input, OLD);
  const after = given(input, NEW) ?? (toolName(t.name) === "write" ? given(input, ["content"]) : undefined);
  if (after === undefined || after.length + (before?.length ?? 0) > MAX_CHARS) return undefined;
  const lines = linesOf(before ?? "", after);
  if (!lines) return undefined;
  const count = (sign: string) => lines.filter((l) => l.sign === sign).length;
  return { path, lines, added: count("+"), removed: count("-") };
}

function linesOf(before: string, after: string): Line[] | undefined {
  const pieces = diffLines(before, after, { timeout: DIFF_MS });
  return pieces?.flatMap(({ value, added, removed }) =>
    value
      .replace(/\n$/, "")
      .split("\n")
      .map((text): Line => ({ sign: added ? "+" : removed ? "-" : " ", text })),
  );
}
