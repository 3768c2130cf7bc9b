-- Admission of an activation, under a reservation: yes, no, or wait.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local caps = require "lib.caps"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local explain = require "lib.explain"
local facts_of = require "lib.facts"
local fail = require "lib.reconcile.fail"
local lifecycle = require "lib.lifecycle"
local policy = require "lib.policy"
local progress = require "lib.reconcile.progress"
local providers = require "lib.providers"
local settings_of = require "lib.settings"

local M = {}

local ASK_AGAIN_MS = 15000 -- a place that is given back wakes the queue; this is for what policies alone know
local QUEUE_MINUTES = 30

local function subject(project)
  return { project_id = project._id, user_id = project.user_id }
end

-- Whether the provider can take the source: said before anything is created.
local function source_fault(project)
  local provider, message, code = providers.get(project.provider)
  if not provider then return message, code end
  local source
  source, message, code = settings_of.source(project)
  if not source then return message, code end
  local ok
  ok, message, code = providers.takes(provider, source)
  if not ok then return message, code end
end

local function deny(project, verdict, facts)
  local row = explain.record(verdict, "admission", facts, subject(project))
  local fields = {
    desired = "inactive",
    reason = explain.reason(row),
    queue = json.null,
    next = json.null,
    progress = progress.broken(project.progress, row.reason),
  }
  return common.recorded(lifecycle.move(project, "inactive", "stopped", fields, { by = row.policy, decision = row }))
end

local function position(project, since)
  local ahead = db.projects:count {
    state = "creating",
    phase = "queued",
    ["queue.since"] = { ["$lt"] = since },
    _id = { ["$ne"] = project._id },
  }
  return (ahead or 0) + 1
end

local function wait(project, verdict, facts)
  local now = sys.now()
  local queue = project.queue
  if queue and now >= queue.expires_at.ms then
    local minutes = (now - queue.since.ms) // 60000
    verdict.verdict, verdict.reason = "deny", "it waited " .. minutes .. " minutes: " .. verdict.reason
    return deny(project, verdict, facts)
  end
  local since = queue and queue.since or date(now)
  local at = position(project, since)
  if not queue or queue.position ~= at then
    local minutes = facts.settings.queue_minutes or QUEUE_MINUTES
    local expires = queue and queue.expires_at or date(now + minutes * 60000)
    local fields = { queue = { position = at, since = since, expires_at = expires } }
    if not queue then fields.reason = explain.reason(explain.record(verdict, "admission", facts, subject(project))) end
    local after, message, code = lifecycle.note(project, fields)
    if not after then return common.recorded(after, message, code) end
  end
  return common.again(ASK_AGAIN_MS)
end

-- One act of phase `queued`.
function M.run(project)
  local fault, code = source_fault(project)
  if fault then return fail.step(project, fault, code, { retryable = false }) end
  local facts
  local verdict, message = caps.reserve(project, function(counts)
    facts = facts_of.of_project(project, { counts = counts })
    return policy.decide("admission", facts)
  end)
  if message then
    error("admission: " .. message)
  elseif verdict and verdict.verdict == "deny" then
    return deny(project, verdict, facts)
  elseif verdict and verdict.verdict == "queue" then
    return wait(project, verdict, facts)
  end
  local row = verdict and explain.record(verdict, "admission", facts, subject(project)) -- nil: it holds its place already
  return common.recorded(lifecycle.move(project, "creating", "creating", {
    queue = json.null,
    progress = progress.begin(project.progress, "creating"),
  }, { decision = row, by = row and row.policy }))
end

return M
