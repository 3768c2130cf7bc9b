-- The shapes of a project and of what is said about it. Pure.
-- SPDX-License-Identifier: Apache-2.0
local project_schema = require "lib.project_schema"
local schema = require "lib.schema"
local make = require "lib.objects.make"

local S, I, N, B, T = make.S, make.I, make.N, make.B, make.T
local list, enum, object, ref = make.list, make.enum, make.object, make.ref

local STATE = enum("inactive", "creating", "active", "stopping", "error")
local DESIRED = enum("active", "inactive", "deleted")

-- What changes by itself: of a Project and of its Status.
local function seen(more)
  local fields = {
    id = S,
    state = STATE,
    phase = S,
    phase_since = T,
    progress = ref "Progress",
    desired = DESIRED,
    reason = ref "Reason",
    last_error = ref "LastError",
    retry = object("count", { count = I, max = I, next_at = T }),
    queue = object("position since expires_at", { position = I, since = T, expires_at = T }),
    sandbox = ref "Sandbox",
    health = ref "Health",
    next = object("act at", { act = enum("stop", "start", "delete"), at = T, policy = S, text = S }),
  }
  for name, shape in pairs(more or {}) do
    fields[name] = shape
  end
  return fields
end

return {
  Project = object(
    "id user_id name provider settings state desired applies revision created_at updated_at",
    seen {
      user_id = S,
      name = S,
      description = S,
      source = schema.describe(project_schema.create.fields.source),
      provider = S,
      settings = schema.describe(project_schema.create.fields.settings),
      applies = list(S),
      revision = I,
      created_at = T,
      updated_at = T,
      active_at = T,
      stopped_at = T,
      last_activity_at = T,
    }
  ),
  Status = object("id state desired", seen()),
  Progress = object("step of text steps", {
    step = I,
    of = I,
    text = S,
    steps = list(object("name started_at", { name = S, started_at = T, ended_at = T, error = S })),
  }),
  Reason = object("text policy file line generation at decision_id", {
    text = S,
    policy = S,
    file = S,
    line = I,
    generation = I,
    at = T,
    decision_id = S,
  }),
  LastError = object("code message step at retryable", { code = S, message = S, step = S, at = T, retryable = B }),
  Sandbox = object("id provider", {
    id = S,
    provider = S,
    instance_id = S,
    isolation = ref "Isolation",
    limits = object("", { cpus = N, memory_mb = I, processes = I }),
    created_at = T,
    expires_at = T,
    endpoint = S,
    usage = object("at", { cpu_pct = N, memory_mb = N, disk_mb = N, at = T }),
  }),
  Isolation = object("tier statement", { tier = S, statement = S, details = S, reasons = list(S) }),
  Health = object("ok", {
    ok = B,
    at = T,
    latency_ms = I,
    failures = I,
    server_id = S,
    engine = S,
    engine_version = S,
    model = ref "Model",
    can_chat = B,
    reason = S,
  }),
  Contents = object("sessions messages log_lines file_bytes running", {
    sessions = I,
    messages = I,
    log_lines = I,
    file_bytes = I,
    running = B,
  }),
  Log = object("seq at source stream text", {
    seq = I,
    at = T,
    source = enum("system", "setup", "goose-api", "command", "lifecycle"),
    stream = enum("stdout", "stderr"),
    level = S,
    text = S,
    cut = B,
  }),
  Activity = object("id at kind project_id", {
    id = S,
    at = T,
    kind = enum("decision", "state"),
    project_id = S,
    from = STATE,
    to = STATE,
    phase = S,
    request_id = S,
    by = S,
    decision = ref "Decision",
  }),
}
