-- The order of values, which is MongoDB's: by type first (null and missing, numbers, strings, objects, arrays,
-- booleans, dates), then by value. Integers and doubles compare by value, exactly; strings by their bytes.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"

local M = {}

local ARRAY, OBJECT = getmetatable(json.array({})), getmetatable(json.object({}))
local RANKS = { ["nil"] = 1, lightuserdata = 1, number = 2, string = 3, boolean = 8, userdata = 9 }
local OBJECT_RANK, ARRAY_RANK = 4, 5

-- What a path leads to where there is nothing, and the sort key of an empty array.
M.MISSING = setmetatable({}, { __name = "missing" })
M.EMPTY = setmetatable({}, { __name = "empty array" })

function M.is_array(value)
  if type(value) ~= "table" then return false end
  local mark = getmetatable(value)
  return mark == ARRAY or (mark ~= OBJECT and rawlen(value) > 0)
end

function M.is_object(value)
  return type(value) == "table" and not M.is_array(value)
end

-- The place of the value's type in the order; two values of one rank can be compared by value.
function M.rank(value)
  if value == M.EMPTY then return 0 end
  if value == M.MISSING or value == json.null then return 1 end
  if type(value) == "table" then return M.is_array(value) and ARRAY_RANK or OBJECT_RANK end
  return RANKS[type(value)]
end

-- The keys of an object as they are stored: _id first, then in byte order.
local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if a == "_id" or b == "_id" then return a == "_id" and b ~= "_id" end
    return a < b
  end)
  return keys
end

local compare

local function compare_objects(a, b)
  local a_keys, b_keys = sorted_keys(a), sorted_keys(b)
  for i = 1, math.min(#a_keys, #b_keys) do
    local x, y = a[a_keys[i]], b[b_keys[i]]
    local x_rank, y_rank = M.rank(x), M.rank(y)
    if x_rank ~= y_rank then return x_rank < y_rank and -1 or 1 end
    if a_keys[i] ~= b_keys[i] then return a_keys[i] < b_keys[i] and -1 or 1 end
    local order = compare(x, y)
    if order ~= 0 then return order end
  end
  return #a_keys == #b_keys and 0 or #a_keys < #b_keys and -1 or 1
end

local function compare_arrays(a, b)
  for i = 1, math.min(#a, #b) do
    local order = compare(a[i], b[i])
    if order ~= 0 then return order end
  end
  return #a == #b and 0 or #a < #b and -1 or 1
end

-- -1, 0 or 1
function compare(a, b)
  local rank, other = M.rank(a), M.rank(b)
  if rank ~= other then return rank < other and -1 or 1 end
  if rank <= 1 then return 0 end
  if rank == OBJECT_RANK then return compare_objects(a, b) end
  if rank == ARRAY_RANK then return compare_arrays(a, b) end
  if rank == RANKS.boolean then return a == b and 0 or b and -1 or 1 end
  return a == b and 0 or a < b and -1 or 1
end

M.compare = compare

function M.equal(a, b)
  return compare(a, b) == 0
end

return M
