-- The way up: queued, creating, installing, starting, healthy. Each function does one act and records it.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local admit = require "lib.reconcile.admit"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local fail = require "lib.reconcile.fail"
local health = require "lib.health"
local launch = require "lib.launch"
local desired = require "lib.desired"
local lifecycle = require "lib.lifecycle"
local progress = require "lib.reconcile.progress"
local providers = require "lib.providers"
local talk = require "lib.talk"

local M = {}

local CREATE_MS, INSTALL_MS, START_MS = 120000, 900000, 120000 -- how long a phase may take
local POLL_MS = 250

local function age_ms(project)
  return sys.now() - project.phase_since.ms
end

-- The project was wanted active while it was still being stopped.
function M.begin(project)
  return common.recorded(desired.write(project, "active", { by = "reconcile" }))
end

M.queued = admit.run

-- First its name is recorded, then the sandbox is created under it: a create whose outcome is unknown is repeated
-- under the same name, and the provider adopts what it finds there if it carries our labels.
function M.creating(project)
  if not project.sandbox then
    local n = (project.sandbox_n or 0) + 1
    local sandbox = { id = providers.sandbox_name(project, n), provider = project.provider, restarts = 0, starts = 1 }
    return common.recorded(lifecycle.note(project, { sandbox = sandbox, sandbox_n = n }))
  end
  local provider, ctx, code = common.provider_of(project, CREATE_MS)
  if not provider then return fail.step(project, ctx, code, { retryable = false }) end
  local made, message, kind, extra = provider.create(ctx)
  if not made then
    return fail.step(project, message, kind, extra)
  elseif made.state == "pending" then
    if age_ms(project) > CREATE_MS then
      return fail.step(project, "the sandbox was not there after " .. CREATE_MS // 1000 .. " s", "timeout")
    end
    return common.again(POLL_MS)
  end
  return common.recorded(lifecycle.move(project, "creating", "installing", {
    ["sandbox.instance_id"] = made.id,
    ["sandbox.created_at"] = date(sys.now()),
    ["sandbox.expires_at"] = made.expires_at,
    ["sandbox.isolation"] = made.isolation or providers.isolation(provider),
    ["sandbox.limits"] = made.limits,
    progress = progress.begin(project.progress, "installing"),
  }))
end

local function ended(what, status)
  return what .. " ended with status " .. tostring(status.exit) .. (status.reason and ": " .. status.reason or "")
end

-- Run the source's install command and wait for its end. -> the job's answer, or nil when it went well
local function install(project, provider, ctx, plan)
  local _, message, kind, extra = provider.start(ctx, plan.install)
  if message then return fail.step(project, message, kind, extra) end
  local seen
  seen, message, kind, extra = provider.status(ctx, "install")
  if not seen then
    return fail.step(project, message, kind, extra)
  elseif seen.exit == 0 then
    return nil
  elseif seen.exit then
    return fail.step(project, ended("the install command", seen), "unavailable")
  elseif age_ms(project) > INSTALL_MS then
    return fail.step(project, "the install command ran longer than " .. INSTALL_MS // 1000 .. " s", "timeout")
  end
  return common.again(POLL_MS)
end

function M.installing(project)
  local provider, ctx, code = common.provider_of(project, INSTALL_MS)
  if not provider then return fail.step(project, ctx, code, { retryable = false }) end
  talk.created(project)
  local plan, message, kind = launch.plan(ctx)
  if not plan then return fail.step(project, message, kind) end
  if not project.sandbox.files_put then
    local done, why, reason, extra = provider.put(ctx, plan.files)
    if not done then return fail.step(project, why, reason, extra) end
    return common.recorded(lifecycle.note(project, { ["sandbox.files_put"] = true }))
  end
  local answer = plan.install and install(project, provider, ctx, plan)
  return answer
    or common.recorded(lifecycle.move(project, "creating", "starting", {
      progress = progress.begin(project.progress, "starting"),
    }))
end

-- How long activations take, for /metrics: from the wish to the answer.
local function count_activation(project)
  local first = project.progress and project.progress.steps[1]
  local took = first and sys.now() - first.started_at.ms or 0
  db.counters:update({ _id = "activations" }, { ["$inc"] = { count = 1, total_ms = took } }, { upsert = true })
end

local function healthy(project, seen)
  local fields = {
    health = seen,
    retry = json.null,
    last_error = json.null,
    next = { at = date(sys.now()) },
    progress = progress.begin(project.progress, "healthy"),
  }
  if project.state == "creating" then fields.active_at = date(sys.now()) end
  local after, message, code = lifecycle.move(project, "active", "healthy", fields)
  if after and project.state == "creating" then count_activation(project) end
  return common.recorded(after, message, code)
end

-- Start the server under a step's name, once. In an active project it takes the place of one that ended or hangs.
local function launch_step(project, provider, ctx, step)
  if project.state == "active" then talk.stopped(project) end
  local plan, message, code = launch.plan(ctx)
  if not plan then return fail.step(project, message, code) end
  plan.start.step = step
  local done, why, reason, extra = provider.start(ctx, plan.start)
  if not done then return fail.step(project, why, reason, extra) end
  return common.recorded(lifecycle.note(project, { ["sandbox.started"] = step }))
end

-- Start the server, then ask /health until it answers. A restart by a policy uses a step name of its own.
function M.starting(project)
  local provider, ctx, code = common.provider_of(project, START_MS)
  if not provider then return fail.step(project, ctx, code, { retryable = false }) end
  local starts = project.sandbox.starts or 1
  local step = starts == 1 and "start" or "start-" .. starts
  if project.sandbox.started ~= step then return launch_step(project, provider, ctx, step) end
  talk.created(project)
  local seen, why = health.probe(provider, ctx)
  if seen and seen.ok then return healthy(project, seen) end
  local status = provider.status(ctx, step)
  if status and status.exit then
    return fail.step(project, ended("the agent's server", status), "unavailable")
  elseif age_ms(project) > START_MS then
    local text = "the agent's server did not answer within " .. START_MS // 1000 .. " s"
    return fail.step(project, text .. (why and ": " .. why or ""), "timeout")
  end
  return common.again(POLL_MS)
end

function M.waiting_retry(project)
  local wait = (project.retry and project.retry.next_at and project.retry.next_at.ms or 0) - sys.now()
  if wait > 0 then return common.again(wait) end
  return common.recorded(lifecycle.move(project, "creating", "creating", {
    next = json.null,
    progress = progress.begin(project.progress, "creating"),
  }))
end

-- It is active and wanted so: see that its logs and events are followed (again, after a restart of the host).
function M.settled(project)
  talk.started(project)
  return common.DONE
end

return M
