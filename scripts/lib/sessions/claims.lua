-- What a sandbox claims in its events, and what of it is believed.
--
-- The sandbox is not trusted: messages of other sessions, user messages that nobody wrote and answers to permission
-- questions that nobody gave are not taken for what they claim to be.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local log = require "gander.log"
local clean = require "lib.sessions.clean"
local events = require "lib.events"
local held = require "lib.sessions.held"
local messages = require "lib.sessions.messages"
local sessions = require "lib.sessions"

local M = {}

local SEQ_MAX = 1 << 52
local TYPE_MAX = 60

-- An event of the contract from an item of an event stream, or nil when it is none.
function M.decode(item)
  local data = item.data
  if type(data) == "string" then data = json.decode(data) end
  if
    type(data) ~= "table"
    or type(item.event) ~= "string"
    or not item.event:find "^[%w_]+$"
    or #item.event > TYPE_MAX
  then
    return nil
  end
  local seq = math.tointeger(data.seq) or math.tointeger(tonumber(item.id))
  if not seq or seq < 0 or seq > SEQ_MAX then return nil end
  return { type = item.event, seq = seq, data = json.object(data) }
end

-- The stored message of this id, or a new one; nil when an event may not touch it.
function M.message_of(batch, id, event)
  local message = batch.messages[id]
  if message == nil then
    message = messages.get(id) or false
    if message and message.session_id ~= batch.session._id then
      log("warn", "a sandbox named a message of another session", { session = batch.session._id, message = id })
      return nil
    end
    if message then
      held.open(message)
      batch.order[#batch.order + 1] = message
    end
    batch.messages[id] = message
  end
  if message then return message end
  local role = event.type == "message" and event.data.message.role or "assistant"
  if role ~= "assistant" and role ~= "notice" then
    log("warn", "a sandbox told of a message that nobody wrote", { session = batch.session._id, message = id })
    return nil
  end
  local seq = sessions.next_seq(batch.session._id)
  message = messages.new(batch.session, { id = id, seq = seq, role = role, status = "partial" })
  message.fresh = true
  batch.messages[id] = message
  batch.order[#batch.order + 1] = message
  return message
end

-- Who answered a permission question: the host knows whom it sent. An answer "by a user" that the host did not send
-- came from inside the sandbox.
function M.attribute(batch, event)
  local data = event.data
  if data.by ~= "user" then return end
  for _, question in ipairs(batch.session.pending_permissions or {}) do
    if
      question.permission_id == data.permission_id
      and question.answer
      and question.answer.decision == data.decision
    then
      data.who = question.answer.by
      return
    end
  end
  data.by = "sandbox"
  events.alert {
    kind = "permission",
    project_id = batch.session.project_id,
    session_id = batch.session._id,
    text = "A permission question was answered from inside the sandbox: " .. tostring(clean.text(data.decision, 40)),
  }
end

return M
