-- What a sandbox sends is not trusted: each field taken from it is checked and cut to a bound here.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"

local M = {}

M.TEXT = 1024 * 1024 -- text of one part
M.OUTPUT = 256 * 1024 -- output of one tool call
M.INPUT = 512 * 1024 -- its input, as JSON
M.PARTS = 2000 -- parts of one message

local STATUS = { complete = true, partial = true, failed = true }
local TOOL_STATUS = { pending = true, in_progress = true, completed = true, failed = true }
local NOTICES = { memory_restored = true, memory_lost = true, interrupted = true, error = true }

-- The first `max` bytes, not ending within a UTF-8 sequence.
function M.cut(text, max)
  if #text <= max then return text end
  while max > 0 and (text:byte(max + 1) & 0xC0) == 0x80 do
    max = max - 1
  end
  return text:sub(1, max)
end

function M.text(value, max)
  return type(value) == "string" and M.cut(value, max) or nil
end

function M.id(value)
  return type(value) == "string" and #value <= 64 and value:match("^[%w_.:%-]+$") or nil
end

function M.time(value)
  if type(value) ~= "string" then return nil end
  return (date(value))
end

function M.model(value)
  if type(value) ~= "table" or type(value.name) ~= "string" then return nil end
  return { name = M.cut(value.name, 200), demo = value.demo == true }
end

function M.status(value)
  return STATUS[value] and value or "complete"
end

function M.tool_status(value)
  return TOOL_STATUS[value] and value or nil
end

-- The input of a tool is foreign JSON: kept as text.
function M.input(value)
  local text = json.encode(type(value) == "table" and value or json.object {})
  if not text or #text > M.INPUT then return '{"note":"the input was too long to be kept"}' end
  return text
end

local function permission(value)
  if type(value) ~= "table" then return nil end
  return {
    decision = M.text(value.decision, 40) or "unknown",
    by = M.text(value.by, 80) or "unknown",
    at = M.time(value.at),
  }
end

local parts = {}

function parts.text(p)
  return { type = "text", text = M.text(p.text, M.TEXT) or "" }
end

function parts.thought(p)
  return { type = "thought", text = M.text(p.text, M.TEXT) or "" }
end

function parts.notice(p)
  return NOTICES[p.kind] and { type = "notice", kind = p.kind, text = M.text(p.text, 2000) or "" } or nil
end

function parts.tool(p)
  local name = M.text(p.name, 200) or "tool"
  return {
    type = "tool",
    tool_call_id = M.id(p.tool_call_id) or "",
    name = name,
    title = M.text(p.title, 400) or name,
    input = M.input(p.input),
    output = M.text(p.output, M.OUTPUT),
    status = M.tool_status(p.status) or "pending",
    started_at = M.time(p.started_at),
    ended_at = M.time(p.ended_at),
    truncated = p.truncated == true or nil,
    permission = permission(p.permission),
  }
end

-- One part in the form it is stored in, or nil.
function M.part(p)
  local make = type(p) == "table" and parts[p.type]
  return make and make(p) or nil
end

function M.parts(list)
  local out = {}
  for i, p in ipairs(type(list) == "table" and list or {}) do
    if i > M.PARTS then break end
    out[#out + 1] = M.part(p)
  end
  return out
end

-- An open permission question in the form it is stored in, or nil.
function M.question(data)
  local id = M.id(data.permission_id)
  if not id then return nil end
  local options = {}
  for i, option in ipairs(type(data.options) == "table" and data.options or {}) do
    if i <= 8 and type(option) == "string" then options[#options + 1] = M.cut(option, 40) end
  end
  return {
    permission_id = id,
    tool_call_id = M.id(data.tool_call_id),
    name = M.text(data.name, 200) or "tool",
    title = M.text(data.title, 400) or "",
    input = M.input(data.input),
    cwd = M.text(data.cwd, 1000),
    options = options,
    expires_at = M.time(data.expires_at),
  }
end

return M
