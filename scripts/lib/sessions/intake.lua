-- Events of a session, as they come from its sandbox, into the store and to those who watch.
--
-- Per batch: each event is checked, redacted and folded into its message and into the session; then messages, then the
-- session (with the number of the last event) are written, then all is published. A batch that comes again after a kill
-- leaves the same. What of it is believed: lib/sessions/claims.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local json = require "gander.json"
local claims = require "lib.sessions.claims"
local clean = require "lib.sessions.clean"
local fold = require "lib.sessions.fold"
local held = require "lib.sessions.held"
local known = require "lib.redact.known"
local messages = require "lib.sessions.messages"
local projects = require "lib.projects"
local sessions = require "lib.sessions"
local snapshot = require "lib.sessions.snapshot"

local M = {}

-- An error of the agent has no message of its own: it becomes a notice, so that the history shows it.
local function note_error(batch, event)
  local id = messages.derived_id(batch.session._id .. ":" .. event.seq)
  local text = clean.text(event.data.message, 2000) or "The agent failed."
  local part = { type = "notice", kind = "error", text = text }
  local told =
    { type = "message", seq = event.seq, data = { message = { id = id, role = "notice", parts = { part } } } }
  local message = claims.message_of(batch, id, told)
  if message then fold.message(message, told) end
end

local function fold_message(batch, event)
  local id = fold.message_id(event, batch.session.current)
  local message = id and claims.message_of(batch, id, event)
  if not message then
    return event.type ~= "message" and event.type ~= "message_delta" and event.type ~= "thought_delta"
  end
  held.take(message, event, batch.redactor)
  if message.role == "user" then
    message.event_seq = math.max(message.event_seq, event.seq) -- its text is the host's own
  else
    fold.message(message, event)
  end
  if event.type == "message" then event.data.message = messages.view(message) end
  return true
end

-- The sandbox no longer holds what comes next: its state takes the events' place.
-- Readers are told to read it anew, and that the run they wait for is over if it is.
local function take_snapshot(batch)
  local state = snapshot.read(batch.project, batch.session, batch.redactor)
  if not state then return end
  for _, item in ipairs(state.messages) do
    local event = { type = "message", seq = state.seq, data = { message = item } }
    if fold.message_id(event) and item.role ~= "user" then fold_message(batch, event) end
  end
  local id, ended = batch.session._id, state.ended
  batch.state = state
  batch.session.event_seq = state.seq
  local seq = ended and state.seq - 1 or state.seq
  batch.out[#batch.out + 1] = { type = "reset", seq = seq, data = { session_id = id } }
  if ended then
    ended.session_id = id
    batch.out[#batch.out + 1] = { type = "run_finished", seq = state.seq, data = ended }
  end
end

local function take(batch, event)
  if event.type == "reset" then
    return take_snapshot(batch)
  elseif event.seq <= batch.session.event_seq then
    return nil
  end
  if event.type ~= "message_delta" and event.type ~= "thought_delta" then
    event.data = batch.redactor:value(event.data)
  end
  if event.type == "permission_resolved" then claims.attribute(batch, event) end
  local shown = fold_message(batch, event)
  if event.type == "error" then note_error(batch, event) end
  fold.session(batch.session, event)
  batch.folded[#batch.folded + 1] = event
  if shown then batch.out[#batch.out + 1] = event end
  return nil
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
    local before = {
      status = copy.status,
      title = copy.title,
      message_count = copy.message_count,
      pending_permissions = copy.pending_permissions,
    }
    if batch.state then snapshot.apply(copy, batch.state) end
    for _, event in ipairs(batch.folded) do
      fold.session(copy, event)
    end
    copy.pending_permissions = json.array(copy.pending_permissions)
    copy.message_count = count or copy.message_count
    copy.last_message = last and fold.snippet(last) or copy.last_message
    tell = sessions.tell(before, copy)
  end)
  if not after and message then error("the session cannot be written: " .. message) end
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
  if not project then return false end
  local batch = {
    session = session,
    project = project,
    redactor = known.of(project),
    messages = {},
    order = {},
    folded = {},
    out = {},
  }
  for _, item in ipairs(items) do
    local event = claims.decode(item)
    if event then take(batch, event) end
  end
  if #batch.out == 0 and #batch.folded == 0 then return true end
  local after, tell = write_session(batch, write_messages(batch))
  if not after then return false end
  publish(batch)
  if tell then sessions.publish(after) end
  projects.touch(project._id, "agent")
  return true
end

return M
