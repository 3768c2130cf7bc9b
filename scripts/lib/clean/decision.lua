-- Stored decisions, for cleanup rules: oldest first.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"

local M = {}

local PAGE = 200

-- Only the oldest page is looked at: once one of it stays, all younger ones do.
function M.items(context)
  local rows = assert(db.decisions:find({}, { sort = { "at" }, limit = PAGE, fields = { "_id", "at", "project_id" } }))
  local items = {}
  for i, row in ipairs(rows) do
    local age = math.max(0, context.now - row.at.ms)
    items[i] = { kind = "decision", id = row._id, project_id = row.project_id, age_ms = age }
  end
  return items, nil, #rows == PAGE
end

function M.remove(item)
  return db.decisions:delete { _id = item.id }
end

return M
