-- Updates: parsed once, applied to a document in place.
--
-- parse raises on misuse (an unknown operator, two operators on one path); apply returns nil, message, "invalid" where
-- the document is not what the operator wants, as MongoDB does.
-- SPDX-License-Identifier: Apache-2.0

local change = require "lib.store.change"
local order = require "lib.store.order"
local path = require "lib.store.path"
local query = require "lib.store.query"

local M = {}

local function refuse_conflicts(ops)
  table.sort(ops, function(a, b)
    return a.path < b.path
  end)
  local taken = {}
  for _, op in ipairs(ops) do
    if taken[op.path] then error(("two changes of '%s' in one update"):format(op.path), 0) end
    taken[op.path] = true
  end
  for _, op in ipairs(ops) do
    local upper = op.path:match "^(.*)%.[^.]*$"
    while upper do
      if taken[upper] then error(("'%s' and '%s' in one update are in conflict"):format(upper, op.path), 0) end
      upper = upper:match "^(.*)%.[^.]*$"
    end
  end
end

-- The operators of an update as a list of {op=, path=, parts=, value=}.
function M.parse(update)
  if type(update) ~= "table" or next(update) == nil then error("an update must be a table of operators", 0) end
  local ops = {}
  for name, fields in pairs(update) do
    if not change.is_operator(name) then
      local what = type(name) == "string" and name:sub(1, 1) == "$" and "no update operator '%s'"
        or "no replacement ('%s' without an operator)"
      error(("the store has " .. what):format(tostring(name)), 0)
    end
    if type(fields) ~= "table" or order.is_array(fields) then error(name .. " wants a table of fields", 0) end
    for field, value in pairs(fields) do
      local op = { op = name, path = field, parts = path.split(field) }
      op.value = query.value(value, field .. " " .. name)
      if name == "$inc" and type(value) ~= "number" then
        error(("%s $inc wants a number, not %s"):format(field, change.described(value)), 0)
      end
      ops[#ops + 1] = op
    end
  end
  refuse_conflicts(ops)
  return ops
end

-- Change the document in place. `inserting`: an upsert makes it now.
function M.apply(doc, ops, inserting)
  for _, op in ipairs(ops) do
    if op.op ~= "$setOnInsert" or inserting then
      local ok, message = change.apply(doc, op)
      if not ok then return nil, message, "invalid" end
    end
  end
  return doc
end

-- The document that an upsert starts from: what the query says it must equal.
function M.start(node)
  local doc, ops = {}, {}
  query.each_equality(node, function(parts, value, name)
    ops[#ops + 1] = { op = "$set", path = name, parts = parts, value = value }
  end)
  refuse_conflicts(ops)
  return M.apply(doc, ops, true)
end

return M
