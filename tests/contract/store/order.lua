-- Contract: the order of lists, and their pages.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"

return function(open, support)
  local fill, finds, person = support.fill, support.finds, support.person

  -- All pages of a list, as ids; `between(page)` runs after each page.
  local function pages(t, collection, query, options, between)
    local ids, page = {}, 0
    repeat
      local docs, following, code = collection:find(query, options)
      t.ok(docs, tostring(following) .. tostring(code))
      t.ok(#docs <= options.limit, "a page longer than its limit")
      for _, doc in ipairs(docs) do
        ids[#ids + 1] = doc._id
      end
      options.after, page = following, page + 1
      if between then between(page) end
    until not following
    return ids
  end

  return {
    ["without a sort the order is that of _id"] = function(t)
      local db <close> = open(t)
      fill(db.things, { b = {}, a = {}, B = {}, ["ä"] = {} })
      finds(t, db.things, {}, { "B", "a", "b", "ä" })
      fill(db.numbered, { [10] = {}, [9] = {}, [-1] = {} })
      finds(t, db.numbered, {}, { -1, 9, 10 })
    end,

    ["a sort orders types, then values, and ends by _id in the last direction"] = function(t)
      local db <close> = open(t)
      fill(db.things, {
        a = { v = date(1) },
        b = { v = true },
        c = { v = false },
        d = { v = { x = 1 } },
        e = { v = "b" },
        f = { v = "a" },
        g = { v = 10 },
        h = { v = 9.5 },
        i = { v = json.null },
        j = {},
        k = { v = json.array {} },
        l = { v = 10.0 },
      })
      finds(t, db.things, {}, { "k", "i", "j", "h", "g", "l", "f", "e", "d", "c", "b", "a" }, { sort = { "v" } })
      finds(t, db.things, {}, { "a", "b", "c", "d", "e", "f", "l", "g", "h", "j", "i", "k" }, { sort = { "-v" } })
      t.eq(pages(t, db.things, { v = 10 }, { sort = { "-_id" }, limit = 1 }), { "l", "g" })
    end,

    ["an array sorts by its least item, descending by its greatest"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = { 1, 9 } }, b = { v = 5 }, c = { v = { 3, 4 } } })
      finds(t, db.things, {}, { "a", "c", "b" }, { sort = { "v" } })
      finds(t, db.things, {}, { "a", "b", "c" }, { sort = { "-v" } })
    end,

    ["several keys may go in different directions"] = function(t)
      local db <close> = open(t)
      for i, row in ipairs { { "x", 1 }, { "x", 2 }, { "y", 1 }, { "y", 2 }, { "y", 2 } } do
        assert(db.people:insert(person { _id = "p" .. i, team = row[1], n = row[2] }))
      end
      finds(t, db.people, {}, { "p3", "p4", "p5", "p1", "p2" }, { sort = { "-team", "n" } })
      finds(t, db.people, {}, { "p2", "p1", "p5", "p4", "p3" }, { sort = { "team", "-n" } })
      local sorted = { "-team", "n" }
      t.eq(pages(t, db.people, {}, { sort = sorted, limit = 1 }), { "p3", "p4", "p5", "p1", "p2" })
    end,

    ["find_one gives the first in order"] = function(t)
      local db <close> = open(t)
      fill(db.things, { a = { v = 1 }, b = { v = 3 }, c = { v = 2 } })
      t.eq(db.things:find_one({}, { sort = { "-v" } })._id, "b")
      t.eq(db.things:find_one({ v = { ["$lt"] = 3 } }, { sort = { "-v" } })._id, "c")
      t.eq(db.things:find_one({ v = 9 }), nil)
    end,

    ["pages neither skip nor repeat while others insert and delete"] = function(t)
      local db <close> = open(t)
      for i = 1, 25 do
        assert(db.people:insert(person { _id = ("p%02d"):format(i), at = date(i // 3), name = "n" .. i, n = i }))
      end
      local ids = pages(t, db.people, { team = "red" }, { sort = { "-at" }, limit = 4 }, function(page)
        assert(db.people:insert(person { _id = "new" .. page, at = date(page * 2), name = "new" .. page, n = page }))
        db.people:delete { _id = ("p%02d"):format(26 - page) } -- already seen
      end)
      local seen = {}
      for _, id in ipairs(ids) do
        t.ok(not seen[id], id .. " twice")
        seen[id] = true
      end
      for i = 1, 25 do
        t.ok(seen[("p%02d"):format(i)], "p" .. i .. " is missing")
      end
    end,

    ["pages of a filter on a free field are full"] = function(t)
      local db <close> = open(t)
      local wanted = {}
      for i = 1, 60 do
        local id = ("t%02d"):format(i)
        assert(db.things:insert { _id = id, odd = i % 2 == 1 })
        if i % 2 == 1 then wanted[#wanted + 1] = id end
      end
      t.eq(pages(t, db.things, { odd = true }, { limit = 7 }), wanted)
      local docs, following = db.things:find({ odd = true }, { limit = 30 })
      t.eq({ #docs, following }, { 30 })
    end,

    ["a cursor of another list, and rubbish, are invalid"] = function(t)
      local db <close> = open(t)
      for i = 1, 3 do
        assert(db.people:insert(person { n = i }))
      end
      local _, following = db.people:find({}, { sort = { "n" }, limit = 1 })
      t.ok(following:find "^[%w_-]+$", "not fit for a URL: " .. following)
      t.fails("invalid", db.people:find({}, { sort = { "-n" }, after = following }))
      t.fails("invalid", db.people:find({}, { after = following }))
      for _, text in ipairs { "", "x", "xxxx", "WyJ4Iiwi", following .. "A", following:sub(1, -3), ("A"):rep(9000) } do
        t.fails("invalid", db.people:find({}, { sort = { "n" }, after = text }))
      end
      t.raises(function()
        db.people:find({}, { after = 5 })
      end, "'after'")
    end,

    ["a paged sort by what not every document has is refused by name"] = function(t)
      local db <close> = open(t)
      t.raises(function()
        db.people:find({}, { sort = { "next.at" }, limit = 5 })
      end, "next%.at")
      t.raises(function()
        db.things:find({}, { sort = { "v" }, limit = 5 })
      end, "'v'")
      t.raises(function()
        db.things:find({}, { sort = { "v", "-v" } })
      end, "'v' twice")
      t.raises(function()
        db.things:find({}, { sort = { "_id", "v" } })
      end, "after _id")
      t.raises(function()
        db.things:find({}, { sort = "v" })
      end, "'sort'")
    end,

    ["fields keeps what is named, and _id"] = function(t)
      local db <close> = open(t)
      assert(db.things:insert {
        _id = "a",
        x = 1,
        y = { p = 1, q = { r = 2, s = 3 } },
        l = { { m = 1, n = 2 }, 5 },
        z = json.null,
      })
      local function shows(fields, want)
        t.eq(db.things:find_one({}, { fields = fields }), want)
        t.eq(db.things:find({}, { fields = fields })[1], want)
      end
      shows({ "x" }, { _id = "a", x = 1 })
      shows({ "_id" }, { _id = "a" })
      shows({ "y.q.r", "z" }, { _id = "a", y = { q = { r = 2 } }, z = json.null })
      shows({ "l.m" }, { _id = "a", l = { { m = 1 } } })
      shows({ "missing.x", "x.y" }, { _id = "a" })
      t.raises(function()
        db.things:find({}, { fields = { "y", "y.p" } })
      end, "y%.p")
      t.raises(function()
        db.things:find({}, { fields = { x = true } })
      end, "'fields'")
    end,
  }
end
