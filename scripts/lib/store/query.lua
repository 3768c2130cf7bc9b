-- A query as a tree: {op="$and"|"$or", …nodes} or {op="$eq"…, path=, parts=, value=}.
--
-- The named subset of MongoDB's operators; anything else is refused by name, on every engine. Misuse raises.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local order = require "lib.store.order"
local path = require "lib.store.path"

local M = {}

local LIST_MAX = 10000

local function keys_of(t)
  local keys = {}
  for key in pairs(t) do
    if type(key) ~= "string" then error("a query's keys are names of fields, not " .. tostring(key), 0) end
    keys[#keys + 1] = key
  end
  table.sort(keys) -- one query, one SQL text
  return keys
end

local function refuse_dollars(value, where)
  if type(value) ~= "table" then return end
  for key, item in pairs(value) do
    if type(key) == "string" and key:sub(1, 1) == "$" then
      error(("%s: '%s' has no place in a value"):format(where, key), 0)
    end
    refuse_dollars(item, where)
  end
end

-- A value of the caller's, copied and checked; raises on what a document cannot hold.
function M.value(value, where)
  if type(value) == "table" or type(value) == "userdata" then
    local ok, text = pcall(json.encode, value, { typed = true })
    if not ok then error(("%s: %s"):format(where, text), 0) end
    value = assert(json.decode(text, { typed = true }))
    refuse_dollars(value, where)
    return value
  end
  if value ~= value then error(where .. ": nan is no value", 0) end
  if value ~= json.null and type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
    error(("%s: a %s is no value"):format(where, type(value)), 0)
  end
  return value
end

local function list_of(value, where)
  if type(value) ~= "table" or (next(value) ~= nil and not order.is_array(value)) then
    error(where .. " wants a list", 0)
  end
  if #value > LIST_MAX then error(("%s: a list of %d, more than %d"):format(where, #value, LIST_MAX), 0) end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = M.value(item, where)
  end
  return list
end

local function text_of(value, where)
  if type(value) ~= "string" then error(("%s wants a string, not %s"):format(where, type(value)), 0) end
  return value
end

local function flag_of(value, where)
  if type(value) ~= "boolean" then error(("%s wants true or false, not %s"):format(where, type(value)), 0) end
  return value
end

-- How the operand of each operator is read.
local OPERATORS = {
  ["$eq"] = M.value,
  ["$ne"] = M.value,
  ["$gt"] = M.value,
  ["$gte"] = M.value,
  ["$lt"] = M.value,
  ["$lte"] = M.value,
  ["$in"] = list_of,
  ["$nin"] = list_of,
  ["$exists"] = flag_of,
  ["$prefix"] = text_of,
  ["$contains"] = text_of,
}

local function has_operators(condition)
  if type(condition) ~= "table" or order.is_array(condition) then return false end
  for key in pairs(condition) do
    if type(key) == "string" and key:sub(1, 1) == "$" then return true end
  end
  return false
end

local function add_conditions(nodes, name, condition)
  local parts = path.split(name)
  if not has_operators(condition) then
    nodes[#nodes + 1] = { op = "$eq", path = name, parts = parts, value = M.value(condition, name) }
    return
  end
  for _, op in ipairs(keys_of(condition)) do
    local read = OPERATORS[op]
    if not read then error(("the store has no query operator '%s' (on '%s')"):format(op, name), 0) end
    local value = read(condition[op], name .. " " .. op)
    nodes[#nodes + 1] = { op = op, path = name, parts = parts, value = value }
  end
end

local function parse(query)
  if type(query) ~= "table" or order.is_array(query) then error("a query must be a table of fields", 0) end
  local nodes = { op = "$and" }
  for _, name in ipairs(keys_of(query)) do
    if name == "$and" or name == "$or" then
      local branches = query[name]
      if not order.is_array(branches) or #branches == 0 then error(name .. " wants a list of queries", 0) end
      local node = { op = name }
      for i, branch in ipairs(branches) do
        node[i] = parse(branch)
      end
      nodes[#nodes + 1] = node
    elseif name:sub(1, 1) == "$" then
      error(("the store has no query operator '%s'"):format(name), 0)
    else
      add_conditions(nodes, name, query[name])
    end
  end
  return nodes
end

M.parse = parse

-- Calls each(parts, value, path) for what a matching document must equal: the fields that an upsert starts from.
function M.each_equality(node, each)
  if node.op == "$and" or (node.op == "$or" and #node == 1) then
    for _, child in ipairs(node) do
      M.each_equality(child, each)
    end
  elseif node.op == "$eq" then
    each(node.parts, node.value, node.path)
  elseif node.op == "$in" and #node.value == 1 then
    each(node.parts, node.value[1], node.path)
  end
end

return M
