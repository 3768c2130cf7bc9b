-- jobs/reconcile on a fake provider: the trip up and down, the state table, failures, kills at every step.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"
local lifecycle = require "lib.lifecycle"
local logs = require "lib.logs"
local reconcile = require "jobs.reconcile"
local policy = require "lib.policy"

assert(db.jobs:count {}) -- opens the store, whose handle outlives each test

local function world(t, options)
  return t.load("tests/support/life.lua").new(t, options)
end

-- Walk until `stop(project)` holds. -> the project
local function walk(w, id, stop)
  for _ = 1, 60 do
    local project = w:get(id)
    if stop(project) then return project end
    w:later(w:step(id) or 0)
  end
  error "the state was never reached"
end

local function at(state, phase)
  return function(project)
    return project.state == state and (not phase or project.phase == phase)
  end
end

local function activated(w)
  local id = w:project()._id
  w:want(id, "active")
  return w:settle(id)
end

local function phases_of(id)
  local list = {}
  for i, row in ipairs(db.activity:find({ project_id = id }, { sort = { "at" }, limit = 200 })) do
    list[i] = row.phase
  end
  return table.concat(list, " ")
end

local function held(id)
  local caps = db.caps:find_one { _id = "caps" }
  return caps ~= nil and caps.holders[id] ~= nil
end

