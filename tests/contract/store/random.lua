-- Contract: the store against a naive model in memory, by random steps. The seed is printed when they differ; set
-- SEED here to repeat a run.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"

local SEED = nil
local STEPS = 400

-- A linear congruential generator of its own: the same steps on every machine.
local function generator(seed)
  return function(n)
    seed = (seed * 6364136223846793005 + 1442695040888963407) & math.maxinteger
    return (seed >> 33) % n + 1
  end
end

local VALUES =
  { 1, 2, 2.0, 3.5, -1, "1", "a", "ab", "Ab", "", true, false, json.null, date(1), date(2), 1 << 53, (1 << 53) + 1 }
local RANK = { number = 1, string = 2, boolean = 3, userdata = 4, lightuserdata = 5, ["nil"] = 5 }

local function kind(v)
  if v == json.null then return RANK["nil"] end
  return RANK[type(v)]
end

local function less(a, b)
  if type(a) == "boolean" then return not a and b end
  return a < b
end

local function equal(a, b)
  if kind(a) ~= kind(b) then return false end
  return kind(a) == RANK["nil"] or a == b
end

-- The conditions, told again as plainly as can be.
local HOLDS = {
  ["$eq"] = equal,
  ["$ne"] = function(v, x)
    return not equal(v, x)
  end,
  ["$gt"] = function(v, x)
    return kind(v) == kind(x) and kind(v) ~= RANK["nil"] and less(x, v)
  end,
  ["$gte"] = function(v, x)
    return kind(v) == kind(x) and (equal(v, x) or less(x, v))
  end,
  ["$lt"] = function(v, x)
    return kind(v) == kind(x) and kind(v) ~= RANK["nil"] and less(v, x)
  end,
  ["$lte"] = function(v, x)
    return kind(v) == kind(x) and (equal(v, x) or less(v, x))
  end,
  ["$exists"] = function(v, x)
    return (v ~= nil) == x
  end,
  ["$in"] = function(v, x)
    return equal(v, x[1]) or equal(v, x[2])
  end,
  ["$nin"] = function(v, x)
    return not (equal(v, x[1]) or equal(v, x[2]))
  end,
  ["$prefix"] = function(v, x)
    return type(v) == "string" and v:sub(1, #x) == x
  end,
  ["$contains"] = function(v, x)
    return type(v) == "string" and v:lower():find(x:lower(), 1, true) ~= nil
  end,
}
local OPS = { "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists", "$in", "$nin", "$prefix", "$contains" }

return function(open)
  local function run(t, collection, fields, values, complete)
    local seed = SEED or sys.now()
    local r = generator(seed)
    local model, count = {}, 0
    local function pick(list)
      return list[r(#list)]
    end
    local function value(field)
      return pick(values[field] or VALUES)
    end

    local function operand(op, field)
      if op == "$exists" then return r(2) == 1 end
      if op == "$in" or op == "$nin" then return { pick(VALUES), value(field) } end
      if op == "$prefix" or op == "$contains" then return pick { "a", "A", "b", "", "ab" } end
      return r(4) == 1 and pick(VALUES) or value(field)
    end

    -- A query, and the same as a function.
    local function query(depth)
      if depth > 0 and r(3) == 1 then
        local q1, f1 = query(depth - 1)
        local q2, f2 = query(depth - 1)
        if r(2) == 1 then
          return { ["$or"] = { q1, q2 } }, function(doc)
            return f1(doc) or f2(doc)
          end
        end
        return { ["$and"] = { q1, q2 } }, function(doc)
          return f1(doc) and f2(doc)
        end
      end
      local field, op = pick(fields), pick(OPS)
      local x = operand(op, field)
      return { [field] = { [op] = x } }, function(doc)
        return HOLDS[op](doc[field], x)
      end
    end

    local function wanted(holds)
      local ids = {}
      for id, doc in pairs(model) do
        if holds(doc) then ids[#ids + 1] = id end
      end
      table.sort(ids)
      return ids
    end

    local STEP = {
      function() -- insert
        count = count + 1
        local doc = complete { _id = ("d%03d"):format(count) }
        for _, field in ipairs(fields) do
          if r(4) > 1 or doc[field] then doc[field] = value(field) end
        end
        t.eq(collection:insert(doc), doc)
        model[doc._id] = doc
      end,
      function() -- update one or many
        local q, holds = query(1)
        local field, many = pick(fields), r(2) == 1
        local new, ids = value(field), wanted(holds)
        if not many then ids = { ids[1] } end
        t.eq(collection:update(q, { ["$set"] = { [field] = new } }, { many = many }), #ids)
        for _, id in ipairs(ids) do
          model[id][field] = new
        end
      end,
      function() -- delete one
        if r(3) > 1 then return end
        local q, holds = query(1)
        local ids = wanted(holds)
        t.eq(collection:delete(q), #ids > 0 and 1 or 0)
        if ids[1] then model[ids[1]] = nil end
      end,
      function() -- find and count
        local q, holds = query(2)
        local ids = wanted(holds)
        local got = assert(collection:find(q))
        t.eq(collection:count(q), #ids, json.encode(q))
        t.eq(#got, #ids, json.encode(q))
        for i, doc in ipairs(got) do
          t.eq(doc, model[ids[i]], json.encode(q))
        end
      end,
    }
    for step = 1, STEPS do
      local ok, reason = pcall(STEP[r(#STEP)])
      if not ok then error(("seed %d, step %d: %s"):format(seed, step, tostring(reason)), 0) end
    end
  end

  return {
    ["random steps on free fields do as a naive model does"] = function(t)
      local db <close> = open(t)
      run(t, db.things, { "x", "y" }, {}, function(doc)
        return doc
      end)
    end,

    ["random steps on declared fields do as a naive model does"] = function(t)
      local db <close> = open(t)
      local values = {
        n = { 1, 2, 3, -1, 1 << 53, (1 << 53) + 1, math.maxinteger },
        note = { "", "a", "ab", "Ab", "b", "ä", json.null },
        flag = { true, false, json.null },
        at = { date(1), date(2), date(1 << 40) },
      }
      run(t, db.people, { "n", "note", "flag", "at", "free" }, values, function(doc)
        doc.team, doc.name, doc.n, doc.at = "red", doc._id, 1, date(1)
        return doc
      end)
    end,
  }
end
