-- Each 30 s: ask /health of every active project, note what it says and what its sandbox uses.
--
-- One page of projects a run, so a sandbox that hangs holds up few. Failures in a row are counted; the health policy
-- is asked at each.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local health = require "lib.health"
local lifecycle = require "lib.lifecycle"
local usage_of = require "lib.usage"

local EVERY_S, PAGE = 30, 20
local FORGIVEN_MS = 3600000 -- an hour of health: earlier restarts and replacements count no more

local function well(project, provider, ctx, seen)
  local fields = { health = seen, ["sandbox.usage"] = usage_of.sample(project, provider, ctx) }
  local since = project.phase_since and project.phase_since.ms or sys.now()
  if sys.now() - since > FORGIVEN_MS and ((project.sandbox.restarts or 0) > 0 or (project.replaced or 0) > 0) then
    fields.replaced, fields["sandbox.restarts"] = 0, 0
  end
  lifecycle.note(project, fields)
end

local function ill(project, provider, ctx, seen, why)
  local failures = (project.health and project.health.failures or 0) + 1
  local fields = { ["health.ok"] = false, ["health.failures"] = failures, ["health.at"] = date(sys.now()) }
  fields["health.reason"] = seen and seen.reason or why
  local noted = lifecycle.note(project, fields)
  if noted then health.judge(noted, health.sandbox_state(provider, ctx)) end
end

local function check(project)
  local provider, ctx = common.provider_of(project)
  if not provider then return end
  local seen, why = health.probe(provider, ctx)
  if seen and seen.ok then
    well(project, provider, ctx, seen)
  else
    ill(project, provider, ctx, seen, why)
  end
end

return {
  doc = "Asks the agent's server of every active project whether it is well.",
  timeout_s = 120,
  every_s = EVERY_S,

  run = function(job)
    local query = { state = "active", desired = "active" }
    local page, after = assert(db.projects:find(query, { limit = PAGE, after = job.data.after }))
    for _, project in ipairs(page) do
      if project.phase == "healthy" then common.each("health", project, check) end
    end
    if after then return { again_ms = 0, data = { after = after } } end
    return { again_ms = 1000 * EVERY_S, data = {} }
  end,
}
