-- objects: the shapes that answers carry, for OpenAPI. One table a type; the words are those of the API page.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local make = require "lib.objects.make"
local rules = require "lib.objects.rules"

local M = {}

local S, I, B, T, O = make.text, make.integer, make.boolean, make.time, make.any_object
local list, enum, object = make.list, make.enum, make.object

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
}

for name, shape in pairs(rules) do
  SHAPES[name] = shape
end

function M.known(name)
  return SHAPES[name] ~= nil
end

function M.all()
  return SHAPES
end

return M
