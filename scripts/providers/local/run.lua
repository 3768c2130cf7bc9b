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

local M = {}

local READY_MS, MONITOR_MS = 10000, 2000

local function attach(box, job, p, plan)
  local deadline = sys.mono() + READY_MS
  repeat
    local init <close> = jail.init(job.dir)
    if init and jail.ready(init:pid()) then
      local made, message, code = egress.attach(init, plan, {
        dir = job.dir, uid = box.uid, cgroup = box.cgroup, node = jobs.node_inside(), node_binds = jobs.node_binds, lan = box.lan,
        reduced = job.reduced,
      })
      if made then
        p:release()
      end
      return made, message, code
    end
    local ended = p:wait(5)
  until ended or sys.mono() > deadline
  return nil, "the sandbox did not come up: " .. (fs.read(job.stderr, { max = 2048, part = true }) or ""), "unavailable"
end

local function launch(box, job, plan)
  local stale = fs.lock_holder(job.dir .. "/lock")
  if stale then
    return nil, "process " .. stale .. " of an earlier start still holds " .. job.dir .. "/lock", "busy"
  end
  if job.block then
    job.life = job.dir .. "/life"
    local ok, message, code = fs.mkdir(job.dir)
    if ok then
      ok, message, code = fs.mkfifo(job.life)
    end
    if not ok then
      return nil, message, code
    end
  end
  local p <close>, message, code = jail.start(job)
  if not p then
    return nil, message, code
  end
  local made = {}
  if job.block then
    made, message, code = attach(box, job, p, plan)
    if not made then
      M.kill(job.dir)
      p:kill "KILL"
      return nil, message, code
    end
  end
  made.monitor = { pid = p:pid(), start_time = p:start_time() }
  return made
end

-- Start a step, once. step = {step, argv, env, cwd}; plan = egress.plan(…) -> {command_id} | nil, message, code
function M.start(box, step, plan)
  local dir, message, code = disk.step(box.dir, step.step)
  if not dir then
    return nil, message, code
  end
  local run = disk.load(dir .. "/run.json")
  if run and run.phase == "running" then
    return { command_id = run.command_id }
  end
  local ok
  ok, message, code = fs.mkdir(dir)
  if not ok then
    return nil, message, code
  end
  M.kill(dir)
  run = { command_id = run and run.command_id or sys.uuid(), phase = "starting", boot_id = disk.boot_id() }
  ok, message, code = disk.save(dir .. "/run.json", run)
  if not ok then
    return nil, message, code
  end
  run.attached, message, code = launch(box, jobs.of(box, step, step.step, plan), plan)
  if not run.attached then
    return nil, message, code
  end
  run.phase, run.started_at = "running", sys.now()
  ok, message, code = disk.save(dir .. "/run.json", run)
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
  if not run then
    return nil
  end
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

-- Ask the payload to end, then make it.
function M.stop(dir, grace_ms)
  local init <close> = M.init(dir)
  if init then
    for _, pid in ipairs(grace_ms > 0 and jail.payload(init:pid()) or {}) do
      local p <close> = process.adopt(pid, 0)
      if p then
        p:kill "TERM"
      end
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
  if not init then
    return nil, "the sandbox does not run", "unavailable"
  end
  local plan = egress.plan(box.spec.egress)
  local job = jobs.of(box, order, "exec-" .. sys.uuid(), plan)
  job.net, job.block, job.dies = init, false, true
  job.run = { timeout_ms = order.timeout_ms or 30000, max = order.max or 1 << 20, stdin = order.stdin }
  local r, message, code = jail.start(job)
  fs.remove(job.dir)
  if r and r.signal then
    r.code = 128 + r.signal
  end
  return r, message, code
end

return M
