-- objects: the shapes that answers carry, for OpenAPI. One table a type; the words are those of the API page.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local M = {}

local S = { type = "string" }
local I = { type = "integer" }
local B = { type = "boolean" }
local T = { type = "string", format = "date-time" }
local O = { type = "object", additionalProperties = true }

local function list(item)
  return { type = "array", items = item }
end

local function enum(...)
  return { type = "string", enum = json.array { ... } }
end

local function object(required, properties)
  return { type = "object", required = json.array(required), properties = properties }
end

-- Text fields of these names, and more fields; all required.
local function texts(names, more)
  local required, properties = {}, {}
  for i, name in ipairs(names) do
    required[i], properties[name] = name, S
  end
  for name, shape in pairs(more or {}) do
    required[#required + 1], properties[name] = name, shape
  end
  return object(required, properties)
end

local SHAPES = {
  Error = object({ "error" }, {
    error = object({ "code", "message" }, {
      code = enum("invalid", "denied", "not_found", "conflict", "busy", "timeout", "unavailable", "internal"),
      message = S,
      request_id = S,
      details = list(O),
    }),
  }),
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
}

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
SHAPES.DryRun = object(
  { "project_id", "before", "after", "differs" },
  { project_id = S, before = VERDICT, after = VERDICT, differs = B }
)

function M.known(name)
  return SHAPES[name] ~= nil
end

function M.all()
  return SHAPES
end

return M
