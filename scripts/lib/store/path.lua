-- Dotted paths: "next.at", "lines.text" (through an array's objects), "lines.0" (an array's first item).
-- SPDX-License-Identifier: Apache-2.0

local order = require "lib.store.order"

local M = {}

local DEPTH_MAX = 64

-- The parts of a path; raises on what is no path.
function M.split(path)
  if type(path) ~= "string" then error("a field's name must be a string, not " .. type(path), 0) end
  local parts = {}
  for part in (path .. "."):gmatch "([^.]*)%." do
    if part == "" then error(("'%s' is not a field's name: a part of it is empty"):format(path), 0) end
    if part:sub(1, 1) == "$" then error(("the store has no '%s' in a field's name ('%s')"):format(part, path), 0) end
    parts[#parts + 1] = part
  end
  if #parts > DEPTH_MAX then error(("'%.60s…' is deeper than %d levels"):format(path, DEPTH_MAX), 0) end
  return parts
end

-- The index in Lua of an array's item ("0" is 1), or nil when the part is no number.
function M.index_of(part)
  if part ~= "0" and not part:find "^[1-9]%d*$" then return nil end
  return #part < 10 and math.tointeger(tonumber(part)) + 1 or nil
end

local from_object

-- `parts[i…]` seen from an array: its items, and last the array itself when the path ends here. A path that goes on is
-- followed into the objects among the items, and into one item when the part is its number (as MongoDB does).
local function from_array(array, parts, i, found, whole)
  local part = parts[i]
  if not part then
    table.move(array, 1, #array, #found + 1, found)
    if whole then
      found[#found + 1] = array
    elseif #array == 0 then
      found[#found + 1] = order.EMPTY
    end
    return
  end
  local index = M.index_of(part)
  for n, item in ipairs(array) do
    if order.is_object(item) then from_object(item, parts, i, found, whole) end
    if n == index then
      if i == #parts then
        found[#found + 1] = item
      elseif order.is_object(item) then
        from_object(item, parts, i + 1, found, whole)
      elseif order.is_array(item) then
        from_array(item, parts, i + 1, found, whole)
      end
    end
  end
end

function from_object(value, parts, i, found, whole)
  while i <= #parts do
    if order.is_array(value) then return from_array(value, parts, i, found, whole) end
    if type(value) == "table" then
      value = value[parts[i]]
    else
      value = nil
    end
    if value == nil then
      found[#found + 1] = order.MISSING
      return
    end
    i = i + 1
  end
  if order.is_array(value) then return from_array(value, parts, i, found, whole) end
  found[#found + 1] = value
end

-- All that a path leads to in a document: a list of values, MISSING where an object lacks the field. For an array at
-- the end: its items, and with `whole` the array itself (without: EMPTY for an empty one).
function M.collect(doc, parts, whole)
  local found = {}
  from_object(doc, parts, 1, found, whole)
  return found
end

-- The value at a path that leads through objects only, or nil.
function M.get(doc, parts)
  local value = doc
  for _, part in ipairs(parts) do
    if not order.is_object(value) then return nil end
    value = value[part]
  end
  return value
end

-- A document's values of the fields of a sort (options.lua).
function M.sort_key(doc, sort)
  local values = {}
  for i, by in ipairs(sort) do
    values[i] = M.get(doc, by.parts)
  end
  return values
end

return M
