-- Days of projects' logs, for cleanup rules: one item a project and day, oldest first.
--
-- A page is one project. Its last batch is never an item: the next line's number and the cursors are read from it.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"

local M = {}

local BATCHES = 500 -- looked at in a run; the rest comes in the next
local DAY_MS = 86400000
local LINE_OVERHEAD = 60 -- bytes a line takes beside its text, about

local function size_of(batch)
  local size = 0
  for _, line in ipairs(batch.lines) do
    size = size + #(line.text or "") + LINE_OVERHEAD
  end
  return size
end

local function day_item(project_id, batch, now)
  local at = batch.at and batch.at.ms or now
  local day = tostring(batch.at or ""):sub(1, 10)
  local item =
    { kind = "log_day", id = project_id .. " " .. day, project_id = project_id, day = day, size = 0, lines = 0 }
  item.age_ms = math.max(0, now - (at - at % DAY_MS) - DAY_MS)
  return item
end

-- The items of one project's log, and whether there is more than was looked at.
local function days_of(project_id, now)
  local q = { project_id = project_id }
  local batches = assert(db.sandbox_logs:find(q, { sort = { "first_seq" }, limit = BATCHES }))
  local more, last = #batches == BATCHES, table.remove(batches) -- of this page, hence also the last one of all
  local days, seen = {}, 0
  for _, batch in ipairs(batches) do
    local item, fresh = days[#days], day_item(project_id, batch, now)
    if not item or item.day ~= fresh.day then
      item = fresh
      days[#days + 1] = item
    end
    local size = size_of(batch)
    item.size, item.lines, item.last_seq = item.size + size, item.lines + #batch.lines, batch.first_seq
    seen = seen + size
  end
  local rest = last and size_of(last) or 0
  if more then -- what was not looked at counts as much a batch as what was
    rest = (assert(db.sandbox_logs:count(q)) - #batches) * (seen // #batches)
  end
  for _, item in ipairs(days) do
    seen = seen - item.size
    item.newer = seen + rest
  end
  return days, more
end

-- -> items, the cursor of the next page or nil, whether the same page has more once these are gone
function M.items(context)
  local page, after = assert(db.projects:find({}, { limit = 1, after = context.after, fields = { "_id" } }))
  if not page[1] then return {} end
  local items, more = days_of(page[1]._id, context.now)
  return items, after, more
end

function M.remove(item)
  return db.sandbox_logs:delete(
    { project_id = item.project_id, first_seq = { ["$lte"] = item.last_seq } },
    { many = true }
  )
end

return M
