// The stand-in's policies tree: texts, generations, and a check that finds the one fault it knows (`syntax error`).
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

const policy = (doc, on, body) => `-- ${doc}
-- SPDX-License-Identifier: Apache-2.0

return {
  doc = "${doc}",
  on = "${on}",
  order = 50,

  decide = function(facts)
${body}
  end,
}
`;

const TEXTS = {
  "policies/admission/cap.lua": policy(
    "No more active projects than the machine has places for.",
    "admission",
    `    local max = facts.settings.max_active
    if facts.counts.total >= max then
      return queue(("all %d places are taken"):format(max))
    end
    return allow(("%d of %d places are taken"):format(facts.counts.total, max))`,
  ),
  "policies/idle/after_minutes.lua": policy(
    "Stop a project that nobody has used for a while.",
    "idle",
    `    local minutes = facts.settings.idle_minutes
    if minutes == 0 then return keep "idle_minutes is 0: it never stops by itself" end
    if facts.idle_ms >= minutes * 60000 then
      return stop(("idle for %d minutes"):format(minutes))
    end
    return keep("in use", facts.now + minutes * 60000 - facts.idle_ms)`,
  ),
  "policies/retry/backoff.lua": policy(
    "Try a failed activation again, later each time.",
    "retry",
    `    if facts.attempt.n > 3 then return give_up "3 tries failed the same way" end
    return retry(2 ^ facts.attempt.n * 1000, "trying again")`,
  ),
  "policies/health/three_strikes.lua": policy(
    "Restart the agent after three missed answers.",
    "health",
    `    if facts.health.failures >= 3 then return restart "three missed answers in a row" end
    return keep "it answers"`,
  ),
  "cleanup/logs.lua": `return {
  doc = "Remove log days older than two weeks.",
  of = "log_day",
  every_s = 3600,
  decide = function(item, facts)
    if item.age_ms > 14 * 86400000 then return remove "older than two weeks" end
    return keep "recent"
  end,
}
`,
  "routes/projects.lua": `-- Projects: list, create, change, delete.
local app = require "lib.app"
return {
  ["GET /api/users/:user/projects"] = app.route{ doc = "list" },
}
`,
};

export const etag = (text) => `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;

export function createScripts(world) {
  const texts = new Map(Object.entries(TEXTS));
  const history = new Map();
  for (const [path, text] of texts)
    history.set(path, [{ generation: 41, at: new Date().toISOString(), who: "disk", text }]);
  const scripts = { generation: 41, loadedAt: new Date().toISOString(), error: null, texts, history };
  scripts.list = () => ({
    generation: scripts.generation,
    loaded_at: scripts.loadedAt,
    error: scripts.error,
    items: [...texts]
      .map(([path, text]) => ({
        path,
        kind: path.split("/")[0],
        doc: text.match(/doc = "(.*)"/)?.[1],
        size: text.length,
        etag: etag(text),
      }))
      .sort((a, b) => a.path.localeCompare(b.path)),
  });
  scripts.check = (files) => {
    const diagnostics = [];
    for (const [file, text] of Object.entries(files)) {
      const opens = (text.match(/\b(function|then|do)\b/g) ?? []).length;
      const ends = (text.match(/\bend\b/g) ?? []).length;
      const line = text.split("\n").findIndex((l) => /syntax error|=\s*$|return\s+return/.test(l));
      if (line >= 0)
        diagnostics.push({ file, line: line + 1, severity: "error", message: "unexpected symbol" });
      else if (opens !== ends)
        diagnostics.push({
          file,
          line: text.trimEnd().split("\n").length,
          severity: "error",
          message: "'end' expected near <eof>",
        });
    }
    return { ok: diagnostics.length === 0, diagnostics };
  };
  scripts.publish = (path, text, who) => {
    if (text === null) texts.delete(path);
    else texts.set(path, text);
    scripts.generation++;
    scripts.loadedAt = new Date().toISOString();
    const versions = history.get(path) ?? [];
    if (text !== null) versions.unshift({ generation: scripts.generation, at: scripts.loadedAt, who, text });
    history.set(path, versions);
    world.bus.publish(["all"], "script", { generation: scripts.generation, error: scripts.error });
  };
  return scripts;
}
