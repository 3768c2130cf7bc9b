-- Stored messages of a session: find, write, show.
--
-- `parts` are stored as lib/sessions/clean makes them: the input of a tool is JSON text. What is held back of a text
-- (it may be the beginning of a secret) lies sealed in `held`.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

function M.get(id)
  return db.session_messages:find_one { _id = id }
end

-- A UUID that is the same each time for the same text: what is written twice is then written once.
function M.derived_id(text)
  local hex = sys.sha256(text)
  return string.format(
    "%s-%s-8%s-8%s-%s",
    hex:sub(1, 8),
    hex:sub(9, 12),
    hex:sub(14, 16),
    hex:sub(18, 20),
    hex:sub(21, 32)
  )
end

function M.new(session, fields)
  return {
    _id = fields.id,
    session_id = session._id,
    project_id = session.project_id,
    seq = fields.seq,
    event_seq = fields.event_seq or 0,
    role = fields.role,
    parts = fields.parts or json.array {},
    status = fields.status or "complete",
    model = session.model,
    created_at = fields.at or date(sys.now()),
  }
end

-- Insert a message; one that is there already stays. -> true | nil, message, code
function M.insert(message)
  local done, fault, code = db.session_messages:insert(message)
  if done or code == "conflict" then return true end
  return nil, fault, code
end

-- Write what folding changed.
function M.save(message)
  local set = {
    event_seq = message.event_seq,
    parts = json.array(message.parts),
    status = message.status,
    model = message.model,
    held = message.held,
    held_kind = message.held_kind,
  }
  local update = { ["$set"] = set }
  if not message.held then update["$unset"] = { held = true, held_kind = true } end
  return assert(db.session_messages:update({ _id = message._id, session_id = message.session_id }, update))
end

function M.count(session_id)
  return assert(db.session_messages:count { session_id = session_id })
end

-- Newest first, below a seq.
function M.newest(session_id, before, limit)
  local q = { session_id = session_id, seq = { ["$lt"] = before or math.maxinteger } }
  return assert(db.session_messages:find(q, { sort = { "-seq" }, limit = limit }))
end

local function show_part(part)
  if part.type ~= "tool" then return part end
  local out = {}
  for name, value in pairs(part) do
    out[name] = value
  end
  out.input = json.decode(part.input or "{}")
  return out
end

-- A Message of the API.
function M.view(message)
  local parts = json.array {}
  for i, part in ipairs(message.parts) do
    parts[i] = show_part(part)
  end
  return {
    id = message._id,
    session_id = message.session_id,
    seq = message.seq,
    event_seq = message.event_seq,
    role = message.role,
    parts = parts,
    status = message.status,
    model = message.model,
    created_at = message.created_at,
  }
end

return M
