-- Project documents: find, change by compare-and-set, count activity.
--
-- `state`, `phase` and what goes with them are written by lib/lifecycle alone; everything else goes through `change`.
-- A deleted project whose clean-up is still going on (`gone`) is not found by `load`.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

local TRIES = 8 -- lost races in a row before a writer gives up
local TOUCH_MS = 5000 -- activity is noted at most this often

M.KINDS = { chat = true, exec = true, preview = true, agent = true }

function M.get(id)
  return db.projects:find_one { _id = id }
end

-- The project under its user; nil when there is none that this user may see. Raises when the store fails, so that
-- this never looks like a project that is not there.
function M.load(user_id, id)
  local doc, message = db.projects:find_one { _id = id, user_id = user_id, gone = { ["$exists"] = false } }
  if message then error("the project cannot be read: " .. message) end
  return doc
end

-- One compare-and-set write of a document that was read: the new document, nil when the race was lost.
function M.swap(doc, set, unset)
  local change = { ["$inc"] = { _rev = 1 } }
  if set and next(set) ~= nil then change["$set"] = set end
  if unset and next(unset) ~= nil then change["$unset"] = unset end
  return db.projects:find_and_update({ _id = doc._id, _rev = doc._rev }, change)
end

-- Change a project: `decide(doc)` gives the fields to set and those to unset, or nil and an error triple to leave it.
-- It is asked again with the newer document when another writer came first.
-- -> the new document | nil, message, code
function M.change(id, decide)
  for _ = 1, TRIES do
    local doc, message, code = M.get(id)
    if not doc then return nil, message or "the project does not exist", code or "not_found" end
    local set, unset, refusal = decide(doc)
    if not set then return nil, unset, refusal end
    local after, fault, kind = M.swap(doc, set, unset)
    if after or fault then return after, fault, kind end
  end
  return nil, "the project is being changed by others; try again", "busy"
end

-- Somebody or something used the project: chat, exec, preview, agent. What happens next changes with it: an active
-- project is looked at again by the tick.
function M.touch(id, kind)
  assert(M.KINDS[kind], "activity is chat, exec, preview or agent")
  local now = sys.now()
  local quiet = {
    ["$or"] = {
      { ["activity." .. kind] = { ["$exists"] = false } },
      { ["activity." .. kind] = { ["$lt"] = date(now - TOUCH_MS) } },
    },
  }
  quiet._id = id
  local seen = { last_activity_at = date(now), ["activity." .. kind] = date(now) }
  local n, message, code = db.projects:update(quiet, { ["$set"] = seen, ["$inc"] = { _rev = 1 } })
  if n and n > 0 then
    db.projects:update(
      { _id = id, state = "active" },
      { ["$set"] = { next = { at = date(now) } }, ["$inc"] = { _rev = 1 } }
    )
  end
  return n, message, code
end

return M
