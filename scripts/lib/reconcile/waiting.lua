-- A place was given back: those who have waited for one longest ask again at once.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"
local queue = require "lib.queue"

local M = {}

local AT_ONCE = 3 -- more than one: the first may be refused for a reason of its own
local LOOKED_AT = 500

function M.wake()
  local list = db.projects:find({ state = "creating", phase = "queued" }, { limit = LOOKED_AT }) or {}
  local waiting = {}
  for _, project in ipairs(list) do
    if project.queue then waiting[#waiting + 1] = project end
  end
  table.sort(waiting, function(a, b)
    return a.queue.since < b.queue.since
  end)
  for i = 1, math.min(AT_ONCE, #waiting) do
    queue.push("reconcile", {}, { key = waiting[i]._id })
  end
end

return M
