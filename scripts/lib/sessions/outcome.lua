-- How the run of a user's message stands, as POST …/messages answers it.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local db = require "lib.store"
local messages = require "lib.sessions.messages"
local sessions = require "lib.sessions"

local M = {}

-- The last message of the agent that answers the user's message with this number.
function M.answer_to(session_id, seq)
  local q = { session_id = session_id, seq = { ["$gt"] = seq } }
  local last
  for _, message in ipairs(assert(db.session_messages:find(q, { sort = { "seq" }, limit = 100 }))) do
    if message.role == "user" then
      break
    elseif message.role == "assistant" then
      last = message
    end
  end
  return last
end

-- {session_id, message_id, run_id, status, message?, permission?, error?}
function M.of(session, message_id)
  local out = { session_id = session._id, message_id = message_id }
  local run = session.run
  if run and run.message_id == message_id then
    out.run_id, out.status = run.run_id, session.status == "waiting_permission" and "waiting_permission" or "running"
    local questions = sessions.view(session).pending_permissions
    out.permission = out.status == "waiting_permission" and questions[1] or nil
    return out
  end
  local ended = session.last_run
  if ended and ended.message_id == message_id then
    out.run_id, out.status, out.error = ended.run_id, ended.status, ended.error
  else
    out.status = "completed" -- an earlier run: only its messages are kept
  end
  local asked = messages.get(message_id)
  local answer = asked and M.answer_to(session._id, asked.seq)
  out.message = answer and messages.view(answer)
  return json.object(out)
end

return M
