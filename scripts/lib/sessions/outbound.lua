-- A session towards its sandbox: made there (with its history when the sandbox is a new one), followed, spoken to.
--
-- Called by jobs alone, one at a time for a session, so nothing is restored twice. Each step may be repeated.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local log = require "gander.log"
local clean = require "lib.sessions.clean"
local following = require "lib.sessions.following"
local goose = require "lib.goose"
local history = require "lib.sessions.history"
local messages = require "lib.sessions.messages"
local sending = require "lib.sessions.sending"
local sessions = require "lib.sessions"

local M = {}

local LOST = "The agent was started anew and could not be given this conversation again; it does not remember it."

-- The history cannot be given back: say so in the conversation, at its place.
local function lose(session)
  local seq = session.event_seq + 1
  local notice = messages.new(session, {
    id = messages.derived_id(session._id .. ":lost:" .. seq),
    seq = sessions.next_seq(session._id),
    role = "notice",
    event_seq = seq,
    parts = { { type = "notice", kind = "memory_lost", text = LOST } },
  })
  assert(messages.insert(notice))
  local after = sessions.change(session._id, function(copy)
    copy.event_seq = math.max(copy.event_seq, seq)
    copy.memory = "lost"
    copy.message_count = messages.count(session._id)
  end)
  bus.publish(
    sessions.topic(session._id),
    "message",
    { seq = seq, session_id = session._id, message = messages.view(notice) },
    seq
  )
  return after or session
end

-- Make sure that the project's present sandbox knows the session, with what it can remember.
-- -> the session | nil, message, code
function M.ensure(project, session)
  if session.sandbox_id == project.sandbox.id then return session end
  local body = { id = session._id, mode = session.mode, first_seq = session.event_seq + 1 }
  if session.title ~= "" then body.title = session.title end
  local outbox = session.outbox
  local given = history.build(messages.newest(session._id, outbox and outbox.seq, history.MAX_MESSAGES))
  if #given > 0 then body.history = given end
  local view, status, code = goose.ensure_session(project, body)
  if not view and code == "invalid" and body.history then
    log("warn", "a history was refused by the Goose API", { session = session._id, error = status })
    session = lose(session)
    body.history, body.first_seq = nil, session.event_seq + 1
    view, status, code = goose.ensure_session(project, body)
  end
  if not view then return nil, status, code end
  local memory = status == 201 and #given > 0 and (body.history and view.memory or "lost") or session.memory
  return sessions.change(session._id, function(copy)
    copy.sandbox_id = project.sandbox.id
    copy.engine = clean.text(view.engine, 60) or copy.engine
    copy.model = clean.model(view.model) or copy.model
    copy.memory = (memory == "restored" or memory == "lost") and memory or "live"
    copy.unsynced = view.mode ~= copy.mode or nil
  end)
end

-- Bring title and mode of the store to the sandbox. Mode comes before the next message: `auto` must have been chosen.
local function sync(project, session)
  if not session.unsynced then return session end
  local change = { mode = session.mode }
  if session.title ~= "" then change.title = session.title end
  local done, message, code = goose.patch(project, session._id, change)
  if not done then return nil, message, code end
  return sessions.change(session._id, function(copy)
    if copy.mode == session.mode and copy.title == session.title then copy.unsynced = nil end
  end)
end

local function forget_sandbox(session)
  return sessions.change(session._id, function(copy)
    copy.sandbox_id = nil
  end)
end

-- The message of the outbox, which leaves it once the agent has it.
local function post(project, session)
  local out = session.outbox
  if not out then return true end
  local content, message, code = sending.content(out)
  local done
  if content then
    done, message, code = goose.post_message(project, {
      session_id = session._id,
      message_id = out.message_id,
      content = content,
    })
  end
  if not done then return nil, message, code end
  local _, gone = sessions.change(session._id, function(copy)
    if not (copy.outbox and copy.outbox.message_id == out.message_id) then return false, "withdrawn" end
    copy.outbox = nil
  end)
  if gone == "withdrawn" then
    goose.cancel(project, session._id) -- while it was on its way
  end
  return true
end

-- All that the sandbox should know and does not: the session itself, its mode and title, the message in its outbox.
-- -> true | nil, message, code
function M.deliver(project, session)
  for attempt = 1, 2 do
    local message, code
    session, message, code = M.ensure(project, session)
    if session then
      local done
      if session.outbox or sessions.RUNNING[session.status] then
        done, message, code = following.start(project, session)
      else
        done = true
      end
      if done then
        done, message, code = sync(project, session)
      end
      if done then
        done, message, code = post(project, session)
      end
      if done then return true end
    end
    if not session or code ~= "not_found" or attempt == 2 then return nil, message, code end
    following.stop(session) -- the server lost the session: make it anew
    session = forget_sandbox(session) or session
  end
  return nil
end

return M
