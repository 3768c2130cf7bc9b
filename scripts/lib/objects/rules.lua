-- The shapes of answers about scripts and what they decide. Pure.
-- SPDX-License-Identifier: Apache-2.0
local make = require "lib.objects.make"

local S, I, N, B, T, O = make.S, make.I, make.N, make.B, make.T, make.O
local list, enum, object, ref = make.list, make.enum, make.object, make.ref

local VERDICT = object("verdict reason policy file line", {
  verdict = S,
  reason = S,
  policy = S,
  file = S,
  line = I,
  at = T,
  ms = N,
  ["until"] = T,
  failed = B,
})

return {
  Decision = object("id at decision policy file line generation verdict reason facts", {
    id = S,
    at = T,
    decision = S,
    policy = S,
    file = S,
    line = I,
    generation = I,
    project_id = S,
    verdict = S,
    reason = S,
    facts = O,
    would_differ = B,
  }),
  Script = object(
    "path kind size etag modified_at",
    { path = S, kind = S, doc = S, size = I, etag = S, modified_at = T }
  ),
  ScriptList = object("generation loaded_at error items diagnostics writable", {
    generation = I,
    loaded_at = T,
    error = make.nullable(ref "Diagnostic"),
    items = list(ref "Script"),
    diagnostics = list(ref "Diagnostic"),
    writable = enum("rules", "all"),
  }),
  ScriptVersion = object("generation at etag", { generation = I, at = T, etag = make.nullable(S) }),
  Published = object("generation live diagnostics etags", {
    generation = I,
    live = B,
    diagnostics = list(ref "Diagnostic"),
    etags = { type = "object", additionalProperties = S },
  }),
  Checked = object("ok diagnostics", { ok = B, diagnostics = list(ref "Diagnostic") }),
  Reference = object("modules facts verdicts", {
    modules = list(object("name doc functions", {
      name = S,
      doc = S,
      functions = list(object("name signature doc", { name = S, signature = S, doc = S })),
    })),
    facts = list(object("name type doc policies", { name = S, type = S, doc = S, policies = list(S) })),
    verdicts = list(object("name signature doc policies", { name = S, signature = S, doc = S, policies = list(S) })),
  }),
  DryRun = object(
    "project_id before after differs",
    { project_id = S, before = VERDICT, after = VERDICT, differs = B }
  ),
  Diagnostic = object("file line message", { file = S, line = I, severity = S, message = S }),
}
