// What the agent did, in words.
// SPDX-License-Identifier: Apache-2.0
import type { Permission, ToolPart } from "@/api/schema";
import { visible } from "@/lib/visible";

export const ANSWERS = [
  { id: "allow_once", label: "Allow once", key: "1" },
  { id: "allow_always", label: "Always allow", key: "2" },
  { id: "reject_once", label: "Reject", key: "3" },
  { id: "reject_always", label: "Always reject", key: "4" },
] as const;

export function answerWords(decision: string): string {
  const words: Record<string, string> = {
    allow_once: "allowed once",
    allow_always: "always allowed",
    reject_once: "rejected",
    reject_always: "always rejected",
    cancelled: "cancelled",
    timeout: "no answer in time",
  };
  return words[decision] ?? decision;
}

export const record = (v: unknown): Record<string, unknown> => {
  if (typeof v === "string") {
    try {
      return record(JSON.parse(v));
    } catch {
      return {};
    }
  }
  return v && typeof v === "object" ? (v as Record<string, unknown>) : {};
};

/** A tool's own name, without the extension that offers it. */
export const toolName = (name?: string): string => (name ?? "").split("__").at(-1)?.split("/").at(-1) ?? "";

/** "ran `npm test`", "wrote src/a.ts"; else the tool's own title. */
export function toolWords(
  t: Pick<ToolPart | Permission, "name" | "title" | "input"> & { status?: string },
): string {
  const input = record(t.input);
  const done = t.status === "completed";
  const name = toolName(t.name);
  const one = (v: unknown) => visible(String(v).split("\n")[0] ?? "");
  if (name === "shell" && input.command) return `${done ? "ran" : "run"} ${one(input.command)}`;
  if (name === "write" && input.path) return `${done ? "wrote" : "write"} ${one(input.path)}`;
  if (name === "edit" && input.path) return `${done ? "edited" : "edit"} ${one(input.path)}`;
  if (name === "tree") return `${done ? "listed" : "list"} ${one(input.path ?? "the files")}`;
  return one(t.title || t.name || "a tool");
}

export function asText(v: unknown): string {
  if (v === undefined || v === null) return "";
  if (typeof v === "string") return v;
  if (Array.isArray(v) && v.every((c) => c && typeof c === "object")) {
    const texts = v.map(
      (c) =>
        (c as { text?: string; content?: { text?: string } }).text ??
        (c as { content?: { text?: string } }).content?.text,
    );
    if (texts.every((t) => typeof t === "string")) return texts.join("\n");
  }
  return JSON.stringify(v, null, 2);
}
