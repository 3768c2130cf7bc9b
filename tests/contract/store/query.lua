-- Contract: what each query operator finds. `open(t)` gives an empty store.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"

return function(open, support)
  local fill, finds, person = support.fill, support.finds, support.person
  local null = json.null

  -- Values of every type under v, one document each.
  local function all_types(things)
    fill(things, {
      array = { v = { 5, "x" } },
      bool = { v = true },
      date = { v = date(5) },
      empty = { v = json.array {} },
      five = { v = 5 },
      float = { v = 5.0 },
      missing = {},
      null = { v = null },
      object = { v = { a = 1 } },
      string = { v = "5" },
    })
  end

  return {
    ["equality compares by value within one type, into arrays"] = function(t)
      local db <close> = open(t)
      all_types(db.things)
      finds(t, db.things, { v = 5 }, { "array", "five", "float" })
      finds(t, db.things, { v = "5" }, { "string" })
      finds(t, db.things, { v = true }, { "bool" })
      finds(t, db.things, { v = date(5) }, { "date" })
      finds(t, db.things, { v = { a = 1 } }, { "object" })
      finds(t, db.things, { v = { a = 2 } }, {})
      finds(t, db.things, { v = { 5, "x" } }, { "array" })
      finds(t, db.things, { v = json.array {} }, { "empty" })
      finds(t, db.things, { v = { ["$eq"] = 5 } }, { "array", "five", "float" })
    end,

    ["null finds what is null and what is missing"] = function(t)
      local db <close> = open(t)
      all_types(db.things)
      finds(t, db.things, { v = null }, { "missing", "null" })
      finds(t, db.things, { v = { ["$gte"] = null } }, { "missing", "null" })
      finds(t, db.things, { v = { ["$gt"] = null } }, {})
      finds(t, db.things, { v = { ["$in"] = { null, "5" } } }, { "missing", "null", "string" })
    end,

    ["$ne and $nin find all others, also what is missing"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = 1 }, b = { v = 2 }, c = { v = { 1, 2 } }, d = {} })
      finds(t, db.things, { v = { ["$ne"] = 1 } }, { "b", "d" })
      finds(t, db.things, { v = { ["$nin"] = { 2, null } } }, { "a" })
      finds(t, db.things, { v = { ["$nin"] = {} } }, { "a", "b", "c", "d" })
      finds(t, db.things, { v = { ["$in"] = {} } }, {})
      finds(t, db.things, { v = { ["$in"] = { 2 } } }, { "b", "c" })
    end,

    ["comparisons hold within one type"] = function(t)
      local db <close> = open(t)
      all_types(db.things)
      finds(t, db.things, { v = { ["$gt"] = 4 } }, { "array", "five", "float" })
      finds(t, db.things, { v = { ["$gte"] = 5 } }, { "array", "five", "float" })
      finds(t, db.things, { v = { ["$lt"] = 5.5 } }, { "array", "five", "float" })
      finds(t, db.things, { v = { ["$gt"] = "4" } }, { "array", "string" })
      finds(t, db.things, { v = { ["$lte"] = date(5) } }, { "date" })
      finds(t, db.things, { v = { ["$gte"] = false } }, { "bool" })
      finds(t, db.things, { v = { ["$gt"] = json.array {} } }, { "array" })
      finds(t, db.things, { v = { ["$lt"] = { a = 2 } } }, { "object" })
    end,

    ["a range on an array may be met by two of its items"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = { 1, 9 } }, b = { v = { 1, 2 } }, c = { v = 5 } })
      finds(t, db.things, { v = { ["$gt"] = 4, ["$lt"] = 6 } }, { "a", "c" })
    end,

    ["numbers compare exactly beyond 2^53"] = function(t)
      local db <close> = open(t)
      local big = 1 << 53
      fill(db.things, { a = { v = big }, b = { v = big + 1 }, c = { v = 2.0 ^ 53 }, d = { v = math.maxinteger } })
      finds(t, db.things, { v = big }, { "a", "c" })
      finds(t, db.things, { v = { ["$gt"] = 2.0 ^ 53 } }, { "b", "d" })
      finds(t, db.things, { v = { ["$lt"] = 2.0 ^ 63 } }, { "a", "b", "c", "d" })
      finds(t, db.things, { v = math.maxinteger - 1 }, {})
    end,

    ["$exists tells null from missing"] = function(t)
      local db <close> = open(t)
      all_types(db.things)
      finds(t, db.things, { v = { ["$exists"] = false } }, { "missing" })
      t.eq(db.things:count { v = { ["$exists"] = true } }, 9)
    end,

    ["$prefix is anchored and keeps case, $contains is literal and folds ASCII case"] = function(t)
      local db <close> = open(t)
      fill(db.things, {
        a = { v = "Über.Gans" },
        b = { v = "über" },
        c = { v = { "x", "gans" } },
        d = { v = "50%_" },
        e = { v = 5 },
      })
      finds(t, db.things, { v = { ["$prefix"] = "Über" } }, { "a" })
      finds(t, db.things, { v = { ["$prefix"] = "ga" } }, { "c" })
      finds(t, db.things, { v = { ["$contains"] = "GANS" } }, { "a", "c" })
      finds(t, db.things, { v = { ["$contains"] = "über" } }, { "b" })
      finds(t, db.things, { v = { ["$contains"] = "." } }, { "a" })
      finds(t, db.things, { v = { ["$contains"] = "%_" } }, { "d" })
      finds(t, db.things, { v = { ["$contains"] = "" } }, { "a", "b", "c", "d" })
    end,

    ["$and and $or combine"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { x = 1, y = 1 }, b = { x = 1, y = 2 }, c = { x = 2, y = 2 } })
      finds(t, db.things, { ["$or"] = { { x = 2 }, { y = 1 } } }, { "a", "c" })
      finds(t, db.things, { ["$and"] = { { x = 1 }, { ["$or"] = { { y = 2 }, { y = 3 } } } } }, { "b" })
      finds(t, db.things, { x = 1, ["$or"] = { { y = 2 } } }, { "b" })
      finds(t, db.things, { ["$or"] = { { _id = "a" }, { y = 2 } } }, { "a", "b", "c" })
    end,

    ["dotted paths lead through objects and arrays"] = function(t)
      local db <close> = open(t)
      fill(db.things, {
        a = { v = { k = 1 } },
        b = { v = { { k = 1 }, { k = 2 } } },
        c = { v = { 1, 2 } },
        d = { v = { { j = 1 } } },
        e = { v = 5 },
        f = { v = json.array {} },
        g = { v = { { k = { 7, 8 } } } },
      })
      finds(t, db.things, { ["v.k"] = 1 }, { "a", "b" })
      finds(t, db.things, { ["v.k"] = 8 }, { "g" })
      finds(t, db.things, { ["v.0.k"] = 1 }, { "b" })
      finds(t, db.things, { ["v.1"] = 2 }, { "c" })
      finds(t, db.things, { ["v.k"] = null }, { "d", "e" })
      finds(t, db.things, { ["v.k"] = { ["$exists"] = true } }, { "a", "b", "g" })
      finds(t, db.things, { ["v.k"] = { ["$ne"] = 1 } }, { "c", "d", "e", "f", "g" })
    end,

    ["declared fields mean the same as free ones"] = function(t)
      local db <close> = open(t)
      local people = db.people
      assert(people:insert(person { _id = "a", n = 1, flag = true, note = "Über", next = { at = date(5) } }))
      assert(people:insert(person { _id = "b", n = 2, flag = false, note = null }))
      assert(people:insert(person { _id = "c", n = math.maxinteger, note = "x", next = {} }))
      finds(t, people, { n = { ["$gt"] = 1.5 } }, { "b", "c" })
      finds(t, people, { n = "1" }, {})
      finds(t, people, { n = { ["$gt"] = "0" } }, {})
      finds(t, people, { n = { ["$ne"] = "1" } }, { "a", "b", "c" })
      finds(t, people, { n = { ["$lt"] = 2.0 ^ 63 } }, { "a", "b", "c" })
      finds(t, people, { flag = { ["$ne"] = true } }, { "b", "c" })
      finds(t, people, { flag = 1 }, {})
      finds(t, people, { flag = { ["$gte"] = false } }, { "a", "b" })
      finds(t, people, { note = null }, { "b" })
      finds(t, people, { note = { ["$exists"] = true } }, { "a", "b", "c" })
      finds(t, people, { note = { ["$prefix"] = "Ü" } }, { "a" })
      finds(t, people, { note = { ["$contains"] = "BER" } }, { "a" })
      finds(t, people, { note = { ["$in"] = { "x", null, 5 } } }, { "b", "c" })
      finds(t, people, { note = { ["$nin"] = { "x" } } }, { "a", "b" })
      finds(t, people, { ["next.at"] = { ["$lte"] = date(5) } }, { "a" })
      finds(t, people, { ["next.at"] = null }, { "b", "c" })
      finds(t, people, { ["next.at"] = 5 }, {})
      finds(t, people, { _id = { ["$gte"] = "b" } }, { "b", "c" })
      finds(t, people, { _id = { ["$in"] = { "c", 1 } } }, { "c" })
      finds(t, people, { n = { ["$in"] = { 2.0, 1.5, "1", math.maxinteger } } }, { "b", "c" })
      finds(t, people, { ["next.at"] = { ["$in"] = { date(5), date(6) } } }, { "a" })
      finds(t, people, { flag = { ["$in"] = { true } } }, { "a" })
      finds(t, people, { flag = { ["$nin"] = { true, null } } }, { "b" })
      finds(t, people, { ["$or"] = { { n = 1 }, { note = "x" } } }, { "a", "c" })
      finds(t, people, { ["$or"] = { { n = 1 }, { free = null, note = "x" } } }, { "a", "c" })
    end,

    ["a list may be long"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = 1 }, b = { v = 2000 }, c = { v = 2001 } })
      local ids, numbers = {}, {}
      for i = 1, 2000 do
        ids[i], numbers[i] = "x" .. i, i
      end
      ids[2000] = "b"
      finds(t, db.things, { _id = { ["$in"] = ids } }, { "b" })
      finds(t, db.things, { v = { ["$in"] = numbers } }, { "a", "b" })
    end,

    ["a string id is never a number"] = function(t)
      local db <close> = open(t)
      fill(db.things, { ["5"] = {} })
      finds(t, db.things, { _id = 5 }, {})
      assert(db.numbered:insert { _id = 5 })
      finds(t, db.numbered, { _id = "5" }, {})
      finds(t, db.numbered, { _id = { ["$gt"] = 4.5 } }, { 5 })
    end,

    ["what is not in the subset is refused by name"] = function(t)
      local db <close> = open(t)
      local function refuses(query, name)
        t.raises(function()
          db.things:find(query)
        end, name)
      end
      refuses({ v = { ["$regex"] = "x" } }, "%$regex")
      refuses({ v = { ["$elemMatch"] = {} } }, "%$elemMatch")
      refuses({ v = { ["$not"] = {} } }, "%$not")
      refuses({ ["$nor"] = { {} } }, "%$nor")
      refuses({ ["$where"] = "1" }, "%$where")
      refuses({ ["$or"] = {} }, "%$or")
      refuses({ ["$or"] = { x = 1 } }, "%$or")
      refuses({ v = { ["$gt"] = 1, k = 1 } }, "'k'")
      refuses({ v = { k = { ["$gt"] = 1 } } }, "%$gt")
      refuses({ v = { ["$in"] = 5 } }, "%$in wants a list")
      refuses({ v = { ["$exists"] = 1 } }, "%$exists")
      refuses({ v = { ["$prefix"] = 1 } }, "%$prefix")
      refuses({ v = function() end }, "function")
      refuses({ v = 0 / 0 }, "nan")
      refuses({ ["v..k"] = 1 }, "v%.%.k")
      refuses({ ["v.$.k"] = 1 }, "'%$'")
      refuses({ { v = 1 } }, "table of fields")
      refuses("x", "table of fields")
      t.raises(function()
        db.things:find({}, { order = 1 })
      end, "'order'")
      t.raises(function()
        db.things:find({}, { limit = 0 })
      end, "'limit'")
      t.raises(function()
        db.things.find({})
      end, "colon")
      t.raises(function()
        return db.thigns
      end, "'thigns'; the nearest is 'things'")
      t.raises(function()
        return db.things.replace
      end, "'replace'")
    end,

    ["misuse is reported at the line that called"] = function(t)
      local db <close> = open(t)
      t.raises(function()
        db.things:find { v = { ["$regex"] = "x" } }
      end, "^[%w/_]*query%.lua:%d+: things:find: ")
    end,
  }
end
