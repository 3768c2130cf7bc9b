-- The net under the queue: each project whose wish is unmet has a job, and each job that repeats is queued.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"
local queue = require "lib.queue"

local PAGE = 500

-- What is not as it is wanted. An error with desired = active is left alone until a request.
local UNMET = {
  { desired = "active", state = { ["$in"] = { "inactive", "creating", "stopping" } } },
  { desired = "active", state = "active", phase = "starting" },
  { desired = "inactive", state = { ["$in"] = { "creating", "active", "stopping", "error" } } },
  { desired = "deleted" },
  { desired = "active", state = "error", ["sandbox.doomed"] = true },
}

local function sweep(query)
  local after
  repeat
    local page
    page, after = assert(db.projects:find(query, { limit = PAGE, after = after, fields = { "_id" } }))
    for _, project in ipairs(page) do
      if not queue.exists("reconcile", project._id) then queue.push("reconcile", {}, { key = project._id }) end
    end
  until not after
end

return {
  doc = "Queues reconcile for projects whose wish is unmet and that have no job.",
  timeout_s = 60,
  every_s = 5,

  run = function()
    for _, query in ipairs(UNMET) do
      sweep(query)
    end
    queue.repeating()
  end,
}
