// The sentence under the editor that is always true.
// SPDX-License-Identifier: Apache-2.0
import type { ScriptList } from "@/api/schema";

interface Props {
  dirty: boolean;
  checking: boolean;
  faults: number;
  list?: ScriptList;
  writable: boolean;
}

export function statusWords({ dirty, checking, faults, list, writable }: Props): {
  text: string;
  tone: string;
} {
  const generation = list ? `Generation ${list.generation}` : "The last good generation";
  if (!writable && !list?.error)
    return {
      text: `${generation} is live. This file runs with the host's rights: it is changed on disk.`,
      tone: "text-muted",
    };
  if (dirty) {
    if (checking) return { text: "Not saved. Checking…", tone: "text-muted" };
    if (faults)
      return {
        text: `Not saved: ${faults === 1 ? "a fault" : `${faults} faults`}. ${generation} stays in force.`,
        tone: "text-red",
      };
    return { text: "Not saved.", tone: "text-amber" };
  }
  if (list?.error) {
    const where = list.error.file
      ? `${list.error.file}${list.error.line ? `:${list.error.line}` : ""}: `
      : "";
    return { text: `${where}${list.error.message} ${generation} stays in force.`, tone: "text-red" };
  }
  return { text: `${generation} is live.`, tone: "text-green" };
}

export function StatusLine(props: Props) {
  const { text, tone } = statusWords(props);
  return (
    <p role="status" className={`tnum min-w-0 break-words text-sm ${tone}`}>
      {text}
    </p>
  );
}
