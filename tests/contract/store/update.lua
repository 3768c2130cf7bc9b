-- Contract: what each update operator does, and what it refuses.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"

return function(open)
  local null = json.null

  -- Insert v, update, and give back what is stored.
  local function after(t, db, v, update)
    local id = t.id()
    assert(db.things:insert { _id = id, v = v })
    local n, message, code = db.things:update({ _id = id }, update)
    local doc = assert(db.things:find_one { _id = id })
    if n ~= 1 then return nil, message, code end
    return doc.v
  end

  local function refuses(t, db, v, update, pattern)
    local got, message, code = after(t, db, v, update)
    t.eq(got, nil)
    t.eq(code, "invalid")
    t.ok(message:find(pattern), message)
  end

  return {
    ["$set sets, makes objects on the way, and reaches into arrays"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, 1, { ["$set"] = { v = { 1, { a = null } } } }), { 1, { a = null } })
      t.eq(after(t, db, nil, { ["$set"] = { ["v.a.b"] = 1, ["v.c"] = date(5) } }), { a = { b = 1 }, c = date(5) })
      t.eq(after(t, db, { 1, 2 }, { ["$set"] = { ["v.0"] = 9, ["v.3"] = 4 } }), { 9, 2, null, 4 })
      t.eq(after(t, db, { { a = 1 } }, { ["$set"] = { ["v.0.a"] = 2 } }), { { a = 2 } })
      refuses(t, db, 5, { ["$set"] = { ["v.a"] = 1 } }, "'v' is a number")
      refuses(t, db, null, { ["$set"] = { ["v.a"] = 1 } }, "'v' is null")
      refuses(t, db, { 1 }, { ["$set"] = { ["v.a"] = 1 } }, "'a' in an array")
      refuses(t, db, { 1 }, { ["$set"] = { ["v.9999999"] = 1 } }, "array ends")
    end,

    ["$unset removes a field and empties an array's place"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, { a = 1, b = 2 }, { ["$unset"] = { ["v.a"] = true } }), { b = 2 })
      t.eq(after(t, db, { 1, 2 }, { ["$unset"] = { ["v.0"] = true } }), { null, 2 })
      t.eq(after(t, db, 5, { ["$unset"] = { ["v.a.b"] = true, w = true } }), 5)
      t.eq(after(t, db, { a = 1 }, { ["$unset"] = { ["v.a"] = true } }), json.object {})
      t.eq(after(t, db, 5, { ["$unset"] = { v = true } }), nil)
    end,

    ["$inc adds, starts from nothing, keeps integers, and refuses what is no number"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, 1, { ["$inc"] = { v = 2 } }), 3)
      t.eq(after(t, db, nil, { ["$inc"] = { v = -2 } }), -2)
      t.eq(after(t, db, nil, { ["$inc"] = { ["v.a"] = 1 } }), { a = 1 })
      t.eq(after(t, db, 1, { ["$inc"] = { v = 0.5 } }), 1.5)
      local big = 1 << 53
      t.eq(after(t, db, big, { ["$inc"] = { v = 1 } }), big + 1)
      t.eq(after(t, db, math.maxinteger - 1, { ["$inc"] = { v = 1 } }), math.maxinteger)
      refuses(t, db, math.maxinteger, { ["$inc"] = { v = 1 } }, "64 bits")
      refuses(t, db, math.mininteger, { ["$inc"] = { v = -1 } }, "64 bits")
      refuses(t, db, "1", { ["$inc"] = { v = 1 } }, "a string")
      refuses(t, db, null, { ["$inc"] = { v = 1 } }, "null")
      refuses(t, db, date(1), { ["$inc"] = { v = 1 } }, "a date")
      refuses(t, db, 1e308, { ["$inc"] = { v = 1e308 } }, "double")
      t.raises(function()
        after(t, db, 1, { ["$inc"] = { v = "2" } })
      end, "%$inc wants a number")
    end,

    ["$min and $max compare across types"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, 5, { ["$min"] = { v = 3 } }), 3)
      t.eq(after(t, db, 5, { ["$min"] = { v = 7 } }), 5)
      t.eq(after(t, db, 5, { ["$max"] = { v = 7 } }), 7)
      t.eq(after(t, db, nil, { ["$max"] = { v = 7 } }), 7)
      t.eq(after(t, db, date(5), { ["$max"] = { v = date(9) } }), date(9))
      t.eq(after(t, db, 5, { ["$max"] = { v = "a" } }), "a")
      t.eq(after(t, db, "a", { ["$min"] = { v = 5 } }), 5)
      t.eq(after(t, db, null, { ["$min"] = { v = 5 } }), null)
    end,

    ["$push appends or begins an array"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, { 1 }, { ["$push"] = { v = 2 } }), { 1, 2 })
      t.eq(after(t, db, nil, { ["$push"] = { v = { 1 } } }), { { 1 } })
      t.eq(after(t, db, json.array {}, { ["$push"] = { v = null } }), { null })
      refuses(t, db, 5, { ["$push"] = { v = 1 } }, "%$push on a number")
      refuses(t, db, {}, { ["$push"] = { v = 1 } }, "%$push on an object")
      refuses(t, db, null, { ["$push"] = { v = 1 } }, "%$push on null")
      t.raises(function()
        after(t, db, {}, { ["$push"] = { v = { ["$each"] = { 1 } } } })
      end, "%$each")
    end,

    ["$pull removes every equal item"] = function(t)
      local db <close> = open(t)
      t.eq(after(t, db, { 1, 2, 1.0, "1" }, { ["$pull"] = { v = 1 } }), { 2, "1" })
      t.eq(after(t, db, { { a = 1 }, { a = 1, b = 2 } }, { ["$pull"] = { v = { a = 1 } } }), { { a = 1, b = 2 } })
      t.eq(after(t, db, { { 1 }, 1 }, { ["$pull"] = { v = { 1 } } }), { 1 })
      t.eq(after(t, db, { null }, { ["$pull"] = { v = null } }), json.array {})
      t.eq(after(t, db, nil, { ["$pull"] = { v = 1 } }), nil)
      refuses(t, db, 5, { ["$pull"] = { v = 1 } }, "%$pull on a number")
      t.raises(function()
        after(t, db, {}, { ["$pull"] = { v = { ["$gt"] = 1 } } })
      end, "%$gt")
    end,

    ["several operators change one document together or not at all"] = function(t)
      local db <close> = open(t)
      assert(db.things:insert { _id = "a", n = 1, s = "x" })
      t.eq(db.things:update({ _id = "a" }, { ["$set"] = { s = "y" }, ["$inc"] = { n = 1 }, ["$push"] = { l = 1 } }), 1)
      t.eq(db.things:find_one { _id = "a" }, { _id = "a", n = 2, s = "y", l = { 1 } })
      t.fails("invalid", db.things:update({ _id = "a" }, { ["$set"] = { a = 1 }, ["$inc"] = { s = 1 } }))
      t.eq(db.things:find_one { _id = "a" }, { _id = "a", n = 2, s = "y", l = { 1 } })
    end,

    ["conflicting paths, unknown operators and replacements are refused by name"] = function(t)
      local db <close> = open(t)
      local function raises(update, pattern)
        t.raises(function()
          db.things:update({ _id = "a" }, update)
        end, pattern)
      end
      raises({ ["$set"] = { a = 1 }, ["$inc"] = { a = 1 } }, "two changes of 'a'")
      raises({ ["$set"] = { a = {} }, ["$inc"] = { ["a.b"] = 1 } }, "'a' and 'a%.b'")
      raises({ ["$set"] = { ["a.b.c"] = 1, ["a"] = 1 } }, "'a' and 'a%.b%.c'")
      raises({ ["$rename"] = { a = "b" } }, "%$rename")
      raises({ ["$addToSet"] = { a = "b" } }, "%$addToSet")
      raises({ a = 1 }, "replacement %('a'")
      raises({}, "table of operators")
      raises({ ["$set"] = { ["a.$"] = 1 } }, "'%$'")
      raises({ ["$set"] = { ["a.$[]"] = 1 } }, "'%$%[%]'")
      raises({ ["$set"] = { ["a..b"] = 1 } }, "a%.%.b")
      raises({ ["$set"] = 5 }, "%$set wants a table")
      raises({ ["$set"] = { a = { ["$x"] = 1 } } }, "%$x")
    end,

    ["_id cannot be changed"] = function(t)
      local db <close> = open(t)
      assert(db.things:insert { _id = "a" })
      t.raises(function()
        db.things:update({ _id = "a" }, { ["$set"] = { _id = "b" } })
      end, "_id cannot be changed")
      t.raises(function()
        db.things:update({ _id = "a" }, { ["$unset"] = { _id = true } })
      end, "_id cannot be changed")
      t.eq(db.things:update({ _id = "a" }, { ["$set"] = { _id = "a", x = 1 } }), 1)
      t.eq(db.things:find_one {}, { _id = "a", x = 1 })
    end,
  }
end
