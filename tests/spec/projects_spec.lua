-- Routes of users, projects, activation, decisions, system: through the dispatcher, as a request comes in.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local app = require "lib.app"
local db = require "lib.store"
local desired = require "lib.desired"
local explain = require "lib.explain"
local lifecycle = require "lib.lifecycle"
local projects = require "lib.projects"
local settings_of = require "lib.settings"
local sys = require "gander.sys"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local LIST, ONE = "/api/users/:user/projects", "/api/users/:user/projects/:project"
local FILES = { [LIST] = "routes/projects", [ONE] = "routes/projects" }

-- Send a request. -> status, decoded body, headers
local function call(method, path, params, options)
  options = options or {}
  local query = {}
  for name, value in pairs(options.query or {}) do
    query[name] = tostring(value)
  end
  local kind, status, body, headers = app.dispatch {
    id = "r-1",
    method = method,
    path = path,
    params = params or {},
    query = query,
    headers = options.headers or {},
    body = options.raw or options.body and json.encode(options.body) or "",
    via = "tcp",
    file = options.file or FILES[path] or "routes/activation",
    route = method .. " " .. path,
  }
  assert(kind == "answer", kind)
  return status, body ~= "" and json.decode(body) or nil, headers or {}
end

local function world(t)
  return t.load("tests/support/life.lua").new(t)
end

local function post(body)
  body.provider = body.provider or "fake"
  return call("POST", LIST, { user = "ada" }, { body = body })
end

local function at(id)
  return { user = "ada", project = id }
end

local function faults_of(body)
  local names = {}
  for i, fault in ipairs(body.error.details or {}) do
    names[i] = fault.field .. ":" .. fault.rule
  end
  return table.concat(names, " ")
end

