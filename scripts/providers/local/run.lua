-- A step of a sandbox: started once, found again, stopped.
--
-- steps/<step>/run.json is written before anything is started ("starting") and once it runs ("running"): a host killed
-- in between finds what is left under the same name, ends it and starts anew. What runs is asked of the kernel (jail.init),
-- never of the file.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"
local sys = require "gander.sys"
local disk = require "providers.local.disk"
local egress = require "providers.local.egress"
local jail = require "providers.local.jail"
local jobs = require "providers.local.job"
local launch = require "providers.local.launch"
local plain = require "providers.local.plain"
local tier = require "providers.local.tier"

local M = {}

local MONITOR_MS = 2000

-- Start a step, once. step = {step, argv, env, cwd}; plan = egress.plan(…) -> {command_id} | nil, message, code
function M.start(box, step, plan)
  local dir, message, code = disk.step(box.dir, step.step)
  if not dir then return nil, message, code end
  local run = disk.load(dir .. "/run.json")
  if run and run.phase == "running" then return { command_id = run.command_id } end
  local ok
  ok, message, code = fs.mkdir(dir)
  if not ok then return nil, message, code end
  M.kill(dir)
  run = { command_id = run and run.command_id or sys.uuid(), phase = "starting", boot_id = disk.boot_id() }
  if tier.probe().unsafe then
    run.port, message, code = plain.port()
    box.port = run.port
    if not run.port then return nil, message, code end
  end
  ok, message, code = disk.note(dir .. "/run.json", run)
  if not ok then return nil, message, code end
  run.attached, message, code = launch.up(box, jobs.of(box, step, step.step, plan), plan)
  if not run.attached then
    M.kill(dir)
    return nil, message, code
  end
  run.phase, run.started_at = "running", sys.now()
  ok, message, code = disk.note(dir .. "/run.json", run)
  if not ok then
    M.kill(dir)
    return nil, message, code
  end
  return { command_id = run.command_id }
end

-- bwrap's monitor writes the exit code a moment after init has ended. -> the code | nil: still to come, or never
local function last_word(dir, run)
  local known = run.attached and run.attached.monitor
  local monitor <close> = known and process.adopt(known.pid, known.start_time)
  local ended = not monitor or monitor:wait(MONITOR_MS)
  return math.tointeger(jail.status(dir)["exit-code"] or ""), ended
end

-- -> {state="running"|"exited", exit, reason, command_id} | nil: never started
function M.status(dir)
  local run = disk.load(dir .. "/run.json")
  if not run then return nil end
  local init <close>, status = jail.init(dir)
  local seen = { command_id = run.command_id, phase = run.phase }
  local same_boot = run.boot_id == disk.boot_id()
  local code, ended = math.tointeger(status["exit-code"] or ""), true
  if not code and not init and same_boot then
    code, ended = last_word(dir, run)
  end
  if code then
    -- The command ended; what it left behind would keep init, and with it the sandbox, alive.
    if init then
      init:kill "KILL"
      init:wait(2000)
    end
    seen.state, seen.exit = "exited", code
  elseif same_boot and (init or not ended) then
    seen.state = "running"
  elseif run.phase == "starting" then
    return nil
  else
    seen.state, seen.exit = "exited", 137
    seen.reason = same_boot and "it was killed" or "this machine was restarted"
  end
  return seen
end

-- The init of a step that runs, to be closed by the caller. -> Process | nil
function M.init(dir)
  local run = disk.load(dir .. "/run.json")
  if run and run.boot_id == disk.boot_id() then
    local init, status = jail.init(dir)
    if init and status["exit-code"] then
      init:close()
      return nil
    end
    return init
  end
end

-- The port of this machine where a step without isolation serves; nil for one in a sandbox.
function M.port(dir)
  local run = disk.load(dir .. "/run.json")
  return run and run.port
end

-- Ask the payload to end, then make it.
function M.stop(dir, grace_ms)
  local init <close> = M.init(dir)
  if init then
    for _, pid in ipairs(grace_ms > 0 and jail.payload(init:pid()) or {}) do
      local p <close> = process.adopt(pid, 0)
      if p then p:kill "TERM" end
    end
    init:wait(grace_ms)
  end
  M.kill(dir)
end

function M.kill(dir)
  local run = disk.load(dir .. "/run.json")
  if run and run.boot_id == disk.boot_id() then
    local init <close> = jail.init(dir)
    if init then
      if run.port then plain.kill_session(init:pid()) end
      init:kill "KILL"
      init:wait(5000)
    end
    egress.detach(run.attached)
  end
end

-- A command beside the main step, in its network, with its files.
-- -> {code, out, err, cut} | nil, message, code
function M.exec(box, main_dir, order)
  local init <close> = M.init(main_dir)
  if not init then return nil, "the sandbox does not run", "unavailable" end
  local plan = egress.plan(box.spec.egress)
  local job = jobs.of(box, order, "exec-" .. sys.uuid(), plan)
  job.net, job.block, job.dies = init, false, true
  job.run = { timeout_ms = order.timeout_ms or 30000, max = order.max or 1 << 20, stdin = order.stdin }
  local r, message, code = (job.unsafe and plain.start or jail.start)(job)
  fs.remove(job.dir)
  if r and r.signal then r.code = 128 + r.signal end
  return r, message, code
end

return M
