-- Idempotency-Key on what creates: once by key, alike answers, other bodies, crashes, the end of its time.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local app = require "lib.app"
local db = require "lib.store"
local idempotency = require "lib.idempotency"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local LIST = "/api/users/:user/projects"
local SESSIONS = LIST .. "/:project/sessions"

local function world(t)
  db.idempotency:delete({}, { many = true })
  return t.load("tests/support/life.lua").new(t)
end

-- -> status, the body's text, headers
local function post(pattern, params, key, body)
  local path = pattern:gsub(":(%w+)", params)
  local _, status, text, headers = app.dispatch {
    id = "r-1",
    method = "POST",
    path = path,
    params = params,
    query = {},
    headers = { ["idempotency-key"] = key },
    body = json.encode(json.object(body)),
    file = pattern == LIST and "routes/projects" or "routes/sessions",
    route = "POST " .. pattern,
  }
  return status, text, headers
end

local function make(key, body)
  body.provider = "fake"
  return post(LIST, { user = "ada" }, key, body)
end

return {
  ["the same key and body give the first answer, and one project"] = function(t)
    world(t)
    local status, text, headers = make("k1", { name = "one", description = "d" })
    local again, same, more = make("k1", { description = "d", name = "one" })
    t.eq({ status, again, same }, { 201, 201, text })
    t.eq(
      { more.Location, more.ETag, more["Content-Type"] },
      { headers.Location, headers.ETag, headers["Content-Type"] }
    )
    t.eq(db.projects:count {}, 1)
    db.projects:delete { _id = json.decode(text).id }
    t.eq({ make("k1", { name = "one", description = "d" }) }, { 201, text, headers })
    t.eq(db.projects:count {}, 0)
  end,

  ["the same key with another body is a conflict"] = function(t)
    world(t)
    make("k1", { name = "one" })
    local status, text = make("k1", { name = "two" })
    local err = json.decode(text).error
    t.eq({ status, err.code, err.details[1].reason }, { 409, "conflict", "idempotency_key_used" })
    t.eq(db.projects:count {}, 1)
    t.eq((make("k2", { name = "two" })), 201)
    t.eq((post(LIST, { user = "grace" }, "k1", { name = "two", provider = "fake" })), 201)
  end,

  ["a crash between the act and its record creates once"] = function(t)
    local w = world(t)
    local _, text = make("k1", { name = "one" })
    db.idempotency:update({}, { ["$unset"] = { answer = true } })
    local status, same = make("k1", { name = "one" })
    t.eq({ status, json.decode(same).id }, { 201, json.decode(text).id })
    t.eq(db.projects:count {}, 1)

    local params = { user = "ada", project = w:project()._id }
    local _, first = post(SESSIONS, params, "k1", { title = "s" })
    db.idempotency:update({}, { ["$unset"] = { answer = true } }, { many = true })
    local code, second = post(SESSIONS, params, "k1", { title = "s" })
    t.eq({ code, json.decode(second).id }, { 201, json.decode(first).id })
    t.eq(db.sessions:count { project_id = params.project }, 1)
  end,

  ["a crash before the act leaves a key that creates"] = function(t)
    world(t)
    local _, text = make("k1", { name = "one" })
    local id = json.decode(text).id
    db.projects:delete { _id = id }
    db.idempotency:update({}, { ["$unset"] = { answer = true } })
    local status, again = make("k1", { name = "one" })
    t.eq({ status, json.decode(again).id }, { 201, id })
  end,

  ["a session is made once by key, and each time without one"] = function(t)
    local w = world(t)
    local params = { user = "ada", project = w:project()._id }
    local status, text = post(SESSIONS, params, "k1", { title = "s" })
    local again, same = post(SESSIONS, params, "k1", { title = "s" })
    t.eq({ again, same }, { status, text })
    t.eq({ status, db.sessions:count { project_id = params.project } }, { 201, 1 })
    post(SESSIONS, params, nil, { title = "s" })
    post(SESSIONS, params, nil, { title = "s" })
    t.eq(db.sessions:count { project_id = params.project }, 3)
  end,

  ["a refusal frees the key"] = function(t)
    world(t)
    make("k1", { name = "one" })
    t.eq((make("k2", { name = "ONE" })), 409)
    t.eq((make("k3", { name = "" })), 400)
    t.eq(db.idempotency:count {}, 1)
    t.eq((make("k2", { name = "two" })), 201)
  end,

  ["a key that is none is refused by its rule"] = function(t)
    world(t)
    for _, key in ipairs { "", "a b", ("k"):rep(256), "ä", "a\n" } do
      local status, text = make(key, { name = "one" })
      local fault = json.decode(text).error.details[1]
      t.eq(
        { status, fault.field, fault.message },
        { 400, "Idempotency-Key", "must have 1 to 255 visible ASCII characters" }
      )
    end
    t.eq((make(("k"):rep(255), { name = "one" })), 201)
  end,

  ["after 24 hours a key is new, and the clean-up forgets it"] = function(t)
    local w = world(t)
    make("k1", { name = "one" })
    w:later(24 * 3600000 - 60000)
    t.eq(idempotency.sweep(), 0)
    t.eq((make("k1", { name = "two" })), 409)
    w:later(60001)
    t.eq((make("k1", { name = "two" })), 201)
    t.eq(db.projects:count {}, 2)
    w:later(24 * 3600000 + 1)
    t.eq({ idempotency.sweep(), db.idempotency:count {} }, { 1, 0 })
  end,

  ["no secret is kept with a key"] = function(t)
    world(t)
    make("k1", { name = "one", settings = { env = { TOKEN = "very-secret-value" } } })
    t.ok(not json.encode(assert(db.idempotency:find {})):find("very-secret-value", 1, true))
  end,
}
