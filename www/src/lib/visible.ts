// Characters that a reader would not see, or that turn the text around them, made visible: a command is approved by
// what it is, not by what it looks like.
// SPDX-License-Identifier: Apache-2.0

/** Controls and format characters: bidirectional overrides, zero widths, tags. */
const HIDDEN = /[\p{Cc}\p{Cf}]/gu;
/** Layout, terminal codes (read elsewhere), and the joiners that scripts and emoji need. */
const KEPT = new Set(["\t", "\n", "\r", "\u001b", "\u200c", "\u200d"]);

const named = (c: string) => `‹U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}›`;

/** With each hidden character written as ‹U+202E›. */
export const visible = (text: string): string => text.replace(HIDDEN, (c) => (KEPT.has(c) ? c : named(c)));

/** The same for a program's output: its control characters, of which binary rubbish is full, become a dot. */
export const printable = (text: string): string =>
  text.replace(/\r+\n/g, "\n").replace(HIDDEN, (c) => (KEPT.has(c) ? c : c < "\u00a0" ? "·" : named(c)));
