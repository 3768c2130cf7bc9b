-- The whole state of a session as its sandbox has it, for when the events in between are no longer held there.
-- SPDX-License-Identifier: Apache-2.0
local clean = require "lib.sessions.clean"
local goose = require "lib.goose"

local M = {}

local function list(value)
  return type(value) == "table" and value or {}
end

-- A state too big to be read whole is read without its messages. -> state | nil: the sandbox does not know the session
local function fetch(project, id)
  local state, message, code = goose.session(project, id)
  if not state and code == "invalid" then
    state, message, code = goose.ensure_session(project, { id = id })
  end
  if state or code == "not_found" then return state end
  error("the session's state cannot be read: " .. tostring(message) .. " (" .. tostring(code) .. ")")
end

-- How a run ended of which the sandbox only says that it is over.
local function ending(state)
  local last = state.messages[#state.messages]
  if state.status == "interrupted" or type(last) ~= "table" then return "cancelled" end
  local ends = { complete = "completed", partial = "cancelled", failed = "failed" }
  return ends[last.status] or "completed"
end

-- -> {seq, status, run?, questions, messages, ended?}, redacted | nil
function M.read(project, session, redactor)
  local answer = fetch(project, session._id)
  if not answer then return nil end
  answer = redactor:value(answer)
  local state = {
    seq = math.max(math.tointeger(answer.seq) or 0, session.event_seq),
    status = answer.status,
    run = type(answer.run) == "table" and answer.run or nil,
    questions = list(answer.pending_permissions),
    messages = list(answer.messages),
  }
  local run = session.run
  if run and not session.outbox and not state.run then
    state.ended = { run_id = run.run_id, message_id = run.message_id, status = ending(state) }
  end
  return state
end

local STATUS = { idle = true, running = true, waiting_permission = true, interrupted = true }

-- Put it into a session's document.
function M.apply(doc, state)
  doc.event_seq = math.max(doc.event_seq, state.seq)
  if doc.outbox and not state.run then return end -- its run is still to come
  doc.status = STATUS[state.status] and state.status or "idle"
  local ended = state.ended
  if ended then
    doc.last_run = {
      run_id = ended.run_id,
      message_id = ended.message_id,
      status = ended.status,
      event_seq = state.seq,
      first_seq = doc.run and doc.run.first_seq,
    }
    doc.current = nil
  end
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
