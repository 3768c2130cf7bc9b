-- The statements of the store: plans of queries, pages by sort key, counts and deletions.
--
-- A plan narrows the choice to what where.lua can say; when it is not `exact`, match.lua has the last word.
-- SPDX-License-Identifier: Apache-2.0

local where = require "lib.store.sqlite.where"

local M = {}

local RANGES = { ["$gt"] = true, ["$gte"] = true, ["$lt"] = true, ["$lte"] = true, ["$in"] = true, ["$prefix"] = true }

-- Is there a range that an index serves? SQLite would rather walk the whole table in the order of _id.
local function has_range(collection, node)
  for _, child in ipairs(node) do
    for _, fields in ipairs(RANGES[child.op] and collection.index or {}) do
      if child.path == fields[1] then return true end
    end
  end
  return false
end

-- A query as {filter= SQL or nil, params= its values, exact=}.
function M.plan(collection, node)
  local params = {}
  local filter, exact = where.where(collection, node, params)
  return { filter = filter, params = params, exact = exact, range = has_range(collection, node) }
end

function M.count(collection, plan)
  return ('SELECT count(*) AS n FROM "%s"%s'):format(collection.name, plan.filter and " WHERE " .. plan.filter or "")
end

-- What comes after the sort key `values`, in SQL.
local function past(collection, sort, values, params)
  local expressions, same = {}, true
  for i, by in ipairs(sort) do
    expressions[i] = where.expression(collection, by.field)
    same = same and by.descending == sort[1].descending
  end
  local beyond = sort[1].descending and "<" or ">"
  params[#params + 1] = values[1]
  local bound = ("%s%s=?"):format(expressions[1], beyond) -- what an index can use
  if same then
    table.move(values, 1, #sort, #params + 1, params)
    return ("%s AND (%s)%s(%s)"):format(bound, table.concat(expressions, ","), beyond, ("?,"):rep(#sort):sub(1, -2))
  end
  local branches = {}
  for i, by in ipairs(sort) do
    local terms = {}
    for n = 1, i - 1 do
      terms[n] = expressions[n] .. "=?"
      params[#params + 1] = values[n]
    end
    terms[i] = expressions[i] .. (by.descending and "<?" or ">?")
    params[#params + 1] = values[i]
    branches[i] = table.concat(terms, " AND ")
  end
  return ("%s AND (%s)"):format(bound, table.concat(branches, " OR "))
end

-- DELETE of at most `limit` documents that match an exact plan: text, values.
function M.delete(collection, plan, limit)
  local params = table.move(plan.params, 1, #plan.params, 1, {})
  params[#params + 1] = limit
  local some = ('SELECT _id FROM "%s"%s LIMIT ?'):format(
    collection.name,
    plan.filter and " WHERE " .. plan.filter or ""
  )
  return ('DELETE FROM "%s" WHERE _id IN (%s)'):format(collection.name, some), params
end

-- SELECT of at most `limit` documents that may match, in order, after the sort key `after` if given: text, values.
function M.select(collection, plan, sort, after, limit)
  local params, keys = table.move(plan.params, 1, #plan.params, 1, {}), {}
  local terms = { plan.filter }
  if after then terms[#terms + 1] = past(collection, sort, after, params) end
  for i, by in ipairs(sort) do
    keys[i] = where.expression(collection, by.field) .. (by.descending and " DESC" or "")
  end
  if plan.range and sort[1].field == "_id" then keys[1] = "+" .. keys[1] end
  params[#params + 1] = limit
  return ('SELECT doc FROM "%s"%s ORDER BY %s LIMIT ?'):format(
    collection.name,
    #terms > 0 and " WHERE " .. table.concat(terms, " AND ") or "",
    table.concat(keys, ",")
  ),
    params
end

return M
