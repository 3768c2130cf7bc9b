-- Bringing a jail up: start, wait until it stands, attach the network, let its command go.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local egress = require "providers.local.egress"
local jail = require "providers.local.jail"
local jobs = require "providers.local.job"
local plain = require "providers.local.plain"

local M = {}

local READY_MS = 10000

local function last_words(file)
  local from = math.max(0, (fs.size(file) or 0) - 600)
  return (fs.read(file, { max = 600, offset = from, part = true }) or ""):gsub("%s+$", "")
end

-- Wait until the jail stands. -> its init, to be closed | nil: its command has ended already | nil, message, code
local function await(job, p)
  local deadline = sys.mono() + READY_MS
  repeat
    local init, status = jail.init(job.dir)
    if init and (job.unsafe or jail.ready(init:pid())) then
      return init
    elseif init then
      init:close()
    elseif status["exit-code"] and status["child-pid"] then
      return nil
    end
    local ended = p:wait(2)
    if ended and not jail.status(job.dir)["exit-code"] then break end
  until sys.mono() > deadline
  return nil, "the sandbox did not come up: " .. last_words(job.stderr), "unavailable"
end

-- -> what was attached ({} for nothing) | nil, message, code
local function attach(box, job, p, plan)
  local init <close>, message, code = await(job, p)
  if message then
    return nil, message, code
  elseif not init or not job.block or job.unsafe then
    return {}
  end
  local made
  made, message, code = egress.attach(init, plan, {
    dir = job.dir,
    uid = box.uid,
    cgroup = box.cgroup,
    node = jobs.node_inside(),
    node_binds = jobs.node_binds,
    lan = box.lan,
    reduced = job.reduced,
  })
  if made then p:release() end
  return made, message, code
end

-- -> {slirp, proxy, monitor} (each {pid, start_time}) | nil, message, code: what came up may have to be killed
function M.up(box, job, plan)
  local stale = fs.lock_holder(job.dir .. "/lock")
  if stale then return nil, "process " .. stale .. " of an earlier start still holds " .. job.dir .. "/lock", "busy" end
  if job.block then
    job.life = job.dir .. "/life"
    local ok, message, code = fs.mkdir(job.dir)
    if ok then
      ok, message, code = fs.mkfifo(job.life)
    end
    if not ok then return nil, message, code end
  end
  local start = job.unsafe and plain.start or jail.start
  local p <close>, message, code = start(job)
  if not p then return nil, message, code end
  local made
  made, message, code = attach(box, job, p, plan)
  if not made then
    p:kill "KILL"
    return nil, message, code
  end
  made.monitor = { pid = p:pid(), start_time = p:start_time() }
  return made
end

return M
