-- The shapes of sessions, messages, and what the agent asks. Pure.
-- SPDX-License-Identifier: Apache-2.0
local make = require "lib.objects.make"

local S, I, B, T, O = make.S, make.I, make.B, make.T, make.O
local list, enum, object, ref = make.list, make.enum, make.object, make.ref

local function part(kind, required, fields)
  fields.type = enum(kind)
  return object("type " .. required, fields)
end

return {
  Model = object("name demo", { name = S, demo = B }),
  Session = object(
    "id project_id title status mode run pending_permissions message_count memory created_at updated_at",
    {
      id = S,
      project_id = S,
      title = S,
      status = enum("idle", "running", "waiting_permission", "interrupted"),
      mode = enum("approve", "smart_approve", "auto", "chat"),
      engine = S,
      model = ref "Model",
      run = make.nullable(object("message_id started_at", { run_id = S, message_id = S, started_at = T })),
      pending_permissions = list(ref "Permission"),
      message_count = I,
      last_message = S,
      memory = enum("live", "restored", "lost"),
      created_at = T,
      updated_at = T,
    }
  ),
  Permission = object("permission_id name title options", {
    permission_id = S,
    tool_call_id = S,
    name = S,
    title = S,
    input = O, -- not in events
    cwd = S,
    options = list(S),
    expires_at = T,
  }),
  Message = object("id session_id seq event_seq role parts status created_at", {
    id = S,
    session_id = S,
    seq = I,
    event_seq = I,
    role = enum("user", "assistant", "notice"),
    parts = list(ref "Part"),
    status = enum("complete", "partial", "failed"),
    model = ref "Model",
    created_at = T,
  }),
  Part = make.one_of(
    part("text", "text", { text = S }),
    part("thought", "text", { text = S }),
    part("notice", "kind text", { kind = enum("memory_restored", "memory_lost", "interrupted", "error"), text = S }),
    part("tool", "tool_call_id name title input status", {
      tool_call_id = S,
      name = S,
      title = S,
      input = O,
      output = S,
      status = enum("pending", "in_progress", "completed", "failed"),
      started_at = T,
      ended_at = T,
      truncated = B,
      permission = object("decision by", { decision = S, by = S, who = S, at = T }),
    })
  ),
  MessageAnswer = object("session_id message_id status", {
    session_id = S,
    message_id = S,
    run_id = S,
    message = ref "Message",
    permission = ref "Permission",
    error = object("code message retryable", { code = S, message = S, retryable = B }),
    status = enum("completed", "failed", "cancelled", "waiting_permission", "running"),
  }),
  PermissionAnswer = object("permission_id decision by", { permission_id = S, decision = S, by = S }),
  Cancelled = object("cancelled", { cancelled = B }),
}
