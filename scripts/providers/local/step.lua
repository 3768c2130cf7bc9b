-- The steps of a sandbox: what they run by default, their start and end, and the way in.
-- SPDX-License-Identifier: Apache-2.0
local disk = require "providers.local.disk"
local boxes = require "providers.local.box"
local cgroup = require "providers.local.cgroup"
local egress = require "providers.local.egress"
local jobs = require "providers.local.job"
local run = require "providers.local.run"
local source = require "providers.local.source"

local M = {}

local function defaults(box, order)
  local step = { step = order.step, argv = order.argv, env = order.env, cwd = order.cwd }
  local own = box.spec.source.type ~= "builtin"
  local install = order.step == "install"
  if own then
    step.cwd = step.cwd or source.cwd(box)
    local message, code
    if install then
      step.argv = step.argv or source.install_argv(box) or { "/usr/bin/true" }
      step.env = source.INSTALL_ENV
    elseif not step.argv then
      step.argv, message, code = source.start_argv(box)
    end
    if not step.argv then return nil, message, code end
  else
    step.argv = step.argv or { jobs.node_inside(), "/opt/gander/goose-api.mjs" }
    step.cwd = step.cwd or "/workspace"
  end
  return step
end

-- Start a step {step, argv, env, cwd}, once: "install", "start", "start-2"… A new start ends the one before.
-- -> {command_id} | nil, message, code
function M.start(ctx, order)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  local install = order.step == "install"
  local step
  step, message, code = defaults(box, order)
  if not step then return nil, message, code end
  local plan
  plan, message, code = egress.plan(install and "allow" or box.spec.egress)
  if not plan then return nil, message, code end
  local main = box.spec.main
  if not install and main ~= order.step then
    if main then run.stop(box.dir .. "/steps/" .. main, 2000) end
    box.spec.main = order.step
    local ok
    ok, message, code = disk.save(box.dir .. "/spec.json", box.spec)
    if not ok then return nil, message, code end
  end
  local limited
  limited, message, code = boxes.limit(box)
  if not limited then return nil, message, code end
  return run.start(box, step, plan)
end

-- -> {state="created"|"running"|"stopped", phase, exit, reason, command_id} | nil, message, code
-- Of a step by name, or of the main one.
function M.status(ctx, step)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  step = step or box.spec.main
  local dir
  if step then
    dir, message, code = disk.step(box.dir, step)
    if not dir then return nil, message, code end
  end
  local seen = dir and run.status(dir)
  if not seen then return { state = "created" } end
  local reason = seen.reason
  if seen.exit and seen.exit ~= 0 then
    local used = box.spec.limited and cgroup.usage(ctx.name)
    if used and used.oom_kills > 0 then
      reason = "it went over its memory limit of " .. math.floor(box.spec.limits.memory_mb) .. " MB"
    end
  end
  return {
    state = seen.state == "running" and "running" or "stopped",
    phase = step,
    exit = seen.exit,
    reason = reason,
    command_id = seen.command_id,
  }
end

-- How to reach a port: pass `url` and `netns` to gander.http; the caller closes `netns`.
-- -> {url, netns} | nil, message, code
function M.endpoint(ctx, port)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  local init = box.main and run.init(box.main)
  if not init then return nil, "the sandbox does not run", "unavailable" end
  local own = run.port(box.main)
  if own then
    init:close()
    return { url = "http://127.0.0.1:" .. (port == 3001 and own or math.tointeger(port)) }
  end
  return { url = "http://127.0.0.1:" .. math.tointeger(port), netns = init }
end

-- Run a command beside the agent's server. -> {code, out, err, cut} | nil, message, code
function M.exec(ctx, order)
  local box, message, code = boxes.open(ctx)
  if not box then
    return nil, message, code
  elseif not box.spec.main then
    return nil, "the sandbox does not run", "unavailable"
  end
  order = {
    argv = order.argv,
    env = order.env,
    cwd = order.cwd or "/workspace",
    timeout_ms = order.timeout_ms,
    max = order.max,
    stdin = order.stdin,
  }
  return run.exec(box, box.main, order)
end

return M
