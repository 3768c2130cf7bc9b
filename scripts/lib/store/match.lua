-- Does a document match a query (query.lua's tree)? MongoDB's semantics: a condition on an array holds when it holds
-- for one of its items or for the array; comparisons hold within one type only; null equals what is missing.
-- SPDX-License-Identifier: Apache-2.0

local order = require "lib.store.order"
local path = require "lib.store.path"

local function any(test)
  return function(values, operand)
    for _, value in ipairs(values) do
      if test(value, operand) then return true end
    end
    return false
  end
end

local function none(test)
  local some = any(test)
  return function(values, operand)
    return not some(values, operand)
  end
end

local function compares(accept)
  return any(function(value, operand)
    return order.rank(value) == order.rank(operand) and accept(order.compare(value, operand))
  end)
end

local function is_one_of(value, list)
  for _, item in ipairs(list) do
    if order.equal(value, item) then return true end
  end
  return false
end

local function lower(text)
  return (text:gsub("[A-Z]+", string.lower)) -- ASCII letters alone
end

local TESTS = {
  ["$eq"] = any(order.equal),
  ["$ne"] = none(order.equal),
  ["$gt"] = compares(function(c)
    return c > 0
  end),
  ["$gte"] = compares(function(c)
    return c >= 0
  end),
  ["$lt"] = compares(function(c)
    return c < 0
  end),
  ["$lte"] = compares(function(c)
    return c <= 0
  end),
  ["$in"] = any(is_one_of),
  ["$nin"] = none(is_one_of),
  ["$exists"] = function(values, wanted)
    local there = any(function(value)
      return value ~= order.MISSING
    end)
    return there(values) == wanted
  end,
  ["$prefix"] = any(function(value, prefix)
    return type(value) == "string" and value:sub(1, #prefix) == prefix
  end),
  ["$contains"] = any(function(value, part)
    return type(value) == "string" and lower(value):find(lower(part), 1, true) ~= nil
  end),
}

local function match(doc, node)
  if node.op == "$and" then
    for _, child in ipairs(node) do
      if not match(doc, child) then return false end
    end
    return true
  elseif node.op == "$or" then
    for _, child in ipairs(node) do
      if match(doc, child) then return true end
    end
    return false
  end
  return TESTS[node.op](path.collect(doc, node.parts, true), node.value)
end

return match
