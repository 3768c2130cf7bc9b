// What an agent's Markdown may cost. A parser's work grows with nesting and with open marks, in places by their
// square: what nobody would read is taken as plain text before it is parsed.
// SPDX-License-Identifier: Apache-2.0

const MOST_CHARS = 100_000;
const MOST_MARKS = 8_000;
const DEEPEST = 24;
const WIDEST = 4 * DEEPEST;

/** The text to parse, or nothing where it is to be shown as it is. */
export function tame(text: string): string | undefined {
  if (text.length > MOST_CHARS || countMarks(text) > MOST_MARKS) return undefined;
  return text.replace(/^[ \t]*(?:(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))[ \t]*)+/gm, nested);
}

/** Quotes and lists that begin a line: no more of them than the deepest, and not further in. */
function nested(lead: string): string {
  let flat = lead.replace(/^[ \t]+/, (space) => space.slice(0, WIDEST));
  let seen = 0;
  for (const m of flat.matchAll(/>|[-*+]|\d+[.)]/g)) {
    if (++seen <= DEEPEST) continue;
    flat = `${flat.slice(0, m.index)}\\${flat.slice(m.index)}`;
    break;
  }
  return flat;
}

function countMarks(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) if ("*_[]!`~<".includes(text[i] ?? "")) n++;
  return n;
}
