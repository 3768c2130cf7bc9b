-- From events to a session's state: what goes on in it, which questions are open, how its last run ended.
--
-- Pure, and idempotent by sequence number, as lib/sessions/fold is.
-- SPDX-License-Identifier: Apache-2.0
local clean = require "lib.sessions.clean"

local M = {}

local DECIDED_KEPT = 20
local WRITES = { message_delta = true, thought_delta = true, tool_call = true }

local function drop_question(session, id)
  local kept = {}
  for _, question in ipairs(session.pending_permissions or {}) do
    if question.permission_id ~= id then kept[#kept + 1] = question end
  end
  session.pending_permissions = kept
  return kept
end

local acts = {}

function acts.run_started(session, event)
  local run = session.run
  local message_id = clean.id(event.data.message_id) or (run and run.message_id)
  session.run = {
    run_id = clean.id(event.data.run_id),
    message_id = message_id,
    started_at = clean.time(event.data.ts) or (run and run.started_at),
    first_seq = event.seq,
  }
  session.status = "running"
  session.pending_permissions = {}
  session.current = nil
  session.error = nil
end

function acts.message(session, event)
  local message = event.data.message
  if session.current == clean.id(message.id) then session.current = nil end
  local kind = message.role == "notice"
    and type(message.parts) == "table"
    and message.parts[1]
    and message.parts[1].kind
  if kind == "memory_restored" then
    session.memory = "restored"
  elseif kind == "memory_lost" then
    session.memory = "lost"
  end
end

function acts.permission_request(session, event)
  local question = clean.question(event.data)
  if not question then return end
  question.event_seq = event.seq
  local kept = drop_question(session, question.permission_id)
  if #kept < 64 then kept[#kept + 1] = question end
  session.status = "waiting_permission"
end

-- The last answers are kept for who asks after them.
local function note_decided(session, data)
  local list = session.decided or {}
  local first = math.max(1, #list - DECIDED_KEPT + 2)
  local kept = table.move(list, first, #list, 1, {})
  kept[#kept + 1] = {
    permission_id = clean.id(data.permission_id),
    decision = clean.text(data.decision, 40) or "unknown",
    by = clean.text(data.by, 80) or "unknown",
    who = clean.text(data.who, 80),
  }
  session.decided = kept
end

function acts.permission_resolved(session, event)
  note_decided(session, event.data)
  local kept = drop_question(session, clean.id(event.data.permission_id))
  if #kept == 0 and session.status == "waiting_permission" then session.status = "running" end
end

function acts.session_updated(session, event)
  local title = clean.text(event.data.title, 200)
  if title and title ~= "" then session.title = title end
end

function acts.error(session, event)
  session.error = {
    code = clean.text(event.data.code, 80) or "error",
    message = clean.text(event.data.message, 2000) or "",
    retryable = event.data.retryable == true,
  }
end

local ENDS = { completed = true, failed = true, cancelled = true }

function acts.run_finished(session, event)
  local run = session.run or {}
  session.last_run = {
    run_id = clean.id(event.data.run_id) or run.run_id,
    message_id = run.message_id,
    status = ENDS[event.data.status] and event.data.status or "failed",
    first_seq = run.first_seq,
    event_seq = event.seq,
    error = session.error,
  }
  session.run = nil
  session.error = nil
  session.current = nil
  session.pending_permissions = {}
  session.status = "idle"
end

-- Fold one event into a session; true when it had not been seen.
function M.fold(session, event)
  if event.seq <= (session.event_seq or 0) then return false end
  if WRITES[event.type] then
    session.current = clean.id(event.data.message_id) or session.current
  elseif acts[event.type] then
    acts[event.type](session, event)
  end
  session.event_seq = event.seq
  return true
end

return M
