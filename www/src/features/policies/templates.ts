// What a new rule begins with: it loads, has no opinion until somebody writes one, and says where to write it.
// SPDX-License-Identifier: Apache-2.0

interface Start {
  hint: string;
  /** A line of the body that could be meant. */
  example: string;
}

export const START: Record<string, Start> = {
  "policies/admission": {
    hint: "Asked before a sandbox is made: allow, deny or queue.",
    example: 'if facts.counts.user >= 3 then return queue "three are enough" end',
  },
  "policies/retry": {
    hint: "Asked when an activation failed: retry or give_up.",
    example: 'if facts.attempt.n > 1 then return give_up "one retry is enough" end',
  },
  "policies/health": {
    hint: "Asked after a health check failed: keep, restart, replace, stop or warn.",
    example: 'if facts.health.failures >= 5 then return stop "five checks failed" end',
  },
  "policies/idle": {
    hint: "Asked while nobody uses a project: keep, stop or warn.",
    example: 'if facts.idle_ms > 3600000 then return stop "idle for an hour" end',
  },
  "policies/lifetime": {
    hint: "Asked while a sandbox lives: keep, stop, warn or extend.",
    example: 'if facts.now > facts.sandbox.created_at + 86400000 then return stop "a day old" end',
  },
};

export function startText(folder: string): string {
  return `return {
  doc = "Has no opinion yet.",
  on = "${folder.split("/").at(-1)}",
  order = 100,

  decide = function(facts)
    -- ${START[folder]?.example ?? ""}
  end,

  tests = {
    { name = "it has no opinion", facts = {} },
  },
}
`;
}

/** Why a name is none for a file, or nothing. */
export function nameFault(name: string): string | undefined {
  const bare = name.trim().replace(/\.lua$/, "");
  if (!bare) return "A script needs a name.";
  if (!/^[a-z][a-z0-9_]*$/.test(bare))
    return "A name begins with a letter and has small letters, digits and underscores only.";
  return undefined;
}