return {
  ["the users of the configuration, with their counts"] = function(t)
    local w = world(t)
    w:project()
    local status, body, headers = call("GET", "/api/users", {}, { file = "routes/users" })
    t.eq({ status, body.items[1].id, body.items[1].projects.total }, { 200, "ada", 1 })
    t.ok(headers["X-Gander-Event-Id"])
    local _, page = call("GET", "/api/users", {}, { file = "routes/users", query = { limit = 1 } })
    t.eq({ #page.items, page.next }, { 1, "ada" })
    _, page = call("GET", "/api/users", {}, { file = "routes/users", query = { limit = 1, after = "ada" } })
    t.eq(page.items[1].id, "grace")
  end,

  ["a project is made, read, listed"] = function(t)
    local w = world(t)
    local status, p, headers = post { name = "  Swan  API ", description = "d" }
    t.eq({ status, p.name, p.state, p.desired, p.revision }, { 201, "Swan  API", "inactive", "inactive", 1 })
    t.eq(headers.ETag, '"1"')
    t.eq(headers.Location, LIST .. "/" .. p.id)
    t.eq(p.applies, {})
    local code, same = call("GET", ONE, at(p.id))
    t.eq({ code, same }, { 200, p })
    w:later(1)
    post { name = "other" }
    local _, list = call("GET", LIST, { user = "ada" }, { query = { q = "sWAN a" } })
    t.eq({ #list.items, list.items[1].id, list.next }, { 1, p.id, json.null })
    _, list = call("GET", LIST, { user = "ada" }, { query = { limit = 1 } })
    t.eq(list.items[1].name, "other")
    _, list = call("GET", LIST, { user = "ada" }, { query = { limit = 1, after = list.next } })
    t.eq(list.items[1].id, p.id)
    _, list = call("GET", LIST, { user = "ada" }, { query = { state = "active" } })
    t.eq(#list.items, 0)
  end,

  ["a wish that comes upon a change counts on from its revision"] = function(t)
    local w = world(t)
    local seen = w:project()
    t.eq((call("PATCH", ONE, at(seen._id), { body = { description = "meanwhile" } })), 200)
    local after = assert(desired.write(seen, "active", { by = "ada", person = true }))
    t.eq({ seen.revision, after.revision, after.description }, { 1, 3, "meanwhile" })
  end,

  ["another user's project, an unknown id, an unknown user answer alike"] = function(t)
    world(t)
    local _, p = post { name = "mine" }
    local bodies = {}
    for _, who in ipairs { { "grace", p.id }, { "ada", "nothing" }, { "nobody", p.id } } do
      local status, body = call("GET", ONE, { user = who[1], project = who[2] })
      t.eq(status, 404)
      bodies[#bodies + 1] = body.error.message
    end
    t.eq(bodies[1], bodies[2])
    t.eq(bodies[1], bodies[3])
    t.eq((call("GET", LIST, { user = "nobody" })), 404)
    t.eq((call("POST", LIST, { user = "nobody" }, { body = { name = "x" } })), 404)
    t.eq((call("POST", ONE .. "/activate", { user = "grace", project = p.id })), 404)
  end,

  ["a name is unique without regard to case, blanks and width"] = function(t)
    world(t)
    post { name = "Straße 1" }
    for _, name in ipairs { "straße 1", "STRASSE 1", "Straße  1 ", "Straße １" } do
      local status, body = post { name = name }
      t.eq({ status, body.error.code, body.error.details[1].reason }, { 409, "conflict", "name_taken" }, name)
    end
    local _, other = post { name = "two" }
    t.eq((call("PATCH", ONE, at(other.id), { body = { name = "STRASSE 1" } })), 409)
    t.eq((call("POST", LIST, { user = "grace" }, { body = { name = "Straße 1", provider = "fake" } })), 201)
  end,

  ["bad fields are all named at once"] = function(t)
    world(t)
    local status, body =
      post { name = "", description = ("x"):rep(501), settings = { vcpus = 3, idle = 1, engine = "x" }, nam = 1 }
    t.eq(status, 400)
    local named = faults_of(body)
    for _, part in ipairs {
      "description:max",
      "name:min",
      "nam:unknown",
      "settings.engine:enum",
      "settings.idle:unknown",
    } do
      t.ok(named:find(part, 1, true), part .. " in " .. named)
    end
    status, body = post { name = "x", settings = { vcpus = 3, env = { GOOSE_API_TOKEN = "x" } } }
    t.eq(status, 400)
    t.eq(faults_of(body), "settings.env.GOOSE_API_TOKEN:reserved settings.vcpus:even")
    for _, name in ipairs { ("x"):rep(65), "a\nb", "\u{a0}" } do
      t.eq((post { name = name }), 400, name)
    end
    t.eq((post { name = ("ü"):rep(64) }), 201)
    t.eq((post { name = "p", provider = "nowhere" }), 400)
    t.eq((call("POST", LIST, { user = "ada" }, { raw = "[" })), 400)
    t.eq((call("POST", LIST, { user = "ada" }, { raw = ("["):rep(2048) })), 400)
    t.eq((call("POST", LIST, { user = "ada" }, { raw = '{"name":"\xff"}' })), 400)
  end,

  ["a source is checked by its type"] = function(t)
    world(t)
    local good = {
      { type = "builtin" },
      { type = "git", url = "https://example.org/a.git", revision = "v1.2", start = { "npm", "start" } },
      { type = "git", url = "git@example.org:a/b.git", directory = "apps/api" },
      { type = "git", url = "ssh://git@example.org/a.git", username = "u", password = "pass word" },
    }
    for i, source in ipairs(good) do
      local status, body = post { name = "good " .. i, source = source }
      t.eq(status, 201, json.encode(body))
      t.eq(body.source.password, source.password and "***")
    end
    local bad = {
      { { type = "git", url = "file:///etc/passwd" }, "source.url:scheme" },
      { { type = "git", url = "--upload-pack=touch /tmp/x" }, "source.url:pattern" },
      { { type = "git", url = "https://u:p@example.org/a.git" }, "source.url:password" },
      { { type = "git", url = "https://" }, "source.url:host" },
      { { type = "git" }, "source.url:required" },
      { { type = "git", url = "https://e.org/a", directory = "../x" }, "source.directory:path" },
      { { type = "git", url = "https://e.org/a", directory = "a/../../x" }, "source.directory:path" },
      { { type = "git", url = "https://e.org/a", revision = "-x" }, "source.revision:pattern" },
      { { type = "git", url = "https://e.org/a", start = {} }, "source.start:max" },
      { { type = "tar" }, "source.type:enum" },
      { "git", "source.type:enum" },
      { { type = "builtin", url = "x" }, "source.url:unknown" },
      { { type = "image", image = "x" }, "source.type:provider" },
    }
    for i, case in ipairs(bad) do
      local status, body = post { name = "bad " .. i, source = case[1] }
      t.eq({ status, faults_of(body) }, { 400, case[2] }, json.encode(case[1]))
    end
  end,

  ["a list is no object, and the fault of a choice is that of the type it has"] = function(t)
    world(t)
    local _, p = post { name = "x" }
    for _, raw in ipairs { "[]", '"x"', "7", "null" } do
      t.eq((call("PATCH", ONE, at(p.id), { raw = raw })), 400, raw)
    end
    local _, body = post { name = "y", settings = { egress = { alow = {} } } }
    t.eq(faults_of(body), "settings.egress.alow:unknown")
  end,

  ["env is write-only and sealed; *** keeps, null removes"] = function(t)
    world(t)
    local _, p = post { name = "e", settings = { env = { A = "secret-a", B = "secret-b" } } }
    t.eq(p.settings.env, { A = "***", B = "***" })
    local stored = projects.get(p.id)
    t.ok(not json.encode(stored):find "secret%-")
    t.eq(settings_of.env(stored), { A = "secret-a", B = "secret-b" })
    local status, after =
      call("PATCH", ONE, at(p.id), { body = { settings = { env = { A = json.null, C = "c", B = "***" } } } })
    t.eq({ status, after.settings.env, after.revision }, { 200, { B = "***", C = "***" }, 2 })
    t.eq(settings_of.env(projects.get(p.id)), { B = "secret-b", C = "c" })
    local body
    status, body = call("PATCH", ONE, at(p.id), { body = { settings = { env = { Z = "***" } } } })
    t.eq({ status, faults_of(body) }, { 400, "settings.env.Z:hidden" })
    _, after = call("PUT", ONE, at(p.id), { body = { settings = { env = { B = "***" }, vcpus = 4 } } })
    t.eq({ after.settings, after.name }, { { env = { B = "***" }, vcpus = 4 }, "e" })
    t.eq(settings_of.env(projects.get(p.id)), { B = "secret-b" })
  end,

  ["another host drops the source's password, the same keeps it"] = function(t)
    world(t)
    local source = { type = "git", url = "https://a.org/x.git", password = "hunter22" }
    local _, p = post { name = "g", source = source }
    local _, after = call("PATCH", ONE, at(p.id), { body = { source = { url = "https://a.org/y.git" } } })
    t.eq({ after.source.url, after.source.password }, { "https://a.org/y.git", "***" })
    t.eq(settings_of.source(projects.get(p.id)).password, "hunter22")
    _, after = call("PATCH", ONE, at(p.id), { body = { source = { url = "https://b.org/y.git" } } })
    t.eq(after.source.password, nil)
    t.eq(settings_of.source(projects.get(p.id)).password, nil)
  end,

  ["a patch that changes nothing is no revision; If-Match is honoured"] = function(t)
    world(t)
    local _, p = post { name = "n", settings = { vcpus = 2, egress = { allow = { "a.org" } } } }
    local _, same = call("PATCH", ONE, at(p.id), { body = { name = "n", settings = { vcpus = 2 } } })
    t.eq(same.revision, 1)
    local stale = { headers = { ["if-match"] = '"7"' }, body = { name = "m" } }
    local status, body = call("PATCH", ONE, at(p.id), stale)
    t.eq({ status, body.error.code }, { 412, "conflict" })
    stale.headers["if-match"] = 'W/"1"'
    local code, after, headers = call("PATCH", ONE, at(p.id), stale)
    t.eq({ code, after.name, after.revision, headers.ETag }, { 200, "m", 2, '"2"' })
    _, after = call("PATCH", ONE, at(p.id), { body = { description = "d" } })
    t.eq(after.description, "d")
    _, after = call("PATCH", ONE, at(p.id), { body = { description = json.null } })
    t.eq(after.description, nil)
    t.eq((call("PATCH", ONE, at(p.id), { body = { name = json.null } })), 400)
    t.eq((call("PATCH", ONE, at(p.id), { body = { provider = "x" } })), 400)
    t.eq((call("PATCH", ONE, at(p.id), { body = { settings = { egress = "no" } } })), 400)
  end,

  ["applies names what waits for the next activation"] = function(t)
    local w = world(t)
    local _, p = post { name = "a" }
    w:want(p.id, "active")
    w:settle(p.id)
    local _, after = call("PATCH", ONE, at(p.id), {
      body = {
        settings = { vcpus = 4, idle_minutes = 3, env = { A = "x" } },
        source = { type = "git", url = "https://a.org/x" },
      },
    })
    t.eq(after.applies, { "settings.env", "settings.vcpus", "source" })
    w:want(p.id, "inactive")
    w:settle(p.id)
    w:want(p.id, "active")
    t.eq(w:settle(p.id).state, "active")
    _, after = call("GET", ONE, at(p.id))
    t.eq(after.applies, {})
  end,

  ["activate and deactivate answer as the table of states says"] = function(t)
    local w = world(t)
    local _, p = post { name = "a" }
    local function act(verb, body)
      local status, got = call("POST", ONE .. "/" .. verb, at(p.id), { body = body })
      return { status, got.state, got.desired }
    end
    t.eq(act "deactivate", { 200, "inactive", "inactive" })
    t.eq(act "activate", { 202, "creating", "active" })
    t.eq(act "activate", { 202, "creating", "active" })
    t.eq(act "deactivate", { 202, "creating", "inactive" })
    w:settle(p.id)
    t.eq(act "activate", { 202, "creating", "active" })
    w:settle(p.id)
    t.eq(act "activate", { 200, "active", "active" })
    t.eq(act "deactivate", { 202, "stopping", "inactive" })
    t.eq(act "deactivate", { 202, "stopping", "inactive" })
    t.eq(act "activate", { 202, "stopping", "active" })
    w:settle(p.id)
    t.eq((act("deactivate", { force = true }))[1], 202)
    w:settle(p.id)
    w.fake.fail.create = { times = 4 }
    act "activate"
    t.eq(w:settle(p.id).state, "error")
    t.eq(act "activate", { 202, "creating", "active" })
    w:settle(p.id)
    t.eq((call("DELETE", ONE, at(p.id))), 202)
    t.eq((call("DELETE", ONE, at(p.id))), 202)
    for _, verb in ipairs { "activate", "deactivate" } do
      local status, body = call("POST", ONE .. "/" .. verb, at(p.id), { body = {} })
      t.eq({ status, body.error.details[1].reason }, { 409, "deleted" })
    end
    t.eq((call("POST", ONE .. "/deactivate", at(p.id), { body = { forced = true } })), 400)
  end,

  ["delete of what does not run is 204, its name is free at once, then nothing is left"] = function(t)
    local w = world(t)
    local _, p = post { name = "a" }
    local status, body = call("DELETE", ONE, at(p.id))
    t.eq({ status, body }, { 204, nil })
    t.eq((call("GET", ONE, at(p.id))), 404)
    t.eq((call("DELETE", ONE, at(p.id))), 404)
    t.eq((post { name = "a" }), 201)
    t.eq(w:step(p.id), nil)
    t.eq(projects.get(p.id), nil)
  end,

  ["admission refuses with the stored decision and leaves the project as it is"] = function(t)
    local w = world(t)
    local first = w:project()._id
    w:want(first, "active")
    w:settle(first)
    local _, p = post { name = "b" }
    local facts_of = require "lib.facts"
    local own = facts_of.settings
    facts_of.settings = function(project)
      local all = own(project)
      all.max_active_per_user = 1
      return all
    end
    local status, body = call("POST", ONE .. "/activate", at(p.id))
    facts_of.settings = own
    t.eq({ status, body.error.code, body.error.details[1].reason }, { 403, "denied", "admission" })
    local shown = body.error.details[1].decision
    t.eq(
      { shown.policy, shown.verdict, shown.file },
      { "admission/cap_per_user", "deny", "policies/admission/cap_per_user.lua" }
    )
    t.eq({ shown.facts.counts.user, shown.line > 1 }, { 1, true })
    t.eq({ projects.get(p.id)._rev, sys ~= nil }, { 1, true })
    local _, list = call("GET", "/api/decisions", {}, { file = "routes/decisions", query = { project = p.id } })
    t.eq({ #list.items, list.items[1].id }, { 1, shown.id })
    _, list = call(
      "GET",
      "/api/decisions",
      {},
      { file = "routes/decisions", query = { policy = "none", user = "ada" } }
    )
    t.eq(#list.items, 0)
  end,

  ["activity merges moves and decisions, newest first, page by page"] = function(t)
    local w = world(t)
    local id = w:project()._id
    w.fake.fail.create = { times = 1 }
    w:want(id, "active", { request_id = "r-7", by = "bob" })
    w:settle(id)
    local _, whole = call("GET", ONE .. "/activity", at(id), { query = { limit = 200 } })
    local kinds = {}
    for i, item in ipairs(whole.items) do
      kinds[i] = item.kind .. ":" .. (item.phase or item.decision.verdict)
    end
    local last = whole.items[#whole.items]
    t.eq({ last.kind, last.to, last.phase, last.request_id, last.by }, { "state", "creating", "queued", "r-7", "bob" })
    t.ok(table.concat(kinds, " "):find "decision:retry")
    local named
    for _, item in ipairs(whole.items) do
      named = named or item.phase == "waiting_retry" and item.decision and item.decision.policy
    end
    t.eq(named, "retry/backoff")
    local ids, after, pages = {}, nil, 0
    repeat
      local _, page = call("GET", ONE .. "/activity", at(id), { query = { limit = 3, after = after } })
      for _, item in ipairs(page.items) do
        ids[#ids + 1] = item.id
      end
      after, pages = page.next, pages + 1
    until after == json.null or pages > 20
    t.eq(#ids, #whole.items)
    for i, item in ipairs(whole.items) do
      t.eq(ids[i], item.id)
    end
    t.eq((call("GET", ONE .. "/activity", at(id), { query = { after = "rubbish" } })), 400)
  end,

  ["status, contents, keepalive"] = function(t)
    local w = world(t)
    local id = w:project()._id
    w:want(id, "active")
    w:settle(id)
    local _, status = call("GET", ONE .. "/status", at(id))
    t.eq({ status.state, status.phase, status.name, status.sandbox.provider }, { "active", "healthy", nil, "fake" })
    local _, contents = call("GET", ONE .. "/contents", at(id))
    t.eq({ contents.sessions, contents.messages, contents.log_lines, contents.running }, { 0, 0, 5, true })
    t.ok(math.type(contents.file_bytes) == "integer")
    w:later(60000)
    t.eq((call("POST", ONE .. "/keepalive", at(id))), 204)
    t.ok(projects.get(id).last_activity_at)
  end,

  ["a move's row of activity is copied again when a kill came in between"] = function(t)
    local w = world(t)
    local id = w:project()._id
    w:want(id, "active")
    db.activity:delete({ project_id = id }, { many = true })
    lifecycle.settle(projects.get(id))
    lifecycle.settle(projects.get(id))
    t.eq(db.activity:count { project_id = id }, 1)
  end,

  ["the system page says what is in force and no secret"] = function(t)
    world(t)
    local status, body = call("GET", "/api/system", {}, { file = "routes/system" })
    t.eq({ status, body.store.ok, body.goose.model.demo, body.users[1].id }, { 200, true, true, "ada" })
    t.ok(#body.providers >= 1 and body.providers[1].default)
    t.ok(body.limits.body)
    t.eq(body.trust_network, false)
  end,

  ["the system page says that the network is trusted"] = function(t)
    world(t)
    local was = sys.config.trust_network
    sys.config.trust_network = true
    local ok, status, body = pcall(call, "GET", "/api/system", {}, { file = "routes/system" })
    sys.config.trust_network = was
    t.ok(ok, status)
    t.eq(body.trust_network, true)
    t.ok(table.concat(body.warnings, "\n"):find("trust_network", 1, true))
  end,

  ["a decision's facts replay as they were"] = function(t)
    local facts = { now = 5, random = 0.25, settings = { idle_minutes = 1 }, idle_ms = 7 }
    local verdict = { verdict = "stop", reason = "r", policy = "idle/x", file = "f", line = 3, generation = 1 }
    local row = explain.record(verdict, "idle", facts, { user_id = "ada" })
    t.eq(json.decode(db.decisions:find_one({ _id = row._id }).facts), facts)
  end,
}
