-- The job queue: durable work, one document a key.
--
-- `push` keeps one job per name and key. A push while the job runs only raises `wanted`; the job is removed when the
-- count is still what its lease saw, else it runs again. A leased job's `run_at` is the end of its lease, so a lease
-- that ran out is due work like any other. Jobs are run by the host (claim, then run); a run that a kill -9 cut off
-- costs the job nothing (boot frees it), one that raises or ran past its time costs a try.
-- It knows no job by name but those it finds in jobs/. It keeps no state between calls.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"
local db = require "lib.store"
local events = require "lib.events"

local M = {}

local TIMEOUT_S = 60 -- of a job file that names none
local LEASE_SLACK_MS = 5000 -- a lease outlives its run's time limit by this
local TRIES = 10 -- a job that failed so often is dropped and an alert sent
local BACKOFF_MS, BACKOFF_MAX_MS = 1000, 60000
local DATA_MAX = 64 * 1024

-- The job file, or nil and the fault: it may have been broken or removed since the push.
local function load_job(name)
  local ok, job = pcall(require, "jobs." .. name)
  if not ok then return nil, job end
  if type(job) ~= "table" or type(job.run) ~= "function" then
    return nil, "jobs/" .. name .. ".lua returns no table with a run function"
  end
  return job
end

local function timeout_ms(name)
  local job = load_job(name)
  return 1000 * (job and job.timeout_s or TIMEOUT_S)
end

local function backoff_ms(tries)
  local ms = math.min(BACKOFF_MAX_MS, BACKOFF_MS << math.min(tries - 1, 10))
  return ms // 2 + string.unpack("<I4", sys.random(4)) % (ms // 2)
end

local function wake()
  bus.publish("jobs", "pushed", {})
end

local function must(n, message)
  return n or error("the job queue cannot be written: " .. tostring(message))
end

