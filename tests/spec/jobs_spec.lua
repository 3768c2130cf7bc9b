-- The jobs that watch: tick, health, adopt, sweep, clean.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local caps = require "lib.caps"
local db = require "lib.store"
local explain = require "lib.explain"
local installation = require "lib.installation"
local instance = require "lib.clean.instance"
local projects = require "lib.projects"
local providers = require "lib.providers"
local warnings = require "lib.warnings"

assert(db.jobs:count {}) -- opens the store, whose handle outlives each test

local MINUTE = 60000

local function world(t)
  return t.load("tests/support/life.lua").new(t)
end

-- Run a job until it says it is done or waits. -> its last answer
local function run(name, data)
  for _ = 1, 200 do
    local answer = require("jobs." .. name).run { id = name, name = name, data = data or {}, fence = 1, tries = 0 }
      or {}
    if answer.again_ms ~= 0 then return answer end
    data = answer.data
  end
  error "the job does not come to rest"
end

local function activated(w, fields)
  local id = w:project(fields)._id
  w:want(id, "active")
  w:settle(id)
  return id
end

local function tick(w)
  w.tick = run("tick", w.tick and w.tick.data)
end

-- Run the cleanup rules with only this provider; a rule's time has come when `later` has passed.
local function clean(w)
  local names = providers.names
  providers.names = function()
    return { "fake" }
  end
  local answer = run("clean", w.clean and w.clean.data)
  providers.names = names
  w.clean = answer
end

