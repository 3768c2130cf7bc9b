-- objects: the shapes that answers carry, for OpenAPI. One a type; the words are those of the API page.
--
-- Here are those of the host and its scripts; those of projects and of the chat are in lib/objects.
-- SPDX-License-Identifier: Apache-2.0
<<<<<<< HEAD
local json = require "gander.json"
local make = require "lib.objects.make"
local rules = require "lib.objects.rules"

local M = {}

local S, I, B, T, O = make.text, make.integer, make.boolean, make.time, make.any_object
local list, enum, object = make.list, make.enum, make.object

local SHAPES = {
  Error = object({ "error" }, {
    error = object({ "code", "message" }, {
=======
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
>>>>>>> audit
      code = enum("invalid", "denied", "not_found", "conflict", "busy", "timeout", "unavailable", "internal"),
      message = S,
      request_id = S,
      details = list(O),
    }),
  }),
<<<<<<< HEAD
  Version = object({ "version", "commit", "generation" }, { version = S, commit = S, generation = I }),
  Ready = object(
    { "ready", "checks" },
    { ready = B, checks = list(object({ "name", "ok" }, { name = S, ok = B, message = S })) }
  ),
  User = object({ "id", "name" }, { id = S, name = S, projects = object({}, { total = I, active = I }) }),
  Project = object({ "id", "user_id", "name", "state", "desired", "revision", "created_at" }, {
    id = S,
    user_id = S,
    name = S,
    description = S,
    source = O,
    provider = S,
    settings = O,
    state = enum("inactive", "creating", "active", "stopping", "error"),
    phase = S,
    phase_since = T,
    progress = O,
    desired = enum("active", "inactive", "deleted"),
    reason = O,
    last_error = O,
    retry = O,
    queue = O,
    sandbox = O,
    health = O,
    next = O,
    applies = list(S),
    revision = I,
    created_at = T,
    updated_at = T,
    active_at = T,
    stopped_at = T,
    last_activity_at = T,
  }),
  Status = object({ "state", "desired" }, {
    state = S,
    phase = S,
    desired = S,
    reason = O,
    last_error = O,
    retry = O,
    queue = O,
    health = O,
    sandbox = O,
    phase_since = T,
    progress = O,
    next = O,
  }),
  Contents = object({ "sessions", "messages", "log_lines", "file_bytes", "running" }, {
    sessions = I,
    messages = I,
    log_lines = I,
    file_bytes = I,
    running = B,
  }),
  Log = object({ "seq", "at", "source", "text" }, {
    seq = I,
    at = T,
    source = enum("system", "setup", "goose-api", "command", "lifecycle"),
    stream = S,
    level = S,
    text = S,
    cut = B,
  }),
  Session = object({ "id", "project_id", "status" }, {
    id = S,
    project_id = S,
    title = S,
    status = enum("idle", "running", "waiting_permission", "interrupted"),
    mode = S,
    engine = S,
    model = O,
    run = { type = json.array { "object", "null" } },
    pending_permissions = list(O),
    message_count = I,
    last_message = S,
    memory = enum("live", "restored", "lost"),
    created_at = T,
    updated_at = T,
  }),
  Message = object({ "id", "session_id", "seq", "role", "parts", "status" }, {
    id = S,
    session_id = S,
    seq = I,
    event_seq = I,
    role = enum("user", "assistant", "notice"),
    parts = list(O),
    status = enum("complete", "partial", "failed"),
    model = O,
    created_at = T,
  }),
  MessageAnswer = object({ "session_id", "message_id", "status" }, {
    session_id = S,
    message_id = S,
    run_id = S,
    message = O,
    permission = O,
    error = O,
    status = enum("completed", "failed", "cancelled", "waiting_permission", "running"),
  }),
  PermissionAnswer = object({ "permission_id", "decision" }, { permission_id = S, decision = S, by = S }),
  Cancelled = object({ "cancelled" }, { cancelled = B }),
  Activity = object({ "id", "at", "kind" }, {
    id = S,
    at = T,
    kind = enum("decision", "state"),
    from = S,
    to = S,
    phase = S,
    request_id = S,
    by = S,
    decision = O,
  }),
}

for name, shape in pairs(rules) do
  SHAPES[name] = shape
=======
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
>>>>>>> audit
end

function M.known(name)
  return SHAPES[name] ~= nil
end

function M.all()
  return SHAPES
end

return M
