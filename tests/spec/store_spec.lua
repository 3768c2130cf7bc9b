-- lib.store on SQLite: its file, its indexes, and what is particular to the engine. The contract has the rest.
-- SPDX-License-Identifier: Apache-2.0

local collections = require "lib.collections"
local date = require "gander.date"
local json = require "gander.json"
local options = require "lib.store.options"
local query = require "lib.store.query"
local sql = require "lib.store.sqlite.sql"
local sqlite = require "gander.sqlite"
local store = require "lib.store"
local sys = require "gander.sys"

local function new_path(t)
  return sys.data .. "/" .. t.id() .. ".db"
end

-- How SQLite would read a page of the list.
local function plan_of(db, raw, name, q, sort, after)
  local collection = db[name]
  local text, params =
    sql.select(collection, sql.plan(collection, query.parse(q)), options.sort(collection, { sort = sort }), after, 50)
  local steps = {}
  for i, row in ipairs(raw:query("EXPLAIN QUERY PLAN " .. text, params)) do
    steps[i] = row.detail
  end
  return table.concat(steps, "; ")
end

-- { collection, query, sort, sort key to go on after, what the plan must say }
local LISTS = {
  { "projects", { _id = "p", _rev = 3 }, nil, nil, "SEARCH projects USING INDEX sqlite_autoindex_projects_1 (_id=?)" },
  { "projects", { user_id = "ada" }, { "created_at" }, nil, "projects:user_id,created_at (<expr>=?)" },
  {
    "projects",
    { user_id = "ada" },
    { "-created_at" },
    { date(5), "p" },
    "projects:user_id,created_at (<expr>=? AND <expr><?)",
  },
  { "projects", { user_id = "ada", name_key = "x" }, nil, nil, "projects:user_id,name_key (<expr>=? AND <expr>=?)" },
  { "projects", { ["next.at"] = { ["$lte"] = date(5) } }, nil, nil, "projects:next.at (<expr><?)" },
  { "projects", { desired = "active", state = { ["$ne"] = "active" } }, nil, nil, "projects:desired (<expr>=?)" },
  { "projects", { state = "active" }, nil, { "p" }, "projects:state,desired (<expr>=?)" },
  { "jobs", { run_at = { ["$lte"] = date(5) } }, { "run_at" }, nil, "jobs:run_at (<expr><?)" },
  {
    "sandbox_logs",
    { project_id = "p" },
    { "-first_seq" },
    { 9, "p:9" },
    "sandbox_logs:project_id,first_seq (<expr>=? AND <expr><?)",
  },
  {
    "sandbox_logs",
    { project_id = "p", first_seq = { ["$gte"] = 7 } },
    { "first_seq" },
    nil,
    "sandbox_logs:project_id,first_seq (<expr>=? AND <expr>>?)",
  },
  {
    "sandbox_logs",
    { project_id = "p", ["cursor.sandbox_id"] = "s", ["cursor.source"] = "stdout" },
    { "-first_seq" },
    nil,
    "sandbox_logs:cursor.sandbox_id,cursor.source,first_seq (<expr>=? AND <expr>=?)",
  },
  { "activity", { project_id = "p" }, { "-at" }, { date(5), "a" }, "activity:project_id,at (<expr>=? AND <expr><?)" },
  { "decisions", { project_id = "p" }, { "-at" }, nil, "decisions:project_id,at (<expr>=?)" },
  { "decisions", { at = { ["$lt"] = date(5) } }, { "at" }, nil, "decisions:at (<expr><?)" },
  {
    "session_messages",
    { session_id = "s" },
    { "-seq" },
    { 9, "m" },
    "session_messages:session_id,seq (<expr>=? AND <expr><?)",
  },
  { "sessions", { user_id = "ada" }, { "-created_at" }, nil, "sessions:user_id,created_at (<expr>=?)" },
  { "sessions", { _id = { ["$in"] = { "a", "b" } } }, nil, nil, "USING INDEX sqlite_autoindex_sessions_1 (_id=?)" },
  { "events", { _id = { ["$gt"] = 9 } }, nil, nil, "INTEGER PRIMARY KEY (rowid>?)" },
}

