-- A place was given back: those who have waited for one longest ask again, one after the other, so that the first has it.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local db = require "lib.store"
local queue = require "lib.queue"

local M = {}

local ASKED = 3 -- more than one: the first may be refused for a reason of its own
local APART_MS = 1000 -- for the one before to take the place
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
  for i = 1, math.min(ASKED, #waiting) do
    queue.push("reconcile", {}, { key = waiting[i]._id, at = sys.now() + (i - 1) * APART_MS })
  end
end

return M
