-- After a start of the host: find the sandboxes that lived on, and those that did not.
--
-- Pushed once a boot (lib/queue). A living sandbox is followed again by reconcile; one that is gone goes before the
-- health policy at once, without waiting for the next check.
-- SPDX-License-Identifier: Apache-2.0
local common = require "lib.reconcile.common"
local db = require "lib.store"
local health = require "lib.health"
local lifecycle = require "lib.lifecycle"
local log = require "gander.log"
local queue = require "lib.queue"

local PAGE = 50
local ALIVE = { running = true, pending = true, unknown = true }

local function adopt(project)
  local provider, ctx = common.provider_of(project)
  local state = provider and health.sandbox_state(provider, ctx) or "unknown"
  if not ALIVE[state] then
    log("warn", "a sandbox did not live on", { sandbox = ctx.name, state = state })
    local ill = lifecycle.note(project, { ["health.ok"] = false })
    if ill then health.judge(ill, state) end
  end
  queue.push("reconcile", {}, { key = project._id })
end

return {
  doc = "Finds the sandboxes of active projects again after a start of the host.",
  timeout_s = 300,

  run = function(job)
    local page, after = assert(db.projects:find({ state = "active" }, { limit = PAGE, after = job.data.after }))
    for _, project in ipairs(page) do
      common.each("adopt", project, adopt)
    end
    return after and { again_ms = 0, data = { after = after } } or { done = true }
  end,
}
