-- One operator of an update at one place of a document. What the document does not allow is nil, message.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local order = require "lib.store.order"
local path = require "lib.store.path"

local M = {}

local PAD_MAX = 100000 -- nulls that a write past an array's end may add

function M.described(value)
  if value == json.null then return "null" end
  if type(value) == "table" then return order.is_array(value) and "an array" or "an object" end
  return type(value) == "userdata" and "a date" or "a " .. type(value)
end

-- The key of a path's part in a container, or nil when it can have none (a name in an array).
local function key_in(container, part)
  if order.is_array(container) then return path.index_of(part) end
  return part
end

local function put(container, key, value)
  if math.type(key) then
    if key > #container + PAD_MAX then return nil, ("the array ends at %d, far before %d"):format(#container, key) end
    for i = #container + 1, key - 1 do
      container[i] = json.null
    end
  end
  container[key] = value
  return true
end

-- The container and key that a path ends in. With `create`, objects are made on the way, and what stands in the way is
-- an error; without, nil alone.
local function locate(doc, op, create)
  local container = doc
  for i = 1, #op.parts do
    local key = key_in(container, op.parts[i])
    if key == nil then
      if not create then return nil end
      return nil, ("%s: there is no '%s' in an array"):format(op.path, op.parts[i])
    end
    if i == #op.parts then return container, key end
    local child = container[key]
    if child == nil then
      if not create then return nil end
      child = json.object({})
      local ok, message = put(container, key, child)
      if not ok then return nil, op.path .. ": " .. message end
    elseif type(child) ~= "table" then
      if not create then return nil end
      return nil, ("%s: '%s' is %s, not an object"):format(op.path, op.parts[i], M.described(child))
    end
    container = child
  end
end

local function add(a, b)
  local sum = a + b
  if math.type(a) == "integer" and math.type(b) == "integer" then
    if (a ~ sum) & (b ~ sum) < 0 then return nil, "the sum is beyond 64 bits" end
  elseif sum ~= sum or sum == math.huge or sum == -math.huge then
    return nil, "the sum is beyond a double"
  end
  return sum
end

local function set_when(better)
  return function(container, key, value)
    local now = container[key]
    if now == nil or better(order.compare(value, now)) then return put(container, key, value) end
    return true
  end
end

-- Each: function(container, key, operand) -> true | nil, message
local OPERATORS = {
  ["$set"] = put,
  ["$setOnInsert"] = put,
  ["$min"] = set_when(function(c)
    return c < 0
  end),
  ["$max"] = set_when(function(c)
    return c > 0
  end),
  ["$inc"] = function(container, key, amount)
    local now = container[key]
    if now == nil then return put(container, key, amount) end
    if type(now) ~= "number" then return nil, "$inc on " .. M.described(now) end
    local sum, message = add(now, amount)
    if not sum then return nil, "$inc: " .. message end
    container[key] = sum
    return true
  end,
  ["$push"] = function(container, key, value)
    local now = container[key]
    if now == nil then return put(container, key, json.array { value }) end
    if not order.is_array(now) then return nil, "$push on " .. M.described(now) end
    now[#now + 1] = value
    return true
  end,
  ["$unset"] = function(container, key)
    if math.type(key) then
      if container[key] ~= nil then container[key] = json.null end -- the other items keep their places
    else
      container[key] = nil
    end
    return true
  end,
  ["$pull"] = function(container, key, value)
    local now = container[key]
    if now == nil then return true end
    if not order.is_array(now) then return nil, "$pull on " .. M.described(now) end
    local kept = json.array {}
    for _, item in ipairs(now) do
      if not order.equal(item, value) then kept[#kept + 1] = item end
    end
    container[key] = kept
    return true
  end,
}
local LAZY = { ["$unset"] = true, ["$pull"] = true } -- never make a path

function M.is_operator(name)
  return OPERATORS[name] ~= nil
end

-- Change the document in place by {op=, path=, parts=, value=}: true | nil, message
function M.apply(doc, op)
  local container, key = locate(doc, op, not LAZY[op.op])
  if not container then
    if key then return nil, key end -- a message
    return true -- nothing there to remove
  end
  local ok, message = OPERATORS[op.op](container, key, op.value)
  if not ok then return nil, op.path .. ": " .. message end
  return true
end

return M
