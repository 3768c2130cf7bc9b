-- A project's activity: changes of state and decisions in one list, newest first.
--
-- The cursor is the place of the last item, its time and id, so a page neither skips nor repeats whatever is added.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local db = require "lib.store"
local view = require "lib.view"

local M = {}

-- "ms:id" -> Date, id | nil
local function place_of(cursor)
  local ms, id = cursor:match "^(%d+):([%w:-]+)$"
  ms = math.tointeger(tonumber(ms))
  if not ms or ms > 253402300799999 then return nil end
  return date(ms), id
end

local function newest(collection, project_id, limit, at, id)
  local q = { project_id = project_id }
  if at then q["$or"] = { { at = { ["$lt"] = at } }, { at = at, _id = { ["$lt"] = id } } } end
  return collection:find(q, { sort = { "-at", "-_id" }, limit = limit })
end

local function later(a, b)
  if a.at ~= b.at then return b.at < a.at end
  return b._id < a._id
end

-- The decisions that changes of state name, by id.
local function decisions_of(rows)
  local ids, by_id = {}, {}
  for _, row in ipairs(rows) do
    ids[#ids + 1] = row.decision_id
  end
  for _, decision in ipairs(#ids > 0 and db.decisions:find({ _id = { ["$in"] = ids } }, { limit = #ids }) or {}) do
    by_id[decision._id] = decision
  end
  return by_id
end

-- -> items, the next page's cursor or nil | nil, message, code
function M.page(project_id, limit, after)
  local at, id
  if after then
    at, id = place_of(after)
    if not at then return nil, "after= is no cursor of this list", "invalid" end
  end
  local rows, all = {}, {}
  for _, collection in ipairs { db.activity, db.decisions } do
    local found, message, code = newest(collection, project_id, limit + 1, at, id)
    if not found then return nil, message, code end
    table.move(found, 1, #found, #all + 1, all)
  end
  table.sort(all, later)
  table.move(all, 1, math.min(limit, #all), 1, rows)
  local by_id, items = decisions_of(rows), {}
  for i, row in ipairs(rows) do
    items[i] = row.kind == "state" and view.activity(row, by_id[row.decision_id]) or view.decided(row)
  end
  local last = #all > limit and rows[limit]
  return items, last and last.at.ms .. ":" .. last._id or nil
end

return M