return {
  ["lists walk an index and sort nothing"] = function(t)
    local path = new_path(t)
    local db <close> = assert(store.open(path))
    local raw <close> = assert(sqlite.open(path))
    for _, list in ipairs(LISTS) do
      local plan = plan_of(db, raw, list[1], list[2], list[3], list[4])
      t.ok(plan:find(list[5], 1, true), ("%s %s: %s"):format(list[1], json.encode(list[2]), plan))
      t.ok(not (plan:gsub("SCAN json_each", "")):find "SCAN", plan)
      if list[3] then t.ok(not plan:find "TEMP B%-TREE", plan) end
    end
  end,

  ["the default store is <data>/gander.db, opened at the first use"] = function(t)
    local there = sqlite.open(sys.data .. "/gander.db", { busy_ms = 0 })
    t.ok(there)
    t.eq(there:query "SELECT name FROM sqlite_schema", {}) -- nothing has used it yet
    there:close()
    assert(store.caps:insert { _id = "caps", n = 1 })
    store.close()
    t.eq(store.caps:find_one({}).n, 1) -- opened again by itself
    store.close()
  end,

  ["a file that cannot be used says why, and opens once it can"] = function(t)
    t.fails("not_found", store.open(sys.data .. "/nowhere/x.db"))
    local path = new_path(t)
    local raw <close> = assert(sqlite.open(path))
    assert(raw:exec "CREATE TABLE things(x)")
    local message = t.fails("internal", store.open(path, { things = { id = "string", fields = {}, index = {} } }))
    t.ok(message:find "'things'", message)
    assert(raw:exec "DROP TABLE things")
    local db <close> = assert(store.open(path, { things = { id = "string", fields = {}, index = {} } }))
    t.eq(db.things:count {}, 0)
  end,

  ["an unknown collection raises, naming the nearest"] = function(t)
    t.raises(function()
      return store.project
    end, "no collection 'project'; the nearest is 'projects'")
    t.raises(function()
      store.projects = 1
    end, "declared in lib/collections")
  end,

  ["indexes follow the declarations"] = function(t)
    local path = new_path(t)
    local shapes =
      { things = { id = "string", fields = { a = "integer?", b = "string?" }, index = { { "a" }, { "b" } } } }
    local raw <close> = assert(sqlite.open(path))
    local function indexes()
      local names = {}
      for i, row in
        ipairs(raw:query "SELECT name FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL ORDER BY name")
      do
        names[i] = row.name
      end
      return names
    end
    do
      local db <close> = assert(store.open(path, shapes))
      assert(db.things:insert { _id = "x", a = 1 })
      t.eq(indexes(), { "things:a", "things:b" })
    end
    shapes.things.index = { { "b" }, { "a", "b" } }
    shapes.things.fields.b = "date?"
    local db <close> = assert(store.open(path, shapes))
    t.eq(indexes(), { "things:a,b", "things:b" })
    assert(db.things:insert { _id = "y", b = date(5) })
    t.eq(db.things:find_one({ b = date(5) })._id, "y")
    t.eq(#raw:query "PRAGMA integrity_check", 1)
  end,

  ["a unique index over duplicates is a conflict at the start"] = function(t)
    local path = new_path(t)
    local shapes = { things = { id = "string", fields = { a = "integer" }, index = {} } }
    do
      local db <close> = assert(store.open(path, shapes))
      assert(db.things:insert { _id = "x", a = 1 })
      assert(db.things:insert { _id = "y", a = 1 })
    end
    shapes.things.unique = { { "a" } }
    local message = t.fails("conflict", store.open(path, shapes))
    t.ok(message:find("things:a", 1, true), message)
  end,

  ["every declared index uses declared fields, a unique one those of every document"] = function(t)
    for name, shape in pairs(collections) do
      for _, fields in ipairs(shape.index) do
        for _, field in ipairs(fields) do
          t.ok(shape.fields[field], name .. "." .. field)
        end
      end
      for _, fields in ipairs(shape.unique or {}) do
        for _, field in ipairs(fields) do
          t.ok(shape.fields[field] and shape.fields[field]:sub(-1) ~= "?", name .. "." .. field)
        end
      end
    end
  end,

  ["reading goes on while another handle writes"] = function(t)
    local path = new_path(t)
    local shapes = { things = { id = "string", fields = {}, index = {} } }
    local db <close> = assert(store.open(path, shapes))
    assert(db.things:insert { _id = "a", n = 0 })
    local raw <close> = assert(sqlite.open(path))
    raw:tx(function()
      assert(raw:exec("UPDATE things SET doc=? WHERE _id='a'", { '{"_id":"a","n":5}' }))
      t.eq(db.things:find_one({}).n, 0)
      return true
    end)
    t.eq(db.things:find_and_update({ _id = "a" }, { ["$inc"] = { n = 1 } }).n, 6)
  end,

  ["an update that changes nothing writes nothing"] = function(t)
    local path = new_path(t)
    local db <close> = assert(store.open(path, { things = { id = "string", fields = {}, index = {} } }))
    local raw <close> = assert(sqlite.open(path))
    assert(db.things:insert { _id = "a", n = 0 })
    local function version()
      return raw:query("PRAGMA data_version")[1].data_version
    end
    local before = version()
    t.eq(db.things:update({ _id = "a" }, { ["$set"] = { n = 0 } }), 1)
    t.eq(version(), before)
    t.eq(db.things:update({ _id = "a" }, { ["$set"] = { n = 1 } }), 1)
    t.ok(version() ~= before)
  end,

  ["large documents come in smaller pieces"] = function(t)
    local db <close> = assert(store.open(new_path(t), { things = { id = "string", fields = {}, index = {} } }))
    for i = 1, 6 do
      assert(db.things:insert { _id = "t" .. i, odd = i % 2 == 1, text = ("x"):rep(8 * 1024 * 1024) })
    end
    local docs = assert(db.things:find({ odd = true }, { fields = { "odd" } }))
    t.eq(#docs, 3)
  end,
}
