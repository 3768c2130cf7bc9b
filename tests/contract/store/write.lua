-- Contract: insert, update, upsert, delete, find_and_update; who loses a race; what a document may be.
-- `open(t)` gives an empty store, `again(t, db)` a second handle on the same one.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"

return function(open, support, again)
  local fill, finds, person = support.fill, support.finds, support.person

  return {
    ["every kind of value comes back as it was"] = function(t)
      local db <close> = open(t)
      local doc = {
        _id = "a",
        array = json.array {},
        bool = false,
        date = date(1732436130125),
        deep = { { { x = { json.null } } } },
        double = 0.1,
        float = 3.0,
        int = math.mininteger,
        null = json.null,
        object = json.object {},
        small = 5e-324,
        text = 'ä\0"\\\u{10FFFF}\n',
        zero = -0.0,
      }
      t.eq(db.things:insert(doc), doc)
      local got = db.things:find_one { _id = "a" }
      t.eq(got, doc)
      t.eq(json.encode(got), json.encode(doc))
      t.eq(1 / got.zero, -math.huge)
      t.eq(math.type(got.float), "float")
    end,

    ["a document may be 64 levels deep, with a date at the bottom"] = function(t)
      local db <close> = open(t)
      local function nested(levels, value)
        for _ = 1, levels do
          value = { x = value }
        end
        return value
      end
      assert(db.things:insert { _id = "a", v = nested(61, 0) })
      t.eq(db.things:update({}, { ["$set"] = { ["v" .. (".x"):rep(61)] = date(5) } }), 1)
      t.eq(db.things:find_one({}).v, nested(61, date(5)))
      t.raises(function()
        db.things:insert { _id = "b", v = nested(70, 0) }
      end, "deeper")
    end,

    ["what was inserted is a copy"] = function(t)
      local db <close> = open(t)
      local doc = { _id = "a", v = { 1 } }
      local stored = db.things:insert(doc)
      doc.v[1], stored.v[1] = 2, 3
      t.eq(db.things:find_one({}).v, { 1 })
    end,

    ["an _id exists once"] = function(t)
      local db <close> = open(t)
      assert(db.things:insert { _id = "a" })
      t.fails("conflict", db.things:insert { _id = "a", x = 1 })
      t.eq(db.things:find_one({}), { _id = "a" })
      assert(db.numbered:insert { _id = 1 })
      t.fails("conflict", db.numbered:insert { _id = 1 })
    end,

    ["a unique field refuses insert, update, upsert and find_and_update"] = function(t)
      local db <close> = open(t)
      local people = db.people
      assert(people:insert(person { _id = "a", name = "x" }))
      assert(people:insert(person { _id = "b", name = "y" }))
      local message = t.fails("conflict", people:insert(person { _id = "c", name = "x" }))
      t.ok(message:find("team,name", 1, true), message)
      t.fails("conflict", people:update({ _id = "b" }, { ["$set"] = { name = "x" } }))
      t.fails("conflict", people:find_and_update({ _id = "b" }, { ["$set"] = { name = "x" } }))
      local rest = person { name = "x" }
      rest._id = nil
      t.fails("conflict", people:update({ _id = "c" }, { ["$setOnInsert"] = rest }, { upsert = true }))
      assert(people:insert(person { _id = "c", name = "x", team = "blue" }))
      finds(t, people, { name = "x" }, { "a", "c" })
      t.raises(function()
        people:update({}, { ["$set"] = { name = "z" } }, { many = true })
      end, "'name'")
    end,

    ["a document must be what its collection declares"] = function(t)
      local db <close> = open(t)
      local function raises(doc, pattern)
        t.raises(function()
          db.people:insert(doc)
        end, pattern)
      end
      raises(person { n = "1" }, "'n' must be of type integer, not \"1\"")
      raises(person { n = 1.5 }, "'n' must be of type integer")
      raises(person { at = 5 }, "'at' must be of type date")
      raises(person { name = "a\0b" }, "'name' must be of type string")
      raises(person { next = { { at = date(1) } } }, "'next.at' is declared and leads through an array")
      local lacking = person {}
      lacking.team = nil
      raises(lacking, "'team' is missing")
      raises(person { team = json.null }, "'team' is missing")
      assert(db.people:insert(person { _id = "a" }))
      t.raises(function()
        db.people:update({}, { ["$unset"] = { team = true } })
      end, "'team' is missing")
      t.raises(function()
        db.people:update({}, { ["$set"] = { flag = "yes" } })
      end, "'flag' must be of type boolean")
      t.raises(function()
        db.things:insert {}
      end, "_id must be of type string")
      t.raises(function()
        db.things:insert { _id = 5 }
      end, "_id must be of type string")
      t.raises(function()
        db.things:insert { _id = "" }
      end, "_id must have")
      t.raises(function()
        db.numbered:insert { _id = "5" }
      end, "_id must be of type integer")
      t.raises(function()
        db.things:insert { _id = "a", ["x.y"] = 1 }
      end, "'x%.y'")
      t.raises(function()
        db.things:insert { _id = "a", v = { ["$x"] = 1 } }
      end, "%$x")
      t.raises(function()
        db.things:insert { _id = "a", v = { { [""] = 1 } } }
      end, "''")
      t.raises(function()
        db.things:insert { _id = "a", v = print }
      end, "function")
      t.raises(function()
        db.things:insert { _id = "a", v = "\xff" }
      end, "UTF%-8")
      t.raises(function()
        db.things:insert { { _id = "a" } }
      end, "table of fields")
      t.fails("invalid", db.things:insert { _id = "a", v = ("x"):rep(16 * 1024 * 1024) })
    end,

    ["update changes the first, with many all, and tells how many matched"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { x = 1 }, b = { x = 1 }, c = { x = 2 } })
      t.eq(db.things:update({ x = 1 }, { ["$set"] = { y = 1 } }), 1)
      finds(t, db.things, { y = 1 }, { "a" })
      t.eq(db.things:update({ x = 1 }, { ["$set"] = { y = 1 } }, { many = true }), 2)
      finds(t, db.things, { y = 1 }, { "a", "b" })
      t.eq(db.things:update({ x = 9 }, { ["$set"] = { y = 1 } }), 0)
      t.eq(db.things:update({}, { ["$inc"] = { n = 1 } }, { many = true }), 3)
      finds(t, db.things, { n = 1 }, { "a", "b", "c" })
      t.raises(function()
        db.things:update({}, { ["$set"] = { y = 1 } }, { many = true, upsert = true })
      end, "exclude")
    end,

    ["many goes over more than one chunk, each document once"] = function(t)
      local db <close> = open(t)
      for i = 1, 1203 do
        assert(db.numbered:insert { _id = i, n = 0 })
      end
      t.eq(db.numbered:update({ n = { ["$gte"] = 0 } }, { ["$inc"] = { n = 1 } }, { many = true }), 1203)
      t.eq(db.numbered:count { n = 1 }, 1203)
      t.eq(db.numbered:delete({ _id = { ["$gt"] = 3 } }, { many = true }), 1200)
      t.eq(db.numbered:count {}, 3)
    end,

    ["an upsert updates or begins from the query's equalities"] = function(t)
      local db <close> = open(t)
      local things = db.things
      local change = { ["$inc"] = { n = 1 }, ["$setOnInsert"] = { born = true } }
      t.eq(things:update({ _id = "a", k = "x", ["o.p"] = 5, z = { ["$gt"] = 1 } }, change, { upsert = true }), 1)
      t.eq(things:find_one { _id = "a" }, { _id = "a", k = "x", o = { p = 5 }, n = 1, born = true })
      t.eq(things:update({ _id = "a" }, change, { upsert = true }), 1)
      t.eq(things:find_one({ _id = "a" }).n, 2)
      t.eq(things:update({ ["$and"] = { { _id = "b" }, { k = { ["$in"] = { 7 } } } } }, change, { upsert = true }), 1)
      t.eq(things:find_one { _id = "b" }, { _id = "b", k = 7, n = 1, born = true })
      t.fails("conflict", things:update({ _id = "a", k = "other" }, change, { upsert = true }))
      t.raises(function()
        things:update({ k = 1 }, change, { upsert = true })
      end, "_id must be")
      t.eq(things:count {}, 2)
    end,

    ["delete removes the first, with many all"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { x = 1 }, b = { x = 1 }, c = { x = 2 } })
      t.eq(db.things:delete { x = 1 }, 1)
      finds(t, db.things, {}, { "b", "c" })
      t.eq(db.things:delete { x = 9 }, 0)
      t.eq(db.things:delete({}, { many = true }), 2)
      t.eq(db.things:count {}, 0)
    end,

    ["find_and_update gives the first in order as it is afterwards"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = 1 }, b = { v = 3 } })
      t.eq(db.things:find_and_update({}, { ["$inc"] = { v = 10 } }, { sort = { "-v" } }), { _id = "b", v = 13 })
      t.eq(db.things:find_and_update({ _id = "a" }, { ["$set"] = { w = 1 } }), { _id = "a", v = 1, w = 1 })
      local n = select("#", db.things:find_and_update({ v = 99 }, { ["$set"] = { w = 1 } }))
      t.eq({ n, db.things:find_and_update({ v = 99 }, { ["$set"] = { w = 1 } }) }, { 1 })
    end,

    ["compare-and-set by _rev: one of two writers wins"] = function(t)
      local db <close> = open(t)
      local other <close> = again(t, db)
      assert(db.things:insert { _id = "a", _rev = 1, v = 0 })
      local mine, theirs = db.things:find_one { _id = "a" }, other.things:find_one { _id = "a" }
      local function write(store, doc, v)
        return store.things:update({ _id = "a", _rev = doc._rev }, { ["$set"] = { v = v }, ["$inc"] = { _rev = 1 } })
      end
      t.eq(write(other, theirs, "theirs"), 1)
      t.eq(write(db, mine, "mine"), 0)
      t.eq(db.things:find_one { _id = "a" }, { _id = "a", _rev = 2, v = "theirs" })
    end,

    ["a counter gives each number once to handles that take turns"] = function(t)
      local db <close> = open(t)
      local other <close> = again(t, db)
      assert(db.things:insert { _id = "seq", n = 0 })
      for i = 1, 40 do
        local store = i % 2 == 0 and db or other
        t.eq(store.things:find_and_update({ _id = "seq" }, { ["$inc"] = { n = 1 } }).n, i)
      end
    end,

    ["what was acknowledged is there for a handle opened later"] = function(t)
      local db <close> = open(t)
      assert(db.people:insert(person { _id = "a" }))
      local other <close> = again(t, db) -- the first one is still open, as after a crash
      t.eq(other.people:count {}, 1)
      t.fails("conflict", other.people:insert(person { _id = "a" }))
    end,
  }
end
