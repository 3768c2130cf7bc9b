-- The whole state of a session as its sandbox has it, for when the events in between are no longer held there.
-- SPDX-License-Identifier: Apache-2.0
local clean = require "lib.sessions.clean"
local goose = require "lib.goose"

local M = {}

-- -> {seq, status, run, questions, messages}, redacted
function M.read(project, session, redactor)
  local state, message, code = goose.session(project, session._id)
  if not state then
    error("the session's state cannot be read: " .. tostring(message) .. " (" .. tostring(code) .. ")")
  end
  state = redactor:value(state)
  local function list(value)
    return type(value) == "table" and value or {}
  end
  return {
    seq = math.max(math.tointeger(state.seq) or 0, session.event_seq),
    status = state.status,
    run = type(state.run) == "table" and state.run or nil,
    questions = list(state.pending_permissions),
    messages = list(state.messages),
  }
end

local STATUS = { idle = true, running = true, waiting_permission = true, interrupted = true }

-- Put it into a session's document.
function M.apply(doc, state)
  doc.status = STATUS[state.status] and state.status or "idle"
  doc.event_seq = math.max(doc.event_seq, state.seq)
  doc.pending_permissions = {}
  for _, data in ipairs(state.questions) do
    local question = type(data) == "table" and clean.question(data)
    if question then
      question.event_seq = state.seq
      table.insert(doc.pending_permissions, question)
    end
  end
  local run = state.run
  local first = doc.run and doc.run.first_seq
  doc.run = run
    and {
      run_id = clean.id(run.run_id),
      message_id = clean.id(run.message_id),
      started_at = clean.time(run.started_at),
      first_seq = first or state.seq,
    }
end

return M
