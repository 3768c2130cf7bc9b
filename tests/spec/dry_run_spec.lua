-- A text as a policy beside those in force: the limits it runs under, and the dry run on projects of the store.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local app = require "lib.app"
local db = require "lib.store"
local verdicts = require "lib.verdicts"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local PATH = "policies/idle/after_minutes.lua"
local load_pure = sys.scripts.load_pure

local function policy(body, head)
  return (head or "") .. '\nreturn { doc = "A test.", on = "idle", decide = function(facts) ' .. body .. " end }"
end

local function dry_run(decision, name, body, query)
  local route = "POST /api/policies/:decision/:name/dry-run"
  local _, status, text = app.dispatch {
    id = "r-1",
    method = "POST",
    path = "/api/policies",
    params = { decision = decision, name = name },
    query = query or {},
    headers = {},
    body = json.encode(json.object(body)),
    file = "routes/policies",
    route = route,
  }
  return status, json.decode(text)
end

local function world(t)
  return t.load("tests/support/life.lua").new(t)
end

local function active(w, fields)
  fields = fields or {}
  fields.state, fields.desired, fields.active_at = "active", "active", date(sys.now())
  return w:project(fields)
end

return {
  ["a text is a module of its own; what is in force stays"] = function(t)
    local module = t.ok(load_pure(PATH, policy "return stop 'now'"))
    local verdict = module.decide {}
    t.eq({ verdict.verdict, verdict.file, verdict.line }, { "stop", PATH, 2 })
    t.ok(module ~= require "policies.idle.after_minutes")
  end,

  ["it sees the pure library and every verdict, nothing of the host"] = function(t)
    for _, name in ipairs { "require", "load", "setmetatable", "coroutine", "print", "os" } do
      local module, message, code = load_pure(PATH, "local x = " .. name .. " return {}")
      t.eq({ module, code }, { nil, "invalid" })
      t.eq(message, PATH .. ":1: there is no '" .. name .. "' here")
    end
    for _, takes in pairs(verdicts.TAKES) do
      for _, name in ipairs(takes) do
        t.ok(load_pure(PATH, "assert(" .. name .. ") return {}"))
      end
    end
    t.fails("invalid", load_pure(PATH, "leak = 1 return {}"))
    t.fails("invalid", load_pure(PATH, "string.rep = 1 return {}"))
  end,

  ["rubbish is told with file and line"] = function(t)
    for text, fault in pairs {
      ["\n\nreturn {"] = ":3: .*expected",
      ["\nerror 'no'"] = ":2: no",
      ["return 7"] = ":1: the file must return a table",
      ["\27Lua"] = "binary chunk",
      ["\nlocal x = nil + 1"] = ":2: attempt to perform arithmetic",
    } do
      local module, message, code = load_pure(PATH, text)
      t.eq({ module, code }, { nil, "invalid" }, text)
      t.ok(message:find(fault), message)
    end
    t.fails("invalid", load_pure(PATH, "error {}"))
    t.raises(load_pure, "policies/ or cleanup/", "lib/app.lua", "return {}")
    t.raises(load_pure, "policies/ or cleanup/", "policies/../lib/app.lua", "return {}")
  end,

  ["a loop ends, in the file's body and in decide, and names its line"] = function(t)
    local message = t.fails("invalid", load_pure(PATH, "\nwhile true do pcall(error) end"))
    t.ok(message:find(PATH .. ":2: the decision took more than", 1, true), message)
    local module = t.ok(load_pure(PATH, policy "\nwhile true do pcall(error) end"))
    t.raises(module.decide, "after_minutes.lua:3: the decision took more than", {})
    t.ok(load_pure(PATH, "return {}")) -- the next one runs
  end,

  ["a text that eats the memory is refused"] = function(t)
    local message = t.fails("invalid", load_pure(PATH, "local s = 'xx' while true do s = s .. s end"))
    t.eq(message, "not enough memory")
  end,

  ["a dry run shows both verdicts and does nothing"] = function(t)
    local w = world(t)
    local used, unused = active(w), active(w, { created_at = date(sys.now() - 700000), name = "b" })
    db.projects:update({ _id = unused._id }, { ["$set"] = { active_at = date(sys.now() - 660000) } })
    w:project() -- inactive: idle is not about it
    local before = json.encode(assert(db.projects:find {}))
    local decisions = db.decisions:count {}
    local status, body = dry_run("idle", "after_minutes", { text = policy "return keep 'never'" })
    t.eq({ status, #body.items, body.next }, { 200, 2, json.null }, json.encode(body))
    local of = {}
    for _, item in ipairs(body.items) do
      of[item.project_id] = item
    end
    local item = of[unused._id]
    t.eq({ item.before.verdict, item.after.verdict, item.differs }, { "stop", "keep", true })
    t.eq({ item.after.reason, item.after.file, item.after.line }, { "never", PATH, 2 })
    t.ok(of[used._id].before["until"]:find "^%d+%-%d%d%-%d%dT")
    t.eq(json.encode(assert(db.projects:find {})), before)
    t.eq(db.decisions:count {}, decisions)
  end,

  ["without a text nothing differs; another time can be asked about"] = function(t)
    local w = world(t)
    local p = active(w)
    local status, body = dry_run("idle", "after_minutes", { project = p._id })
    local item = body.items[1]
    t.eq({ status, item.before.verdict, item.differs }, { 200, "keep", false })
    t.eq(item.before, item.after)
    local _, later = dry_run("idle", "after_minutes", { project = p._id, now = date(sys.now() + 3600000) })
    t.eq(later.items[1].before.verdict, "stop")
  end,

  ["a new file takes its place by its order"] = function(t)
    local w = world(t)
    active(w)
    local text = policy("return stop 'first'"):gsub("on =", "order = 1, on =")
    local _, body = dry_run("idle", "a_new_one", { text = text })
    t.eq({ body.items[1].before.verdict, body.items[1].after.policy }, { "keep", "idle/a_new_one" })
    t.eq((dry_run("idle", "a_new_one", {})), 404)
  end,

  ["a text that fails on facts is shown as a fault of its line"] = function(t)
    local w = world(t)
    active(w)
    local _, body = dry_run("idle", "after_minutes", { text = policy "\nreturn stop(facts.nothing)" })
    local after = body.items[1].after
    t.eq({ after.verdict, after.failed, after.line }, { "keep", true, 3 })
    t.ok(after.reason:find "no fact 'nothing'")
  end,

  ["a retry is asked about the last failure"] = function(t)
    local w = world(t)
    w:project()
    local failed = w:project {
      state = "error",
      name = "f",
      retry = { count = 3, max = 3 },
      last_error = { code = "timeout", message = "m", step = "installing", at = date(sys.now()), retryable = false },
    }
    local text = 'return { doc = "d", on = "retry", decide = function(f) return retry(5000, f.attempt.step) end }'
    local _, body = dry_run("retry", "backoff", { text = text })
    t.eq({ #body.items, body.items[1].project_id, body.items[1].before.verdict }, { 1, failed._id, "give_up" })
    t.eq({ body.items[1].after.verdict, body.items[1].after.reason }, { "retry", "installing" })
    t.ok(body.items[1].after.at)
  end,

  ["the projects come in pages"] = function(t)
    local w = world(t)
    for i = 1, 3 do
      active(w, { name = "p" .. i })
    end
    local _, first = dry_run("idle", "after_minutes", {}, { limit = "2" })
    local _, rest = dry_run("idle", "after_minutes", {}, { limit = "2", after = first.next })
    t.eq({ #first.items, #rest.items, rest.next }, { 2, 1, json.null })
  end,

  ["what cannot be tried is refused with its place"] = function(t)
    world(t)
    local status, body = dry_run("idle", "after_minutes", { text = "\nreturn {" })
    t.eq(
      { status, body.error.code, body.error.details[1].file, body.error.details[1].line },
      { 400, "invalid", PATH, 2 }
    )
    status, body = dry_run("idle", "after_minutes", { text = 'return { doc = "d", on = "retry" }' })
    t.eq({ status, #body.error.details }, { 400, 2 })
    t.eq((dry_run("idle", "after_minutes", { project = sys.uuid() })), 404)
    t.eq((dry_run("idle", "nowhere", {})), 404)
    t.eq((dry_run("cleanup", "logs", {})), 404)
    t.eq((dry_run("idle", "../x", { text = "return {}" })), 400)
    t.eq((dry_run("idle", "after_minutes", { now = "yesterday" })), 400)
  end,
}
