// The two-minute tour of the demo project: what to say, and what will happen then.
// SPDX-License-Identifier: Apache-2.0

export interface Suggestion {
  say: string;
  /** What the reader will see, in one sentence. */
  so: string;
}

export const TOUR: Suggestion[] = [
  { say: "what can you do?", so: "Say hello first: the agent tells what it understands." },
  {
    say: "write hello.txt saying hi",
    so: "Now let it act. It asks before it writes: read the question, then press 1 to allow it once.",
  },
  {
    say: "run `uname -a`",
    so: "A command runs inside this project's own sandbox, not on your machine. Press 3 to refuse it, if you like.",
  },
  { say: "list the files", so: "What it wrote is there, and stays when the project is stopped." },
];

export const tourKey = (project: string) => `tour.${project}`;

/** Which step comes next: "0" begins, "" is no tour, the number after the last is its end. */
export function stepOf(stored: string): number | undefined {
  const n = Number(stored);
  return stored === "" || !Number.isInteger(n) || n < 0 ? undefined : Math.min(n, TOUR.length);
}
