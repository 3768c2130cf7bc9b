-- Stored decisions and changes of state, for cleanup rules: oldest first.
--
-- Only the oldest page of each is looked at: once one of it stays, all younger ones do.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"

local M = {}

local PAGE = 200

-- -> items, nil, whether there is more once these are gone
function M.items(context)
  local items, more = {}, false
  for _, name in ipairs { "decisions", "activity" } do
    local options = { sort = { "at" }, limit = PAGE, fields = { "_id", "at", "project_id" } }
    local rows = assert(db[name]:find({}, options))
    for _, row in ipairs(rows) do
      local age = math.max(0, context.now - row.at.ms)
      items[#items + 1] =
        { kind = "decision", id = row._id, project_id = row.project_id, age_ms = age, collection = name }
    end
    more = more or #rows == PAGE
  end
  return items, nil, more
end

function M.remove(item)
  return db[item.collection]:delete { _id = item.id }
end

return M