return {
  ["an activation goes through its phases, each effect once"] = function(t)
    local w = world(t)
    local p = activated(w)
    t.eq({ p.state, p.phase, p.desired, p.sandbox_n }, { "active", "healthy", "active", 1 })
    t.eq(phases_of(p._id), "queued creating installing starting healthy")
    local name = p.sandbox.id
    t.ok(name:match "^gander%-.*%-1$" and name:find(p._id, 1, true))
    t.eq(w.fake.effects, { ["create " .. name] = 1, ["put " .. name] = 1, ["start " .. name] = 1 })
    t.eq(p.sandbox.isolation.tier, "fake")
    t.eq({ p.health.ok, p.health.server_id, p.health.model.demo }, { true, "s-1", true })
    t.eq({ p.progress.step, p.progress.of, #p.progress.steps }, { 5, 5, 5 })
    for _, step in ipairs(p.progress.steps) do
      t.ok(step.ended_at, step.name .. " has ended")
    end
    t.ok(held(p._id))
    t.eq(w.told[#w.told], "started " .. p._id)
    local counter = db.counters:find_one { _id = "activations" }
    t.ok(counter.count >= 1 and counter.total_ms >= 0)
  end,

  ["a deactivation drains, saves, collects, stops and gives its place back"] = function(t)
    local w = world(t)
    local id = activated(w)._id
    w:want(id, "inactive")
    local p = w:settle(id)
    t.eq({ p.state, p.phase, p.sandbox }, { "inactive", "stopped", nil })
    t.ok(phases_of(id):find "healthy draining saving collecting stopping stopped$")
    t.ok(p.stopped_at)
    t.eq(next(w.fake.boxes), nil)
    t.ok(w.fake.workspaces[id])
    t.ok(not held(id))
    t.ok(#p.progress.steps == 5)
  end,

  ["draining waits for runs until its deadline, force does not"] = function(t)
    local w = world(t)
    w.busy = true
    local id = activated(w)._id
    w:want(id, "inactive")
    t.ok(w:step(id) > 0)
    t.eq(w:get(id).phase, "draining")
    w:later(20000)
    w:step(id)
    t.eq(w:get(id).phase, "saving")
    id = activated(w)._id
    w:want(id, "inactive", { force = true })
    w:step(id)
    t.eq(w:get(id).phase, "saving")
  end,

  ["a workspace that is not kept goes with the stop"] = function(t)
    local w = world(t)
    local id = w:project({ settings = { workspace = "discard" } })._id
    w:want(id, "active")
    w:settle(id)
    w:want(id, "inactive")
    w:settle(id)
    t.eq(w.fake.workspaces[id], nil)
  end,

  ["delete stops first and removes everything"] = function(t)
    local w = world(t)
    local id = activated(w)._id
    db.sessions:insert {
      _id = t.id(),
      project_id = id,
      user_id = "ada",
      created_at = w:get(id).created_at,
      updated_at = w:get(id).created_at,
    }
    w:want(id, "deleted")
    t.eq({ w:get(id).state, w:get(id).desired }, { "stopping", "deleted" })
    for _ = 1, 30 do
      if not w:step(id) then break end
    end
    t.eq(w:get(id), nil)
    t.eq(next(w.fake.boxes), nil)
    t.eq(w.fake.workspaces[id], nil)
    t.eq(db.sessions:count { project_id = id }, 0)
    t.eq(db.activity:count { project_id = id }, 0)
    t.ok(not held(id))
  end,

  ["activate while stopping: one stop, then one start"] = function(t)
    local w = world(t)
    local id = activated(w)._id
    w:want(id, "inactive")
    walk(w, id, at("stopping", "stopping"))
    w:want(id, "active")
    t.eq(w:get(id).state, "stopping")
    local p = w:settle(id)
    t.eq({ p.state, p.sandbox_n }, { "active", 2 })
    t.eq(w.fake.effects["stop " .. p.sandbox.id:gsub("2$", "1")], 1)
    t.eq(w.fake.effects["create " .. p.sandbox.id], 1)
  end,

  ["deactivate during each phase of creating cleans up"] = function(t)
    for _, phase in ipairs { "queued", "creating", "installing", "starting" } do
      local w = world(t)
      local id = w:project()._id
      w:want(id, "active")
      walk(w, id, at("creating", phase))
      w:want(id, "inactive")
      t.eq(w:get(id).state, "creating")
      local p = w:settle(id)
      t.eq({ p.state, p.sandbox }, { "inactive", nil }, phase)
      t.eq(next(w.fake.boxes), nil)
      t.ok(not held(id))
    end
  end,

  ["a failing step is tried again under a new name, then succeeds"] = function(t)
    local w = world(t)
    w.fake.fail.start = { message = "no room", code = "unavailable", times = 1 }
    local id = w:project()._id
    w:want(id, "active")
    local p = walk(w, id, at("creating", "waiting_retry"))
    t.eq({ p.retry.count, p.retry.max, p.last_error.message, p.last_error.step }, { 1, 3, "no room", "starting" })
    t.eq({ p.next.act, p.next.policy, p.last_error.retryable }, { "start", "retry/backoff", true })
    t.eq(p.progress.steps[#p.progress.steps].error, "no room")
    local said = logs.page(id, { source = "lifecycle", level = "error" })
    t.ok(#said == 1 and said[1].text:find "creating: waiting_retry %(no room%)")
    local first = p.sandbox.id
    p = w:settle(id)
    t.eq({ p.state, p.retry, p.last_error, p.sandbox_n }, { "active", nil, nil, 2 })
    t.ok(p.sandbox.id ~= first)
    t.eq({ w.fake.effects["create " .. first], w.fake.effects["destroy " .. first] }, { 1, 1 })
    t.eq(db.decisions:count { project_id = id, policy = "retry/backoff" }, 1)
  end,

  ["after three retries it is an error with a readable cause, and no sandbox stays"] = function(t)
    local w = world(t)
    w.fake.fail.create = { message = "the provider answered 503", code = "unavailable", times = 99 }
    local id = w:project()._id
    w:want(id, "active")
    local p = w:settle(id)
    t.eq({ p.state, p.phase, p.desired, p.sandbox, p.sandbox_n }, { "error", "creating", "active", nil, 4 })
    t.eq(
      { p.last_error.message, p.last_error.code, p.last_error.retryable },
      { "the provider answered 503", "unavailable", false }
    )
    t.eq(w.fake.calls.create, 4)
    t.ok(p.reason.text:find "failed 4 times" and p.reason.file == "policies/retry/backoff.lua" and p.reason.line > 1)
    t.ok(not held(id))
  end,

  ["activate after an error is the manual retry: counters reset"] = function(t)
    local w = world(t)
    w.fake.fail.create = { times = 4 }
    local id = w:project()._id
    w:want(id, "active")
    t.eq(w:settle(id).state, "error")
    w:want(id, "active")
    local p = w:get(id)
    t.eq({ p.state, p.retry, p.last_error, p.reason }, { "creating", nil, nil, nil })
    t.eq(w:settle(id).state, "active")
  end,

  ["deactivate and delete leave an error behind"] = function(t)
    local w = world(t)
    w.fake.fail.create = { times = 99 }
    local id = w:project()._id
    w:want(id, "active")
    w:settle(id)
    w:want(id, "inactive")
    t.eq(w:settle(id).state, "inactive")
    w:want(id, "active")
    w:settle(id)
    w:want(id, "deleted")
    for _ = 1, 10 do
      w:step(id)
    end
    t.eq(w:get(id), nil)
  end,

  ["the provider's own wait is kept"] = function(t)
    local w = world(t)
    w.fake.fail.create = { code = "busy", times = 1, extra = { retry_after_ms = 90000 } }
    local id = w:project()._id
    w:want(id, "active")
    local p = walk(w, id, at("creating", "waiting_retry"))
    t.eq(p.retry.next_at.ms - p.last_error.at.ms, 90000)
  end,

  ["a source the provider cannot take is said before anything is created"] = function(t)
    local w = world(t)
    local id = w:project({ source = { type = "image", image = "x" } })._id
    w:want(id, "active")
    local p = w:settle(id)
    t.eq({ p.state, p.last_error.code }, { "error", "invalid" })
    t.ok(p.last_error.message:find "cannot start a source of type 'image'")
    t.eq(w.fake.calls.create, nil)
  end,

  ["a server that ends or never answers is a failure with its cause"] = function(t)
    local w = world(t)
    w.fake.answers = false
    local id = w:project()._id
    w:want(id, "active")
    local p = walk(w, id, function(q)
      return q.sandbox and q.sandbox.started
    end)
    w.fake.boxes[p.sandbox.id].steps.start.exit = 3
    p = walk(w, id, at("creating", "waiting_retry"))
    t.ok(p.last_error.message:find "ended with status 3")
    id = w:project()._id
    w:want(id, "active")
    walk(w, id, at("creating", "starting"))
    for _ = 1, 6 do
      w:step(id)
      w:later(30000)
    end
    t.eq({ w:get(id).last_error.code }, { "timeout" })
  end,

  ["admission denies under the reservation: desired goes back, the reason stays"] = function(t)
    local w = world(t)
    local id = w:project({ settings = { max_active_per_user = 1 } })._id
    activated(w)
    w:want(id, "active")
    local p = w:settle(id)
    t.eq({ p.state, p.desired, p.reason.policy }, { "inactive", "inactive", "admission/cap_per_user" })
    t.ok(db.decisions:find_one { _id = p.reason.decision_id })
    t.ok(not held(id))
  end,

  ["a full house queues, a place given back wakes the first"] = function(t)
    local w = world(t)
    local first = activated(w)._id
    local id = w:project({ settings = { max_active = 1 } })._id
    w:want(id, "active")
    w:step(id)
    local p = w:get(id)
    t.eq({ p.state, p.phase, p.queue.position, p.reason.policy }, { "creating", "queued", 1, "admission/cap_total" })
    w:step(id)
    t.eq(db.decisions:count { project_id = id }, 1)
    db.jobs:delete({}, { many = true })
    w:want(first, "inactive")
    w:settle(first)
    t.ok(db.jobs:find_one { _id = "reconcile:" .. id })
    t.eq(w:settle(id).state, "active")
  end,

  ["of two who wait the one that came first is asked first"] = function(t)
    local w = world(t)
    local holder, ids = activated(w)._id, {}
    for i = 1, 2 do
      ids[i] = w:project({ settings = { max_active = 1 } })._id
      w:want(ids[i], "active")
      w:step(ids[i])
      w:later(10)
    end
    db.jobs:delete({}, { many = true })
    w:want(holder, "inactive")
    w:settle(holder)
    local first, second =
      db.jobs:find_one { _id = "reconcile:" .. ids[1] }, db.jobs:find_one { _id = "reconcile:" .. ids[2] }
    t.ok(second.run_at.ms - first.run_at.ms >= 500, "both ask at the same time")
  end,

  ["who waits too long is denied"] = function(t)
    local w = world(t)
    activated(w)
    local id = w:project({ settings = { max_active = 1 } })._id
    w:want(id, "active")
    w:step(id)
    w:later(31 * 60000)
    w:step(id)
    local p = w:get(id)
    t.eq({ p.state, p.desired, p.queue }, { "inactive", "inactive", nil })
    t.ok(p.reason.text:find "it waited 31 minutes")
  end,

  ["two activations never both take the last place"] = function(t)
    local w = world(t)
    local a = w:project({ settings = { max_active = 1 } })._id
    local b = w:project({ settings = { max_active = 1 } })._id
    w:want(a, "active")
    w:want(b, "active")
    local decide, once = policy.decide, true
    policy.decide = function(...)
      local verdict = decide(...)
      if once then -- the other takes the place between this one's question and its reservation
        once = false
        w:step(b)
      end
      return verdict
    end
    w:step(a)
    policy.decide = decide
    t.eq({ w:get(a).phase, w:get(b).phase }, { "queued", "creating" })
  end,

  ["a stop the provider refuses is tried for ever, with the cause on the page; force ends it"] = function(t)
    local w = world(t)
    local id = activated(w)._id
    w.fake.fail.stop = { message = "no answer", times = 1000 }
    w:want(id, "inactive")
    for _ = 1, 20 do
      w:later(w:step(id))
    end
    local p = w:get(id)
    t.eq({ p.state, p.phase, p.last_error.message }, { "stopping", "stopping", "no answer" })
    t.ok(p.retry.count > 3)
    w:want(id, "inactive", { force = true })
    t.eq(w:settle(id).state, "inactive")
  end,

  ["illegal moves raise"] = function(t)
    local w = world(t)
    local p = w:project()
    t.raises(function()
      lifecycle.move(p, "active", "healthy")
    end, "cannot go from inactive to active")
    t.raises(function()
      lifecycle.move(p, "creating", "healthy")
    end, "state creating has no phase healthy")
  end,

  ["a lost race is run again while its ground stands, else given up"] = function(t)
    local w = world(t)
    local p = activated(w)
    db.projects:update({ _id = p._id }, { ["$set"] = { description = "x" }, ["$inc"] = { _rev = 1 } })
    t.ok(lifecycle.note(p, { health = { ok = false } }))
    p = w:get(p._id)
    t.eq({ p.description, p.health.ok }, { "x", false })
    w:want(p._id, "inactive")
    local _, _, code = lifecycle.move(p, "active", "starting")
    t.eq(code, "conflict")
  end,

  ["killed after any effect or record, run again: the same end, no effect twice"] = function(t)
    -- A kill is a raise: right after a provider's effect, and right before the write that records it.
    local points = 0
    local function trip(kill_at)
      local w = world(t)
      local id = w:project()._id
      local n = 0
      local function maybe_kill()
        n = n + 1
        if n == kill_at then error "killed" end
      end
      for _, name in ipairs { "create", "put", "start", "stop", "destroy", "remove_workspace" } do
        w.fake.after[name] = maybe_kill
      end
      local swap = require("lib.projects").swap
      require("lib.projects").swap = function(...)
        maybe_kill()
        local after, message, code = swap(...)
        maybe_kill()
        return after, message, code
      end
      local function run(until_)
        for _ = 1, 80 do
          local ok, result = pcall(reconcile.run, { id = id, name = "reconcile", data = {}, fence = 1, tries = 0 })
          if not ok then
            t.ok(tostring(result):find "killed", result)
          elseif not result.again_ms then
            break
          else
            w:later(result.again_ms)
          end
        end
        t.ok(until_(w:get(id)), "killed at " .. tostring(kill_at))
      end
      pcall(w.want, w, id, "active")
      if w:get(id).desired ~= "active" then w:want(id, "active") end
      run(at("active", "healthy"))
      local name = w:get(id).sandbox.id
      t.ok(name:find "%-1$", "no name is used up by a kill")
      pcall(w.want, w, id, "deleted")
      if w:get(id).desired ~= "deleted" then w:want(id, "deleted") end
      run(function(p)
        return p == nil
      end)
      require("lib.projects").swap = swap
      for _, effect in ipairs { "create ", "start ", "stop ", "destroy " } do
        t.eq(w.fake.effects[effect .. name], 1, "killed at " .. tostring(kill_at) .. ": " .. effect)
      end
      t.eq(next(w.fake.boxes), nil)
      t.ok(not held(id))
      points = n
    end
    trip(nil)
    local all = points
    t.ok(all > 30)
    for kill_at = 1, all do
      trip(kill_at)
    end
  end,
}
