-- Events of a session, as they come from its sandbox, into the store and to those who watch.
--
-- Per batch: each event is checked, redacted and folded into its message and into the session; then messages, then the
-- session (with the number of the last event) are written, then all is published. A batch that comes again after a kill
-- leaves the same. The sandbox is not trusted: messages of other sessions, user messages that nobody wrote and answers
-- to permission questions that nobody gave are not taken for what they claim to be.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local json = require "gander.json"
local log = require "gander.log"
local clean = require "lib.sessions.clean"
local events = require "lib.events"
local fold = require "lib.sessions.fold"
local goose = require "lib.goose"
local held = require "lib.sessions.held"
local known = require "lib.redact.known"
local messages = require "lib.sessions.messages"
local projects = require "lib.projects"
local sessions = require "lib.sessions"

local M = {}

local SEQ_MAX = 1 << 52
local TYPE_MAX = 60

-- An event of the contract from an item of an event stream, or nil when it is none.
local function decode(item)
  local data = item.data
  if type(data) == "string" then
    data = json.decode(data)
  end
  if type(data) ~= "table" or type(item.event) ~= "string" or not item.event:find "^[%w_]+$" or #item.event > TYPE_MAX then
    return nil
  end
  local seq = math.tointeger(data.seq) or math.tointeger(tonumber(item.id))
  if not seq or seq < 0 or seq > SEQ_MAX then
    return nil
  end
  return { type = item.event, seq = seq, data = json.object(data) }
end

-- The stored message of this id, or a new one; nil when an event may not touch it.
local function message_of(batch, id, event)
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
  if message then
    return message
  end
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
local function attribute(batch, event)
  local data = event.data
  if data.by ~= "user" then
    return
  end
  for _, question in ipairs(batch.session.pending_permissions or {}) do
    if question.permission_id == data.permission_id and question.answer and question.answer.decision == data.decision then
      data.who = question.answer.by
      return
    end
  end
  data.by = "sandbox"
  events.alert {
    kind = "permission", project_id = batch.session.project_id, session_id = batch.session._id,
    text = "A permission question was answered from inside the sandbox: " .. tostring(clean.text(data.decision, 40)),
  }
end

-- An error of the agent has no message of its own: it becomes a notice, so that the history shows it.
local function note_error(batch, event)
  local id = messages.derived_id(batch.session._id .. ":" .. event.seq)
  local text = clean.text(event.data.message, 2000) or "The agent failed."
  local part = { type = "notice", kind = "error", text = text }
  local told = { type = "message", seq = event.seq, data = { message = { id = id, role = "notice", parts = { part } } } }
  local message = message_of(batch, id, told)
  if message then
    fold.message(message, told)
  end
end

local function fold_message(batch, event)
  local id = fold.message_id(event, batch.session.current)
  local message = id and message_of(batch, id, event)
  if not message then
    return event.type ~= "message" and event.type ~= "message_delta" and event.type ~= "thought_delta"
  end
  held.take(message, event, batch.redactor)
  if message.role == "user" then
    message.event_seq = math.max(message.event_seq, event.seq) -- its text is the host's own
  else
    fold.message(message, event)
  end
  if event.type == "message" then
    event.data.message = messages.view(message)
  end
  return true
end

