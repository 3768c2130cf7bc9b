-- The way down: draining, saving, collecting, stopping, stopped. Each function does one act and records it.
--
-- Stopping does not give up: a provider that fails is asked again, ever more slowly, and the page says why. `force`
-- cuts it short: nothing is waited for, and a sandbox that cannot be stopped is left to the sweep of orphans.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local caps = require "lib.caps"
local common = require "lib.reconcile.common"
local db = require "lib.store"
local lifecycle = require "lib.lifecycle"
local progress = require "lib.reconcile.progress"
local talk = require "lib.talk"
local waiting = require "lib.reconcile.waiting"

local M = {}

local DRAIN_MS, GRACE_MS, CALL_MS = 20000, 5000, 60000
local POLL_MS = 500
local DISCARD_TRIES = 5

-- An activation is given up on the way: what it has is stopped, nothing needs to be saved.
function M.abandon(project)
  return common.recorded(lifecycle.move(project, "stopping", "stopping", {
    queue = json.null,
    next = json.null,
    retry = json.null,
    progress = progress.cut(project.progress),
  }))
end

function M.begin(project)
  return common.recorded(lifecycle.move(project, "stopping", "draining", { next = json.null }))
end

function M.draining(project)
  local deadline = project.phase_since.ms + (project.force and 0 or DRAIN_MS)
  if not talk.draining(project, deadline) and sys.now() < deadline then return common.again(POLL_MS) end
  return common.recorded(lifecycle.move(project, "stopping", "saving"))
end

-- What still runs is cut off now and stored as far as it came.
function M.saving(project)
  talk.draining(project, sys.now())
  return common.recorded(lifecycle.move(project, "stopping", "collecting"))
end

-- The last figures of the sandbox, while it is there to be asked: one row of `usage` a sandbox.
function M.collecting(project)
  local provider, ctx = common.provider_of(project, CALL_MS)
  local used = provider and provider.usage and provider.usage(ctx)
  if used then
    db.usage:update({ _id = "sandbox:" .. ctx.name }, {
      ["$set"] = {
        project_id = project._id,
        user_id = project.user_id,
        at = date(sys.now()),
        cpu_ms = used.cpu_ms,
        memory_mb_ms = used.memory_mb_ms,
        in_bytes = used.in_bytes,
        out_bytes = used.out_bytes,
      },
    }, { upsert = true })
  end
  return common.recorded(lifecycle.move(project, "stopping", "stopping"))
end

-- A call failed. Gone is what was wanted; else try again, at most each minute.
local function stuck(project, message, code)
  if code == "not_found" then
    return nil
  elseif project.force then
    log(
      "warn",
      "a sandbox could not be stopped and is left to the sweep",
      { sandbox = project.sandbox.id, error = message }
    )
    return nil
  end
  local now, count = sys.now(), (project.retry and project.retry.count or 0) + 1
  local wait = math.min(60000, 1000 << math.min(count, 6))
  local after, fault, kind = lifecycle.note(project, {
    retry = { count = count, next_at = date(now + wait) },
    last_error = { code = code, message = message, step = "stopping", at = date(now), retryable = true },
  })
  if not after then return common.recorded(after, fault, kind) end
  return common.again(wait)
end

local function finish(project)
  local after, message, code = lifecycle.move(project, "inactive", "stopped", {
    sandbox = json.null,
    stopped_at = date(sys.now()),
    health = json.null,
    retry = json.null,
    queue = json.null,
    next = json.null,
    force = json.null,
    last_error = project.last_error and project.last_error.step == "stopping" and json.null or nil,
  })
  if after then
    caps.release(project._id)
    waiting.wake()
  end
  if after and after.desired == "inactive" then return common.DONE end
  return common.recorded(after, message, code)
end

local function stop(project, provider, ctx)
  local done, message, code = provider.stop(ctx, { grace_ms = project.force and 0 or GRACE_MS })
  local answer = not done and stuck(project, message, code)
  return answer
    or common.recorded(lifecycle.note(project, {
      ["sandbox.stopped"] = true,
      snapshot = done and done.snapshot or nil,
    }))
end

local function destroy(project, provider, ctx)
  talk.stopped(project)
  local done, message, code = provider.destroy(ctx)
  local answer = not done and stuck(project, message, code)
  return answer or common.recorded(lifecycle.note(project, { ["sandbox.destroyed"] = true }))
end

function M.stopping(project)
  local sandbox = project.sandbox
  if not sandbox then return finish(project) end
  local wait = project.retry and project.retry.next_at and project.retry.next_at.ms - sys.now() or 0
  if wait > 0 and not project.force then return common.again(wait) end
  local provider, ctx, code = common.provider_of(project, CALL_MS)
  if not provider then
    return stuck(project, ctx, code) or finish(project)
  elseif not sandbox.stopped then
    return stop(project, provider, ctx)
  elseif not sandbox.destroyed then
    return destroy(project, provider, ctx)
  elseif ctx.settings.workspace == "discard" and project.desired ~= "deleted" then
    local done, message, kind = provider.remove_workspace(project)
    local answer = not done and stuck(project, message, kind)
    return answer or finish(project)
  end
  return finish(project)
end

-- The sandbox of a failed attempt goes before anything else happens. What cannot be destroyed in a few tries is left
-- to the sweep of orphans: its name is never used again.
function M.discard(project)
  talk.stopped(project)
  local provider, ctx, code = common.provider_of(project, CALL_MS)
  local done, message = nil, ctx
  if provider then
    done, message, code = provider.destroy(ctx)
  end
  local tries = (project.sandbox.discard_tries or 0) + 1
  if not done and code ~= "not_found" and tries < DISCARD_TRIES then
    log("warn", "a failed sandbox could not be removed", { sandbox = ctx.name, tries = tries, error = message })
    local after, fault, kind = lifecycle.note(project, { ["sandbox.discard_tries"] = tries })
    return after and common.again(1000 << tries) or common.recorded(after, fault, kind)
  end
  local after, fault, kind = lifecycle.note(project, { sandbox = json.null })
  if after and after.state == "error" then
    caps.release(project._id)
    waiting.wake()
  end
  return common.recorded(after, fault, kind)
end

return M
