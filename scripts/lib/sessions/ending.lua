-- Runs that the host ends, because their sandbox cannot: it is gone, or it did not take the message.
--
-- The events of such an end are the host's own: they take the next numbers of the session, which a sandbox that comes
-- later continues (first_seq). What had come of the answer stays as a partial message.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local json = require "gander.json"
local held = require "lib.sessions.held"
local known = require "lib.redact.known"
local messages = require "lib.sessions.messages"
local projects = require "lib.projects"
local sessions = require "lib.sessions"

local M = {}

M.GONE = "The sandbox ended while this answer was being written."

-- Text that was held back as a possible secret is no secret if nothing follows.
local function settle_partial(session)
  local project = projects.get(session.project_id)
  for _, message in ipairs(messages.newest(session._id, nil, 5)) do
    if message.held and project then
      held.open(message)
      held.flush(message, known.of(project))
      held.close(message)
      messages.save(message)
    end
  end
end

-- how: {status = of the session afterwards, run_status = "failed" | "cancelled", kind, text, error?}
-- -> the session, or nil when nothing went on in it
function M.finish(session_id, how)
  local session = sessions.get(session_id)
  if not session or not (session.run or session.outbox or sessions.RUNNING[session.status]) then return nil end
  settle_partial(session)
  local run = session.run or {}
  local notice_seq = session.event_seq + 1
  local about = tostring(run.message_id or session.event_seq)
  local notice = messages.new(session, {
    id = messages.derived_id(session_id .. ":" .. how.kind .. ":" .. about),
    seq = sessions.next_seq(session_id),
    role = "notice",
    event_seq = notice_seq,
    parts = { { type = "notice", kind = how.kind, text = how.text } },
  })
  assert(messages.insert(notice))
  notice = messages.get(notice._id) or notice
  local count = messages.count(session_id)
  local told = {}
  local after = sessions.change(session_id, function(copy)
    if not (copy.run or copy.outbox or sessions.RUNNING[copy.status]) then return false end
    local seq = math.max(copy.event_seq, notice_seq - 1)
    told = { { "message", { message = messages.view(notice) } } }
    if how.error then told[#told + 1] = { "error", how.error } end
    told[#told + 1] = { "run_finished", { status = how.run_status, message_id = run.message_id } }
    for i, entry in ipairs(told) do
      entry.seq = seq + i
    end
    copy.event_seq = seq + #told
    copy.last_run = {
      run_id = run.run_id,
      message_id = run.message_id,
      status = how.run_status,
      first_seq = run.first_seq,
      event_seq = copy.event_seq,
      error = how.error,
    }
    copy.run, copy.outbox, copy.current, copy.error = nil, nil, nil, nil
    copy.sandbox_id = nil -- a sandbox that lives must be told that the numbers went on
    copy.pending_permissions = json.array {}
    copy.status = how.status
    copy.message_count = count
  end)
  if not after then return nil end
  for _, entry in ipairs(told) do
    local data = entry[2]
    data.seq, data.session_id, data.run_id = entry.seq, session_id, run.run_id
    bus.publish(sessions.topic(session_id), entry[1], data, entry.seq)
  end
  sessions.publish(after)
  return after
end

function M.interrupt(session_id, text)
  return M.finish(session_id, { status = "interrupted", run_status = "cancelled", kind = "interrupted", text = text })
end

-- Cancelled before the agent had it.
function M.withdraw(session_id)
  local text = "Cancelled before the agent took the message."
  return M.finish(session_id, { status = "idle", run_status = "cancelled", kind = "interrupted", text = text })
end

-- The agent did not take the message.
function M.fail(session_id, code, message)
  local text = "The message did not reach the agent: " .. message
  return M.finish(session_id, {
    status = "idle",
    run_status = "failed",
    kind = "error",
    text = text,
    error = { code = code, message = text, retryable = true },
  })
end

return M