-- The sandbox no longer holds what comes next: take the whole state of the session instead.
local function snapshot(batch)
  local state, message, code = goose.session(batch.project, batch.session._id)
  if not state then
    error("the session's state cannot be read: " .. tostring(message) .. " (" .. tostring(code) .. ")")
  end
  local seq = math.tointeger(state.seq) or batch.session.event_seq + 1
  for _, item in ipairs(type(state.messages) == "table" and state.messages or {}) do
    local event = { type = "message", seq = seq, data = batch.redactor:value { message = item } }
    if fold.message_id(event) and item.role ~= "user" then
      fold_message(batch, event)
    end
  end
  batch.state = { seq = seq, status = state.status, run = state.run, questions = batch.redactor:value(state.pending_permissions) }
  batch.session.event_seq = seq
  batch.out[#batch.out + 1] = { type = "reset", seq = seq, data = { seq = seq, session_id = batch.session._id } }
end

local function take(batch, event)
  if event.type == "reset" then
    return snapshot(batch)
  elseif event.seq <= batch.session.event_seq then
    return nil
  end
  if event.type ~= "message_delta" and event.type ~= "thought_delta" then
    event.data = batch.redactor:value(event.data)
  end
  if event.type == "permission_resolved" then
    attribute(batch, event)
  end
  local shown = fold_message(batch, event)
  if event.type == "error" then
    note_error(batch, event)
  end
  fold.session(batch.session, event)
  batch.folded[#batch.folded + 1] = event
  if shown then
    batch.out[#batch.out + 1] = event
  end
  return nil
end

local STATUS = { idle = true, running = true, waiting_permission = true, interrupted = true }

local function apply_state(doc, state)
  doc.status = STATUS[state.status] and state.status or "idle"
  doc.event_seq = math.max(doc.event_seq, state.seq)
  doc.pending_permissions = {}
  for _, data in ipairs(type(state.questions) == "table" and state.questions or {}) do
    local question = type(data) == "table" and clean.question(data)
    if question then
      question.event_seq = state.seq
      table.insert(doc.pending_permissions, question)
    end
  end
  local run = type(state.run) == "table" and state.run or nil
  local first = doc.run and doc.run.first_seq
  doc.run = run and {
    run_id = clean.id(run.run_id), message_id = clean.id(run.message_id), started_at = clean.time(run.started_at),
    first_seq = first or state.seq,
  }
end

local function write_messages(batch)
  local fresh = false
  for _, message in ipairs(batch.order) do
    held.close(message)
    message.parts = json.array(message.parts)
    if message.fresh then
      fresh, message.fresh = true, nil
      assert(messages.insert(message))
    end
    messages.save(message)
  end
  return fresh
end

local function write_session(batch, fresh)
  local last = batch.order[#batch.order]
  local count = fresh and messages.count(batch.session._id)
  local tell
  local after, message = sessions.change(batch.session._id, function(copy)
    local before = { status = copy.status, title = copy.title, message_count = copy.message_count,
      pending_permissions = copy.pending_permissions }
    if batch.state then
      apply_state(copy, batch.state)
    end
    for _, event in ipairs(batch.folded) do
      fold.session(copy, event)
    end
    copy.pending_permissions = json.array(copy.pending_permissions)
    copy.message_count = count or copy.message_count
    copy.last_message = last and fold.snippet(last) or copy.last_message
    tell = sessions.tell(before, copy)
  end)
  if not after and message then
    error("the session cannot be written: " .. message)
  end
  return after, tell
end

local function publish(batch)
  local topic = sessions.topic(batch.session._id)
  for _, event in ipairs(batch.out) do
    event.data.seq = event.seq
    local id, _, code = bus.publish(topic, event.type, event.data, event.seq)
    if not id and code == "invalid" then
      bus.publish(topic, "reset", { seq = event.seq, session_id = batch.session._id }, event.seq)
    end
  end
end

-- items: {id, event, data} of an event stream. -> false when the session is no longer there
function M.batch(session_id, items)
  local session = sessions.get(session_id)
  local project = session and projects.get(session.project_id)
  if not project then
    return false
  end
  local batch = {
    session = session, project = project, redactor = known.of(project),
    messages = {}, order = {}, folded = {}, out = {},
  }
  for _, item in ipairs(items) do
    local event = decode(item)
    if event then
      take(batch, event)
    end
  end
  if #batch.out == 0 and #batch.folded == 0 then
    return true
  end
  local after, tell = write_session(batch, write_messages(batch))
  if not after then
    return false
  end
  publish(batch)
  if tell then
    sessions.publish(after)
  end
  projects.touch(project._id, "agent")
  return true
end


return M
