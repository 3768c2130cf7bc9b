-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local app = require "lib.app"
local db = require "lib.store"
local users = require "lib.users"

local M = {}

local function shown(user)
  local mine = { user_id = user.id, gone = { ["$exists"] = false } }
  local total = assert(db.projects:count(mine))
  mine.state = "active"
  return { id = user.id, name = user.name, projects = { total = total, active = assert(db.projects:count(mine)) } }
end

M["GET /api/users"] = app.route {
  doc = "The users of config.lua, with how many projects each has.",
  query = app.page_query(),
  answers = { [200] = "list of User" },
  handler = function(req)
    local headers = { ["X-Gander-Event-Id"] = bus.cursor { "all" } }
    local after = req.query.after
    if after and not users.get(after) then return app.fail("invalid", "the cursor does not belong to this list") end
    local items, next_page, begun = {}, nil, not after
    for _, user in ipairs(users.all()) do
      if begun and #items == req.query.limit then
        next_page = items[#items].id
        break
      elseif begun then
        items[#items + 1] = shown(user)
      end
      begun = begun or user.id == after
    end
    return 200, app.page(items, next_page), headers
  end,
}

return M
