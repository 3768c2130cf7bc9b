-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local date = require "gander.date"
local sys = require "gander.sys"
local collect = require "jobs.collect"
local db = require "lib.store"
local logs = require "lib.logs"

assert(db.projects:count {}) -- opens the store, whose handle outlives each test

local function project()
  local id = sys.uuid()
  assert(db.projects:insert {
    _id = id,
    user_id = "ada",
    name = id,
    name_key = id,
    state = "active",
    desired = "active",
    created_at = date(0),
    provider = "local",
    settings = json.object {},
    _rev = 1,
    sandbox = { id = "gander-x-" .. id .. "-1" },
  })
  return id
end

local function batch(id, texts, cursor, more)
  local items = {}
  for i, text in ipairs(texts) do
    items[i] = type(text) == "table" and text or { text = text, at = "2026-11-24T08:15:30.125Z" }
  end
  local call = {
    key = "k",
    items = items,
    cursor = cursor,
    ended = false,
    data = { project_id = id, sandbox_id = "s1", key = "out", source = "goose-api", stream = "stdout" },
  }
  for name, value in pairs(more or {}) do
    call.data[name] = value
  end
  return collect.batch(call)
end

local function texts(lines)
  local out = {}
  for i, line in ipairs(lines) do
    out[i] = line.text
  end
  return out
end

return {
  ["numbers lines over all batches and sources"] = function(t)
    local id = project()
    batch(id, { "a", "b" }, 10)
    logs.append(id, "lifecycle", "stdout", "one\ntwo")
    batch(id, { "c" }, 12)
    local lines = logs.page(id, {})
    t.eq(texts(lines), { "a", "b", "one", "two", "c" })
    t.eq({ lines[1].seq, lines[5].seq, lines[3].source }, { 1, 5, "lifecycle" })
    t.eq(logs.count(id), 5)
  end,

  ["a batch that comes again is not stored again"] = function(t)
    local id = project()
    batch(id, { "a", "b" }, 10)
    batch(id, { "a", "b" }, 10)
    batch(id, { "other stream" }, 10, { key = "err", stream = "stderr" })
    t.eq(texts(logs.page(id, {})), { "a", "b", "other stream" })
    t.eq({ logs.cursor(id, "s1", "out"), logs.cursor(id, "s1", "err"), logs.cursor(id, "s2", "out") }, { 10, 10 })
  end,

  ["a new sandbox begins its log anew"] = function(t)
    local id = project()
    batch(id, { "a" }, 10)
    batch(id, { "b" }, 3, { sandbox_id = "s2" })
    t.eq(texts(logs.page(id, {})), { "a", "b" })
  end,

  ["pages go up and down without a gap or a repetition"] = function(t)
    local id = project()
    for i = 1, 30 do
      batch(id, { "x" .. i, "y" .. i, "z" .. i }, i)
    end
    local up, after = {}, 0
    repeat
      local lines, next_seq = logs.page(id, { after = after, limit = 7 })
      table.move(texts(lines), 1, #lines, #up + 1, up)
      after = next_seq
    until not after
    t.eq(#up, 90)
    t.eq({ up[1], up[2], up[90] }, { "x1", "y1", "z30" })
    local down, before = {}, nil
    repeat
      local lines, next_seq = logs.page(id, { before = before, limit = 7, down = true })
      for _, line in ipairs(lines) do
        table.insert(down, 1, line.text)
      end
      before = next_seq
    until not before
    t.eq(down, up)
  end,

  ["filters by text, source and level; a page with between bounds"] = function(t)
    local id = project()
    batch(id, { "INFO all well", "ERROR Bad thing", "plain" }, 1)
    logs.append(id, "setup", "stdout", "bad luck", "warn")
    t.eq(texts(logs.page(id, { q = "BAD" })), { "ERROR Bad thing", "bad luck" })
    t.eq(texts(logs.page(id, { source = "setup" })), { "bad luck" })
    t.eq(texts(logs.page(id, { level = "error" })), { "ERROR Bad thing" })
    t.eq(texts(logs.page(id, { after = 1, before = 4 })), { "ERROR Bad thing", "plain" })
    t.eq(logs.page(id, { q = "nothing like it" }), {})
  end,

  ["replaces known secrets, across the cut of a long line too"] = function(t)
    local id = project()
    local key = string.rep("k", 30)
    local settings = require "lib.settings"
    local sealed, names = settings.put_env { TOKEN = key }
    db.projects:update({ _id = id }, { ["$set"] = { secrets = { env = sealed, env_names = names } } })
    local long = ("x"):rep(logs.LINE_MAX - 10)
    batch(id, { { text = long .. key:sub(1, 10), cut = true }, { text = key:sub(11) .. " end" }, "bare " .. key }, 1)
    local lines = logs.page(id, {})
    t.eq(lines[1].text .. (lines[2].cut == nil and lines[2].text or ""), long .. "*** end" .. "bare ***")
    for _, line in ipairs(lines) do
      t.ok(not line.text:find(key:sub(1, 10), 1, true), "the key shows")
    end
  end,

  ["a project that is gone stops its follow"] = function(t)
    t.eq(batch(sys.uuid(), { "a" }, 1), { stop = true })
  end,
}