return {
  ["an active project shows when it will stop, and stops then"] = function(t)
    local w = world(t)
    local id = activated(w)
    tick(w)
    local p = w:get(id)
    t.eq({ p.next.act, p.next.policy }, { "stop", "idle/after_minutes" })
    t.eq((p.next.at.ms - sys.now() + 30000) // MINUTE, 10)
    w:later(9 * MINUTE)
    tick(w)
    t.eq(w:get(id).state, "active")
    w:later(MINUTE + 1000)
    tick(w)
    p = w:get(id)
    t.eq({ p.state, p.desired, p.reason.policy, p.revision }, { "stopping", "inactive", "idle/after_minutes", 1 })
    local row = db.decisions:find_one { _id = p.reason.decision_id }
    t.eq(
      { row.verdict, row.file, json.decode(row.facts).settings.idle_minutes },
      { "stop", "policies/idle/after_minutes.lua", sys.config.policy.idle_minutes }
    )
    p = w:settle(id)
    t.eq({ p.state, p.reason.policy }, { "inactive", "idle/after_minutes" })
  end,

  ["use puts the stop off; a run of the agent is use until it ends"] = function(t)
    local w = world(t)
    local id = activated(w)
    tick(w)
    w:later(9 * MINUTE)
    t.eq(projects.touch(id, "chat"), 1)
    t.eq(projects.touch(id, "chat"), 0)
    tick(w)
    t.eq((w:get(id).next.at.ms - sys.now() + 30000) // MINUTE, 10)
    local now = date(sys.now())
    db.sessions:insert {
      _id = t.id(),
      project_id = id,
      user_id = "ada",
      status = "waiting_permission",
      created_at = now,
      updated_at = now,
    }
    w:later(60 * MINUTE)
    tick(w)
    t.eq(w:get(id).state, "active")
    db.sessions:delete({ project_id = id }, { many = true })
    w:later(11 * MINUTE)
    tick(w)
    t.eq(w:get(id).state, "stopping")
  end,

  ["idle_minutes 0 never stops"] = function(t)
    local w = world(t)
    local id = activated(w, { settings = { idle_minutes = 0 } })
    for _ = 1, 5 do
      w:later(600 * MINUTE)
      tick(w)
    end
    t.eq({ w:get(id).state, w:get(id).next.act }, { "active", nil })
  end,

  ["only projects whose time has come are looked at, all of them after a new generation"] = function(t)
    local w = world(t)
    local id = activated(w)
    tick(w)
    local rev = w:get(id)._rev
    tick(w)
    t.eq(w:get(id)._rev, rev)
    db.projects:update({ _id = id }, { ["$set"] = { settings = { idle_minutes = 1 } } })
    w:later(2 * MINUTE)
    tick(w)
    t.eq(w:get(id).state, "active")
    w.tick.data.generation = -1
    tick(w)
    t.eq(w:get(id).state, "stopping")
  end,

  ["a policy that fails keeps, and the project says so until it is mended"] = function(t)
    local w = world(t)
    local id = activated(w)
    local file = require "policies.idle.after_minutes"
    local own = file.decide
    file.decide = function()
      error "boom"
    end
    w:later(30 * MINUTE)
    tick(w)
    file.decide = own
    local p = w:get(id)
    t.eq({ p.state, p.last_error.step }, { "active", "idle/after_minutes" })
    t.ok(p.last_error.message:find "boom")
    w:later(2 * MINUTE)
    tick(w)
    t.eq({ w:get(id).state, w:get(id).last_error }, { "stopping", nil })
  end,

  ["three failed checks restart the server, then replace the sandbox, then stop"] = function(t)
    local w = world(t)
    local id = activated(w)
    run "health"
    t.eq({ w:get(id).health.ok, w:get(id).health.failures }, { true, 0 })
    local function strike()
      w.fake.answers = false
      for _ = 1, 3 do
        run "health"
      end
      w.fake.answers = true
    end
    strike()
    local p = w:get(id)
    t.eq({ p.state, p.phase, p.reason.policy, p.sandbox.restarts }, { "active", "starting", "health/three_strikes", 1 })
    p = w:settle(id)
    t.eq({ p.phase, p.sandbox.started, p.health.failures }, { "healthy", "start-2", 0 })
    local first = p.sandbox.id
    strike()
    t.eq({ w:get(id).state, w:get(id).sandbox.doomed }, { "creating", true })
    p = w:settle(id)
    t.eq({ p.state, p.sandbox_n, p.replaced, w.fake.effects["destroy " .. first] }, { "active", 2, 1, 1 })
    strike()
    w:settle(id)
    strike()
    t.eq(w:settle(id).replaced, 2)
    strike()
    p = w:get(id)
    t.eq({ p.state, p.desired, p.reason.policy }, { "stopping", "inactive", "health/three_strikes" })
  end,

  ["a check that goes well again forgets the failures"] = function(t)
    local w = world(t)
    local id = activated(w)
    w.fake.answers = false
    run "health"
    run "health"
    t.eq({ w:get(id).health.ok, w:get(id).health.failures }, { false, 2 })
    w.fake.answers = true
    run "health"
    t.eq({ w:get(id).health.ok, w:get(id).health.failures, w:get(id).state }, { true, 0, "active" })
  end,

  ["after a start living sandboxes are followed again, dead ones replaced at once"] = function(t)
    local w = world(t)
    local alive, dead = activated(w), activated(w)
    w.fake.boxes[w:get(dead).sandbox.id].state = "stopped"
    w.told = {}
    run "adopt"
    t.eq(w:settle(alive).sandbox_n, 1)
    t.eq(w.told, { "started " .. alive })
    local p = w:settle(dead)
    t.eq({ p.state, p.sandbox_n }, { "active", 2 })
  end,

  ["the sweep queues what has no job and is not as wanted, and nothing else"] = function(t)
    local w = world(t)
    local unmet = w:project({ desired = "active" })._id
    local stopping = w:project({ state = "stopping", phase = "stopping", desired = "inactive" })._id
    local failed = w:project({ state = "error", phase = "creating", desired = "active" })._id
    local rest = w:project()._id
    local active = activated(w)
    db.jobs:delete({}, { many = true })
    run "sweep"
    local queued = {}
    for _, id in ipairs { unmet, stopping, failed, rest, active } do
      queued[#queued + 1] = db.jobs:find_one { _id = "reconcile:" .. id } ~= nil
    end
    t.eq(queued, { true, true, false, false, false })
    run "sweep"
    t.eq(db.jobs:find_one({ _id = "reconcile:" .. unmet }).wanted, 1)
  end,

  ["places of projects that need none are given back"] = function(t)
    local w = world(t)
    local id = activated(w)
    local other = w:project()
    caps.reserve(other, function()
      return { verdict = "allow" }
    end)
    t.eq(caps.counts(w:project()).total, 2)
    t.eq(caps.sweep(), 1)
    t.eq(caps.counts(w:project()).total, 1)
    t.eq(caps.counts(w:get(id)).total, 0)
  end,

  ["an orphan of ours goes after its grace, others' and claimed ones stay"] = function(t)
    local w = world(t)
    w:later(10 * MINUTE)
    local id = activated(w)
    local mine = w:get(id).sandbox.id
    local lost = providers.sandbox_name({ _id = sys.uuid() }, 1)
    w.fake.boxes[lost] = { state = "running", steps = {}, installation = installation.id(), project = sys.uuid() }
    w.fake.boxes["gander-foreign"] = { state = "running", steps = {}, installation = "another", project = id }
    w.fake.workspaces.kept = true
    clean(w)
    t.ok(w.fake.boxes[lost])
    for _ = 1, 6 do
      w:later(MINUTE)
      clean(w)
    end
    t.eq({ w.fake.boxes[lost], w.fake.effects["destroy " .. lost] }, { nil, 1 })
    t.ok(w.fake.boxes[mine] and w.fake.boxes["gander-foreign"] and w.fake.workspaces.kept)
    t.eq(db.decisions:count { policy = "cleanup/orphans" }, 1)
    local foreign, files, more = table.unpack(warnings.all())
    t.ok(foreign:find("gander-foreign", 1, true))
    t.ok(files:find("fake/kept", 1, true))
    t.eq(more, nil) -- the files of a project in the store are no news
  end,

  ["no orphan is seen while a list fails, or right after a start"] = function(t)
    local w = world(t)
    w.fake.boxes["gander-x"] = { state = "running", steps = {}, installation = installation.id(), project = sys.uuid() }
    local own = providers.names
    providers.names = function()
      return { "fake" }
    end
    local seen = { ["fake gander-x"] = sys.now() - 60 * MINUTE }
    w.skew = sys.version.started_at - sys.now() + 1000
    local fresh = instance.items { now = sys.now(), seen = seen }
    w.skew = 10 * MINUTE
    local calm = instance.items { now = sys.now(), seen = seen }
    w.fake.fail.list = { times = 1, message = "no answer" }
    local failing = { now = sys.now(), seen = seen }
    local none = instance.items(failing)
    providers.names = own
    t.eq({ #fresh, #calm, #none, failing.still == seen }, { 0, 1, 0, true })
  end,

  ["old log days go, the last batch never"] = function(t)
    local w = world(t)
    local id = w:project()._id
    local function batch(seq, age_days)
      local at = date(sys.now() - age_days * 86400000)
      local line = { at = at, source = "goose-api", stream = "stdout", text = "x" }
      db.sandbox_logs:insert {
        _id = string.format("%s:%015d", id, seq),
        project_id = id,
        first_seq = seq,
        at = at,
        lines = { line },
      }
    end
    for seq, age in ipairs { 50, 40, 40, 2, 1 } do
      batch(seq, age)
    end
    local old = w:project()._id
    db.sandbox_logs:insert {
      _id = old .. ":1",
      project_id = old,
      first_seq = 1,
      at = date(sys.now() - 9 * 864000000),
      lines = { { text = "only" } },
    }
    clean(w)
    local left = {}
    for _, doc in ipairs(db.sandbox_logs:find({ project_id = id }, { sort = { "first_seq" }, limit = 10 })) do
      left[#left + 1] = doc.first_seq
    end
    t.eq(left, { 4, 5 })
    t.eq(db.sandbox_logs:count { project_id = old }, 1)
  end,

  ["a huge log keeps its newest part"] = function(t)
    local w = world(t)
    local id = w:project()._id
    local text = ("x"):rep(16000)
    for seq = 1, 4 do
      local at, lines = date(sys.now() - (4 - seq) * 86400000), {}
      for i = 1, 50 do
        lines[i] = { at = at, source = "goose-api", stream = "stdout", text = text }
      end
      db.sandbox_logs:insert {
        _id = string.format("%s:%015d", id, seq * 50),
        project_id = id,
        first_seq = seq * 50,
        at = at,
        lines = lines,
      }
    end
    local facts_of = require "lib.facts"
    local own = facts_of.settings
    facts_of.settings = function()
      return { log_mb = 1 }
    end
    clean(w)
    facts_of.settings = own
    local left = db.sandbox_logs:find({ project_id = id }, { sort = { "first_seq" }, limit = 10 })
    t.eq({ #left, left[1].first_seq }, { 2, 150 })
  end,

  ["old decisions go without being decisions themselves"] = function(t)
    local w = world(t)
    db.decisions:delete({}, { many = true })
    local verdict = { verdict = "stop", reason = "r", policy = "idle/x", file = "f", line = 1, generation = 1 }
    local row = explain.record(verdict, "idle", {}, { user_id = "ada" })
    db.decisions:update({ _id = row._id }, { ["$set"] = { at = date(sys.now() - 91 * 86400000) } })
    explain.record(verdict, "idle", {}, { user_id = "ada" })
    db.activity:delete({}, { many = true })
    db.activity:insert { _id = "p:1", project_id = "p", kind = "state", at = date(sys.now() - 91 * 86400000) }
    clean(w)
    t.eq({ db.decisions:count {}, db.activity:count {} }, { 1, 0 })
  end,

  ["the queue runs a whole activation by itself"] = function(t)
    local w = world(t)
    local id = w:project()._id
    w:want(id, "active")
    for _ = 1, 200 do
      w:work()
      w:later(300)
      if w:get(id).state == "active" then break end
    end
    t.eq(w:get(id).state, "active")
    w:work()
    t.eq(db.jobs:find_one { _id = "reconcile:" .. id }, nil)
  end,
}
