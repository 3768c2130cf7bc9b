-- What an agent is given back of a conversation when its sandbox was replaced.
--
-- The newest messages that fit into a number of bytes, oldest first. Thoughts and notices are left out, a tool call
-- stays with its result (one that never ended gets a failed one), a message that was cut off says so. Pure.
-- SPDX-License-Identifier: Apache-2.0
local clean = require "lib.sessions.clean"
local json = require "gander.json"

local M = {}

M.MAX_BYTES = 200 * 1000
M.MAX_MESSAGES = 500
local INTERRUPTED = "[interrupted]"
local LEFT_OUT = "\n[the rest was left out]"

local function shorten(text, max)
  return #text <= max and text or clean.cut(text, max) .. LEFT_OUT
end

local function tool(part, room)
  local input = json.decode(part.input or "{}")
  if #(part.input or "") > room then input = { note = "the input was left out" } end
  local ended = part.status == "completed" or part.status == "failed"
  return {
    type = "tool",
    tool_call_id = part.tool_call_id,
    name = part.name,
    title = part.title,
    input = json.object(type(input) == "table" and input or {}),
    output = ended and shorten(part.output or "", room) or INTERRUPTED,
    status = ended and part.status or "failed",
  },
    math.min(#(part.input or ""), room) + math.min(#(part.output or ""), room) + 200
end

-- One message as the Goose API takes it, and its size; nil when nothing of it is worth giving.
local function convert(message, room)
  local parts, size = {}, 100
  for _, part in ipairs(message.parts) do
    if part.type == "text" and part.text ~= "" then
      parts[#parts + 1] = { type = "text", text = shorten(part.text, room) }
      size = size + math.min(#part.text, room) + 40
    elseif part.type == "tool" then
      local made, bytes = tool(part, room)
      parts[#parts + 1] = made
      size = size + bytes
    end
  end
  if message.status ~= "complete" and message.role == "assistant" then
    parts[#parts + 1] = { type = "text", text = INTERRUPTED }
  end
  if #parts == 0 then return nil end
  return {
    id = message._id,
    role = message.role,
    parts = json.array(parts),
    status = message.status,
    created_at = tostring(message.created_at),
  },
    size
end

-- messages: stored messages, newest first. Returns the history, oldest first, and whether something was left out.
function M.build(messages, max_bytes)
  local left = max_bytes or M.MAX_BYTES
  local taken, cut = {}, false
  for _, message in ipairs(messages) do
    if message.role ~= "notice" then
      -- one message may take at most half of what there is, so that the newest never stands alone
      local made, size = convert(message, left // 4)
      if made and (size > left or #taken >= M.MAX_MESSAGES) then
        cut = true
        break
      elseif made then
        left = left - size
        taken[#taken + 1] = made
      end
    end
  end
  while #taken > 0 and taken[#taken].role ~= "user" do
    taken[#taken] = nil -- an answer without its question confuses more than it tells
    cut = true
  end
  local out = {}
  for i = #taken, 1, -1 do
    out[#out + 1] = taken[i]
  end
  return json.array(out), cut
end

return M
