-- From events to state: what one event of the Goose contract does to a stored message and to a session.
--
-- Pure: it changes the tables it is given and nothing else. An event is {type, seq, data}, redacted before it comes
-- here. Folding is idempotent by sequence number: what a document has already seen (its event_seq) does nothing, so a
-- batch that is delivered twice leaves what one delivery leaves.
-- SPDX-License-Identifier: Apache-2.0
local clean = require "lib.sessions.clean"
local state = require "lib.sessions.state"

local M = {}

local TEXT = { message_delta = "text", thought_delta = "thought" }
local OF_MESSAGE = {
  message = true,
  message_delta = true,
  thought_delta = true,
  tool_call = true,
  tool_update = true,
  permission_resolved = true,
}

-- The id of the message an event belongs to. `current` is the message being written: some events do not name theirs.
function M.message_id(event, current)
  if not OF_MESSAGE[event.type] then return nil end
  local data = event.data
  if event.type == "message" then return type(data.message) == "table" and clean.id(data.message.id) or nil end
  return clean.id(data.message_id) or current
end

local function tool_part(message, id)
  for i = #message.parts, 1, -1 do
    local part = message.parts[i]
    if part.type == "tool" and part.tool_call_id == id then return part end
  end
  return nil
end

local function append_text(message, kind, text)
  local last = message.parts[#message.parts]
  if last and last.type == kind then
    last.text = clean.cut(last.text .. text, clean.TEXT)
  elseif #message.parts < clean.PARTS then
    message.parts[#message.parts + 1] = { type = kind, text = clean.cut(text, clean.TEXT) }
  end
end

local function tool_update(message, data)
  local part = tool_part(message, clean.id(data.tool_call_id))
  if not part then return end
  part.status = clean.tool_status(data.status) or part.status
  part.output = clean.text(data.output, clean.OUTPUT) or part.output
  part.ended_at = clean.time(data.ended_at) or part.ended_at
  if data.truncated == true then part.truncated = true end
end

-- What the host knows of a decision (who asked for it) is better than what the sandbox says of it.
local function keep_permissions(old, new)
  local known = {}
  for _, part in ipairs(old) do
    if part.type == "tool" and part.permission then known[part.tool_call_id] = part.permission end
  end
  for _, part in ipairs(new) do
    if part.type == "tool" and known[part.tool_call_id] then part.permission = known[part.tool_call_id] end
  end
end

-- Fold one event into a message ({parts, status, event_seq, ...}); true when it changed.
function M.message(message, event)
  if event.seq <= (message.event_seq or 0) then return false end
  local data = event.data
  if TEXT[event.type] then
    append_text(message, TEXT[event.type], clean.text(data.text, clean.TEXT) or "")
  elseif event.type == "tool_call" then
    if #message.parts < clean.PARTS and not tool_part(message, clean.id(data.tool_call_id)) then
      local part = { type = "tool" }
      for k, v in pairs(data) do
        if k ~= "type" then part[k] = v end
      end
      message.parts[#message.parts + 1] = clean.part(part)
    end
  elseif event.type == "tool_update" then
    tool_update(message, data)
  elseif event.type == "permission_resolved" then
    local part = tool_part(message, clean.id(data.tool_call_id))
    if part then
      part.permission = {
        decision = clean.text(data.decision, 40) or "unknown",
        by = clean.text(data.by, 80) or "unknown",
        who = clean.text(data.who, 80),
        at = clean.time(data.ts),
      }
    end
  elseif event.type == "message" then
    local parts = clean.parts(data.message.parts)
    keep_permissions(message.parts, parts)
    message.parts = parts
    message.status = clean.status(data.message.status)
    message.model = clean.model(data.message.model) or message.model
  else
    return false
  end
  message.event_seq = event.seq
  return true
end

-- The first line of the last text of a message, for lists; nil when it has none.
function M.snippet(message)
  for i = #message.parts, 1, -1 do
    local part = message.parts[i]
    if part.type == "text" or part.type == "notice" then
      local line = part.text:match("^%s*([^\r\n]*)")
      if line and line ~= "" then return #line > 200 and clean.cut(line, 197) .. "…" or line end
    end
  end
  return nil
end

-- The same for a session.
M.session = state.fold

return M
