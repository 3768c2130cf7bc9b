-- The options of find and its kin, checked: sort, fields, limit, after. Misuse raises.
-- SPDX-License-Identifier: Apache-2.0

local cursor = require "lib.store.cursor"
local json = require "gander.json"
local order = require "lib.store.order"
local path = require "lib.store.path"
local shape = require "lib.store.shape"

local M = {}

function M.check(opts, known)
  if opts == nil then return end
  if type(opts) ~= "table" then error("options must be a table", 0) end
  for key in pairs(opts) do
    if not known[key] then error(("unknown option '%s'"):format(tostring(key)), 0) end
  end
end

function M.flag(opts, key)
  local value = opts and opts[key]
  if value ~= nil and type(value) ~= "boolean" then error(("option '%s' must be true or false"):format(key), 0) end
  return value or false
end

function M.limit(opts, max)
  local limit = opts and opts.limit
  if limit == nil then return nil end
  if math.type(limit) ~= "integer" or limit < 1 or limit > max then
    error(("option 'limit' must be an integer from 1 to %d"):format(max), 0)
  end
  return limit
end

local function strings(value, what)
  if type(value) ~= "table" or #value == 0 then error(("option '%s' must be a list of field names"):format(what), 0) end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or type(item) ~= "string" then
      error(("option '%s' must be a list of field names"):format(what), 0)
    end
  end
  return value
end

-- The total order: a list of {field=, parts=, descending=}, ended by _id in the direction of the last field.
-- `declared`: every document has each of the fields, of one type; else `free` names one that is not.
function M.sort(collection, opts)
  local sort, seen = { declared = true }, {}
  for _, text in ipairs(opts and opts.sort and strings(opts.sort, "sort") or {}) do
    local minus, field = text:match "^(%-?)(.*)$"
    if seen[field] then error(("'%s' twice in a sort"):format(field), 0) end
    if seen._id then error("nothing can be sorted after _id", 0) end
    seen[field] = true
    sort[#sort + 1] = { field = field, parts = path.split(field), descending = minus == "-" }
    local kind, optional = shape.type_of(collection, field)
    if not kind or optional then
      sort.declared, sort.free = false, field
    end
  end
  if not seen._id then
    local descending = #sort > 0 and sort[#sort].descending
    sort[#sort + 1] = { field = "_id", parts = { "_id" }, descending = descending }
  end
  local names = {}
  for i, by in ipairs(sort) do
    names[i] = (by.descending and "-" or "") .. by.field
  end
  sort.name = collection.name .. ":" .. table.concat(names, ",")
  return sort
end

-- The sort key to go on after, or nil | nil, message, "invalid": cursors come from outside.
function M.after(collection, opts, sort)
  local text = opts and opts.after
  if text == nil then return nil end
  if type(text) ~= "string" then error("option 'after' must be a cursor", 0) end
  local values, message, code = cursor.decode(sort.name, text, #sort)
  if not values then return nil, message, code end
  for i, by in ipairs(sort) do
    local kind = shape.type_of(collection, by.field)
    if kind and not shape.is_operand(kind, values[i]) then
      return nil, "the cursor does not belong to this list", "invalid"
    end
  end
  return values
end

-- The fields to keep as a tree, {} for a whole field; nil keeps all.
function M.fields(opts)
  if not (opts and opts.fields) then return nil end
  local tree = {}
  for _, field in ipairs(strings(opts.fields, "fields")) do
    local at, parts = tree, path.split(field)
    for i, part in ipairs(parts) do
      if at[part] and (i == #parts or next(at[part]) == nil) then
        error(("'%s' is in conflict with another of the fields"):format(field), 0)
      end
      at[part] = at[part] or {}
      at = at[part]
    end
  end
  if not tree._id then tree._id = {} end
  return tree
end

local function project(value, tree)
  if order.is_array(value) then
    local kept = {}
    for _, item in ipairs(value) do
      if type(item) == "table" then kept[#kept + 1] = project(item, tree) end
    end
    return json.array(kept)
  end
  local kept = {}
  for name, below in pairs(tree) do
    local item = value[name]
    if next(below) == nil then
      kept[name] = item
    elseif type(item) == "table" then
      kept[name] = project(item, below)
    end
  end
  return kept
end

-- The document with only these fields and _id.
function M.project(doc, tree)
  return tree and project(doc, tree) or doc
end

return M
