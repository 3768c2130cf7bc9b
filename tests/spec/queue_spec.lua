-- lib/queue: one job a key, leases, tries, crashes.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local db = require "lib.store"
local queue = require "lib.queue"
local reconcile = require "jobs.reconcile"

local real_now, real_run = sys.now, reconcile.run

assert(db.jobs:count {}) -- opens the store, whose handle outlives each test

-- A clean queue whose "reconcile" job is `run`.
local function with(run)
  db.jobs:delete({}, { many = true })
  reconcile.run = run
  local skew = 0
  sys.now = function()
    return real_now() + skew
  end
  return function(ms)
    skew = skew + ms
  end
end

local function claim(owner)
  local jobs = queue.claim({ owner = owner or "boot-1", limit = 10 }).jobs
  for _, job in ipairs(jobs) do
    job.owner = owner or "boot-1"
  end
  return jobs
end

local function stored(key)
  return db.jobs:find_one { _id = "reconcile:" .. key }
end

local function restore()
  sys.now, reconcile.run = real_now, real_run
end

local tests = {}

tests["a job is claimed once, run with its data, and gone"] = function(t)
  local got
  with(function(job)
    got = job
  end)
  queue.push("reconcile", { a = 1 }, { key = "k" })
  local jobs = claim()
  t.eq(#jobs, 1)
  t.eq(jobs[1].timeout_s, 300)
  t.eq(#claim(), 0)
  queue.run(jobs[1])
  t.eq({ got.id, got.name, got.data, got.tries }, { "k", "reconcile", { a = 1 }, 0 })
  t.eq(stored "k", nil)
end

tests["two pushes of a key are one job"] = function(t)
  with(function() end)
  queue.push("reconcile", {}, { key = "k" })
  queue.push("reconcile", {}, { key = "k" })
  local jobs = claim()
  t.eq(#jobs, 1)
  queue.run(jobs[1])
  t.eq(stored "k", nil)
end

tests["a push during the run makes it run again, with the new data"] = function(t)
  local seen = {}
  with(function(job)
    seen[#seen + 1] = job.data.n
    if #seen == 1 then queue.push("reconcile", { n = 2 }, { key = "k" }) end
  end)
  queue.push("reconcile", { n = 1 }, { key = "k" })
  queue.run(claim()[1])
  local jobs = claim()
  t.eq(#jobs, 1)
  queue.run(jobs[1])
  t.eq(seen, { 1, 2 })
  t.eq(stored "k", nil)
end

tests["again_ms and data are kept for the next run"] = function(t)
  local later = with(function(job)
    return job.data.step == 2 and { done = true } or { again_ms = 5000, data = { step = 2 } }
  end)
  queue.push("reconcile", {}, { key = "k" })
  queue.run(claim()[1])
  t.eq(#claim(), 0)
  later(5001)
  local jobs = claim()
  t.eq(#jobs, 1)
  queue.run(jobs[1])
  t.eq(stored "k", nil)
end

tests["a push brings a waiting job forward"] = function(t)
  with(function() end)
  queue.push("reconcile", {}, { key = "k", at = sys.now() + 60000 })
  t.eq(#claim(), 0)
  t.ok(queue.claim({ owner = "boot-1", limit = 1 }).next_at > sys.now() + 50000)
  queue.push("reconcile", {}, { key = "k" })
  t.eq(#claim(), 1)
end

tests["a job that raises is tried again later, and given up in the end"] = function(t)
  local runs = 0
  local later = with(function()
    runs = runs + 1
    error "no"
  end)
  queue.push("reconcile", {}, { key = "k" })
  queue.run(claim()[1])
  t.eq(stored("k").tries, 1)
  t.eq(#claim(), 0)
  for _ = 2, 10 do
    later(61000)
    local jobs = claim()
    t.eq(#jobs, 1)
    queue.run(jobs[1])
  end
  t.eq(runs, 10)
  t.eq(stored "k", nil)
end

tests["a lease that another took is not run"] = function(t)
  local runs = 0
  local later = with(function()
    runs = runs + 1
  end)
  queue.push("reconcile", {}, { key = "k" })
  local old = claim()[1]
  later(306000)
  local new = claim()[1]
  t.ok(new.fence > old.fence)
  t.eq(queue.run(old), { skipped = true })
  queue.run(new)
  t.eq(runs, 1)
end

tests["a run past its time costs a try, a crash of the host none"] = function(t)
  local later = with(function() end)
  queue.push("reconcile", {}, { key = "k" })
  claim()
  later(306000)
  claim()
  t.eq(stored("k").tries, 1)
  queue.boot { owner = "boot-2" }
  t.eq(stored("k").owner, nil)
  local mine
  for _, job in ipairs(claim "boot-2") do
    mine = mine or job.id == "reconcile:k"
  end
  t.ok(mine)
  t.eq(stored("k").tries, 1)
end

tests["boot queues the jobs that repeat, once"] = function(t)
  with(function() end)
  queue.boot { owner = "boot-1" }
  queue.boot { owner = "boot-1" }
  t.ok(db.jobs:find_one { _id = "tick:tick" })
  t.eq(db.jobs:find_one({ _id = "tick:tick" }).wanted, 1)
end

local out = {}
for name, test in pairs(tests) do
  out[name] = function(t)
    local ok, message = pcall(test, t)
    restore()
    if not ok then error(message, 0) end
  end
end
return out
