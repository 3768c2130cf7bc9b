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

-- The items of one project's log.
local function days_of(project_id, now)
  local q = { project_id = project_id }
  local batches = assert(db.sandbox_logs:find(q, { sort = { "first_seq" }, limit = BATCHES }))
  batches[#batches] = nil -- the last one of this page, hence also the last one of all
  local days, total = {}, 0
  for _, batch in ipairs(batches) do
    local at, size = batch.at and batch.at.ms or now, size_of(batch)
    local day = tostring(batch.at or ""):sub(1, 10)
    local item = days[#days]
    if not item or item.day ~= day then
      item =
        { kind = "log_day", id = project_id .. " " .. day, project_id = project_id, day = day, size = 0, lines = 0 }
      item.age_ms = math.max(0, now - (at - at % DAY_MS) - DAY_MS)
      days[#days + 1] = item
    end
    item.size, item.lines, item.last_seq = item.size + size, item.lines + #batch.lines, batch.first_seq
    total = total + size
  end
  for _, item in ipairs(days) do
    total = total - item.size
    item.newer = total
  end
  return days
end

-- -> items, the cursor of the next page or nil
function M.items(context)
  local page, after = assert(db.projects:find({}, { limit = 1, after = context.after, fields = { "_id" } }))
  return page[1] and days_of(page[1]._id, context.now) or {}, after
end

function M.remove(item)
  return db.sandbox_logs:delete(
    { project_id = item.project_id, first_seq = { ["$lte"] = item.last_seq } },
    { many = true }
  )
end

return M
