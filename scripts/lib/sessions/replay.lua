-- The past of a session as events, from the store: what a reader needs who has all up to a number.
--
-- Deltas are not kept; each message that went on after that number is told as it is now, whole or partial, and replaces
-- what the reader had of it. Numbers are those of the events folded into what is told, so the live ones go on behind.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local db = require "lib.store"
local messages = require "lib.sessions.messages"
local sessions = require "lib.sessions"

local M = {}

local PAGE = 100

local function add(list, session, event, seq, data)
  data.seq, data.session_id = seq, session._id
  list[#list + 1] = { event = event, id = seq, data = data }
end

local function of_state(list, session, after)
  local run, ended = session.run, session.last_run
  if run and run.run_id and run.first_seq and run.first_seq > after then
    add(
      list,
      session,
      "run_started",
      run.first_seq,
      { run_id = run.run_id, message_id = run.message_id, started_at = run.started_at }
    )
  end
  for i, question in ipairs(session.pending_permissions or {}) do
    if (question.event_seq or 0) > after then
      add(list, session, "permission_request", question.event_seq, sessions.view(session).pending_permissions[i])
    end
  end
  if ended and ended.event_seq > after then
    add(
      list,
      session,
      "run_finished",
      ended.event_seq,
      { run_id = ended.run_id, message_id = ended.message_id, status = ended.status }
    )
  end
end

-- -> {events, more} | nil when there is no such session
function M.events(session_id, after)
  local session = sessions.get(session_id)
  if not session then return nil end
  local list = {}
  of_state(list, session, after)
  local q = { session_id = session_id, event_seq = { ["$gt"] = after } }
  local found = assert(db.session_messages:find(q, { sort = { "seq" }, limit = PAGE }))
  for _, message in ipairs(found) do
    add(list, session, "message", message.event_seq, { message = messages.view(message) })
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  local more = #found == PAGE
  if more then -- events after the last message of this page come with the next one
    local last = found[#found].event_seq
    while list[#list].id > last do
      list[#list] = nil
    end
  end
  return { events = json.array(list), more = more }
end

return M
