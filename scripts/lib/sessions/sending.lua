-- A user's message: taken on (one at a time for a session) and stored.
--
-- Taking it on is one write of the session: its run and its outbox, which holds the message until the agent has it. So
-- a kill right after loses nothing: the message's own document is made from the outbox, here or by jobs/message. What
-- the agent shall get lies sealed there; what is kept and shown has known secrets replaced, should the user have typed one.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"
local json = require "gander.json"
local fold = require "lib.sessions.fold"
local known = require "lib.redact.known"
local messages = require "lib.sessions.messages"
local queue = require "lib.queue"
local sessions = require "lib.sessions"

local M = {}

-- Store the message of the outbox, if there is one and it is not stored yet. -> false when its id is another message's
function M.store(session)
  local out = session.outbox
  if not out then return true end
  assert(messages.insert(messages.new(session, {
    id = out.message_id,
    seq = out.seq,
    role = "user",
    parts = json.array { { type = "text", text = out.shown } },
    at = out.at,
    event_seq = out.event_seq,
  })))
  local kept = messages.get(out.message_id)
  return kept ~= nil and kept.session_id == session._id
end

local function give_back(session_id, message_id)
  sessions.change(session_id, function(copy)
    if not (copy.outbox and copy.outbox.message_id == message_id) then return false end
    copy.run, copy.outbox, copy.status = nil, nil, "idle"
    copy.message_count = copy.message_count - 1
  end)
end

-- What the agent shall get. -> text | nil, message, code
function M.content(outbox)
  return sys.unseal(outbox.content)
end

-- Take a message on and queue its job. -> the session | nil, "running" | nil, message, code | nil: it is gone
function M.take(project, session, message_id, content)
  local seq = sessions.next_seq(session._id)
  local count = messages.count(session._id)
  local now = date(sys.now())
  local shown, sealed = known.of(project):text(content), sys.seal(content)
  local after, why, code = sessions.change(session._id, function(copy)
    if copy.run or copy.outbox or sessions.RUNNING[copy.status] then return false, "running" end
    copy.status = "running"
    copy.run = { message_id = message_id, started_at = now, first_seq = copy.event_seq + 1 }
    copy.outbox =
      { message_id = message_id, seq = seq, content = sealed, shown = shown, at = now, event_seq = copy.event_seq }
    copy.message_count = count + 1
    copy.last_message = fold.snippet { parts = { { type = "text", text = shown } } } or copy.last_message
    copy.told_at = now
  end)
  if not after then return nil, why, code end
  if not M.store(after) then
    give_back(session._id, message_id)
    return nil, "This message_id belongs to another message", "conflict"
  end
  queue.push("message", {}, { key = session._id })
  sessions.publish(after)
  return after
end

return M
