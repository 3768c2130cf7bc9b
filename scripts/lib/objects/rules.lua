-- The shapes of answers about scripts and what they decide.
-- SPDX-License-Identifier: Apache-2.0
local make = require "lib.objects.make"

local S, I, B, T, O = make.text, make.integer, make.boolean, make.time, make.any_object
local list, object, texts = make.list, make.object, make.texts

local VERDICT = object({ "verdict", "reason", "policy", "file", "line" }, {
  verdict = S,
  reason = S,
  policy = S,
  file = S,
  line = I,
  at = T,
  ms = I,
  ["until"] = T,
  failed = B,
})

return {
  Decision = object({ "id", "at", "policy", "verdict", "reason" }, {
    id = S,
    at = T,
    policy = S,
    file = S,
    line = I,
    generation = I,
    project_id = S,
    verdict = S,
    reason = S,
    facts = O,
  }),
  Script = object(
    { "path", "kind", "size", "etag" },
    { path = S, kind = S, doc = S, size = I, etag = S, modified_at = T }
  ),
  Reference = object({ "modules", "facts", "verdicts" }, {
    modules = list(texts({ "name", "doc" }, { functions = list(texts { "name", "signature", "doc" }) })),
    facts = list(texts({ "name", "type", "doc" }, { policies = list(S) })),
    verdicts = list(texts({ "name", "signature", "doc" }, { policies = list(S) })),
  }),
  Diagnostic = object({ "file", "line", "message" }, { file = S, line = I, severity = S, message = S }),
  DryRun = object(
    { "project_id", "before", "after", "differs" },
    { project_id = S, before = VERDICT, after = VERDICT, differs = B }
  ),
}
