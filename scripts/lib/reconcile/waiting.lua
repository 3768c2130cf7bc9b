-- A place was given back: those who wait for one longest ask again at once.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"
local queue = require "lib.queue"

local M = {}

local AT_ONCE = 3

function M.wake()
  local first = { state = "creating", phase = "queued", ["queue.since"] = { ["$exists"] = true } }
  for _, project in ipairs(db.projects:find(first, { limit = 200, fields = { "queue" } }) or {}) do
    M.list[#M.list + 1] = project
  end
end

return M