-- Queue a job. `opts.key` names its subject (one job a name and key), `opts.at` its time (ms; default now).
-- Raises when the store fails: a caller that has already written must not go on as if the job were queued.
function M.push(name, data, opts)
  opts = opts or {}
  local key = opts.key or name
  local text = json.encode(json.object(data or {}))
  assert(#text <= DATA_MAX, "the data of a job may have 64 KiB")
  local id, now = name .. ":" .. key, sys.now()
  local at = date(math.max(opts.at or now, 0))
  for _ = 1, 5 do
    local waits = { _id = id, owner = { ["$exists"] = false } }
    local runs = { _id = id, owner = { ["$exists"] = true } }
    local again = { ["$inc"] = { wanted = 1 }, ["$set"] = { data = text } }
    local sooner = { ["$inc"] = { wanted = 1 }, ["$set"] = { data = text }, ["$min"] = { run_at = at } }
    if must(db.jobs:update(waits, sooner)) > 0 or must(db.jobs:update(runs, again)) > 0 then return wake() end
    local job = { _id = id, name = name, key = key, data = text, run_at = at, fence = 0, wanted = 1, tries = 0 }
    job.created_at = date(now)
    local made, message, code = db.jobs:insert(job)
    if made then return wake() end
    if code ~= "conflict" then must(nil, message) end
  end
  error("job " .. id .. " changes too fast to be queued")
end

function M.exists(name, key)
  return db.jobs:find_one({ _id = name .. ":" .. key }) ~= nil
end

-- Give up on a job: it is removed, and an alert says so. What still needs it is pushed again by its sweep.
local function drop(job, message)
  log("error", "a job was given up", { job = job._id, tries = job.tries, error = message })
  events.alert { kind = "job", text = "job " .. job._id .. " was given up: " .. message }
  db.jobs:delete { _id = job._id, fence = job.fence }
end

-- A lease whose time ran out although this boot is alive: the run hung or its VM was ended.
local function overrun(job)
  return job.owner ~= nil
end

-- host -> {owner, limit}: lease what is due.
function M.claim(call)
  local now = sys.now()
  local due = assert(db.jobs:find({ run_at = { ["$lte"] = date(now) } }, { sort = { "run_at" }, limit = call.limit }))
  local leased = json.array {}
  for _, job in ipairs(due) do
    local tries = job.tries + (overrun(job) and 1 or 0)
    local every = (load_job(job.name) or {}).every_s
    if tries >= TRIES and not every then
      drop(job, "it ran past its time limit again and again")
    else
      local ms = timeout_ms(job.name)
      local lease = { owner = call.owner, run_at = date(now + ms + LEASE_SLACK_MS), tries = tries }
      local mine = db.jobs:find_and_update(
        { _id = job._id, fence = job.fence, run_at = job.run_at },
        { ["$set"] = lease, ["$inc"] = { fence = 1 } }
      )
      if mine then
        leased[#leased + 1] = { id = mine._id, name = mine.name, fence = mine.fence, timeout_s = ms // 1000 }
      end
    end
  end
  local next_job = db.jobs:find({}, { sort = { "run_at" }, limit = 1 })
  return { jobs = leased, next_at = next_job and next_job[1] and next_job[1].run_at.ms }
end

-- Put a leased job back, due at `at`. A push during the run makes it due at once.
local function requeue(job, at, fields)
  fields.run_at = date(at)
  local mine = { _id = job._id, fence = job.fence, wanted = job.wanted }
  local back = { ["$set"] = fields, ["$unset"] = { owner = true } }
  if must(db.jobs:update(mine, back)) == 0 then
    fields.run_at = date(sys.now())
    fields.data = nil -- the newer push's data stand
    mine.wanted = nil
    db.jobs:update(mine, back)
    wake()
  end
end

local function finish(job)
  if must(db.jobs:delete { _id = job._id, fence = job.fence, wanted = job.wanted }) == 0 then
    requeue(job, sys.now(), { tries = 0 })
  end
end

local function failed(job, module, message)
  local tries = job.tries + 1
  log("error", "a job failed", { job = job._id, tries = tries, error = message })
  if module and module.every_s then
    requeue(job, sys.now() + 1000 * module.every_s, { tries = tries })
  elseif tries >= TRIES then
    job.tries = tries
    drop(job, message)
  else
    requeue(job, sys.now() + backoff_ms(tries), { tries = tries })
  end
end

-- host -> {id, name, fence, owner}: run a leased job and record how it ended.
function M.run(call)
  local job, trouble = db.jobs:find_one { _id = call.id }
  if trouble then error("the job cannot be read: " .. trouble) end
  if not job or job.fence ~= call.fence then
    return { skipped = true } -- it is gone, or another lease has it
  end
  local module, fault = load_job(job.name)
  if not module then return failed(job, nil, tostring(fault)) end
  local started = sys.now()
  local arg = { id = job.key, name = job.name, data = json.decode(job.data), fence = job.fence, tries = job.tries }
  local ok, result = pcall(module.run, arg)
  if not ok then return failed(job, module, tostring(result)) end
  result = result or { done = true }
  if result.again_ms then
    requeue(job, sys.now() + result.again_ms, { tries = 0, data = result.data and json.encode(result.data) })
    if result.again_ms == 0 then wake() end
  elseif module.every_s then
    local fields = { tries = 0, data = result.data and json.encode(result.data) }
    requeue(job, math.max(sys.now(), started + 1000 * module.every_s), fields)
  else
    finish(job)
  end
end

-- Queue the jobs that repeat and are not there yet.
function M.repeating()
  for _, path in ipairs(sys.script_paths()) do
    local name = path:match "^jobs/([%w_-]+)%.lua$"
    local job = name and load_job(name)
    if job and job.every_s and not M.exists(name, name) then M.push(name) end
  end
end

-- host -> {owner}, once at the start of a boot: what an earlier boot had leased is free again, at no cost to the job.
function M.boot(call)
  local others = { owner = { ["$exists"] = true, ["$ne"] = call.owner } }
  must(
    db.jobs:update(others, { ["$unset"] = { owner = true }, ["$set"] = { run_at = date(sys.now()) } }, { many = true })
  )
  M.repeating()
  M.push "adopt"
  return {}
end

return M
