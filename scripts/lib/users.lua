-- The users of config.lua: a static list.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"

local M = {}

function M.all()
  return sys.config.users or {}
end

-- -> {id, name} | nil
function M.get(id)
  for _, user in ipairs(M.all()) do
    if user.id == id then return user end
  end
  return nil
end

return M
