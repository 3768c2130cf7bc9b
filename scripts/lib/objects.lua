-- objects: the shapes that answers carry, for OpenAPI. One a type; the words are those of the API page.
--
-- Here are those of the host and its scripts; those of projects and of the chat are in lib/objects.
-- SPDX-License-Identifier: Apache-2.0
local shapes = require "lib.objects.shapes"

local M = {}

local S, I, N, B, T, O = shapes.S, shapes.I, shapes.N, shapes.B, shapes.T, shapes.O
local list, enum, object, ref = shapes.list, shapes.enum, shapes.object, shapes.ref

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

local SHAPES = {
  Error = object("error", {
    error = object("code message request_id", {
      code = enum("invalid", "denied", "not_found", "conflict", "busy", "timeout", "unavailable", "internal"),
      message = S,
      request_id = S,
      details = list(O),
    }),
  }),
  Version = object("version commit generation", { version = S, commit = S, generation = I }),
  Ready = object("ready checks", { ready = B, checks = list(object("name ok", { name = S, ok = B, message = S })) }),
  User = object("id name projects", { id = S, name = S, projects = object("total active", { total = I, active = I }) }),
  System = object("version commit generation node started_at store providers goose users limits warnings", {
    version = S,
    commit = S,
    generation = I,
    node = S,
    started_at = T,
    store = object("kind ok", { kind = S, ok = B }),
    providers = list(ref "Provider"),
    goose = object("engine model", { engine = S, version = S, model = ref "Model" }),
    users = list(object("id name", { id = S, name = S })),
    limits = O,
    warnings = list(S),
  }),
  Provider = object("name kind default", {
    name = S,
    kind = S,
    default = B,
    capabilities = O,
    isolation = ref "Isolation",
    plan = S,
    caps = O,
  }),
  Script = object(
    "path kind size etag modified_at",
    { path = S, kind = S, doc = S, size = I, etag = S, modified_at = T }
  ),
  ScriptList = object("generation loaded_at error items diagnostics writable", {
    generation = I,
    loaded_at = T,
    error = shapes.nullable(ref "Diagnostic"),
    items = list(ref "Script"),
    diagnostics = list(ref "Diagnostic"),
    writable = enum("rules", "all"),
  }),
  ScriptVersion = object("generation at etag", { generation = I, at = T, etag = shapes.nullable(S) }),
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
  OpenAPI = O,
}

for _, part in ipairs { "project", "chat" } do
  for name, shape in pairs(require("lib.objects." .. part)) do
    SHAPES[name] = shape
  end
end

function M.known(name)
  return SHAPES[name] ~= nil
end

function M.all()
  return SHAPES
end

return M
