-- The checks behind lib/schema: check(schema, value, field, faults) -> the value as it is to be used.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"

local check

local function fault(list, field, rule, message)
  list[#list + 1] = { field = field, rule = rule, message = message }
end

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

local function in_list(list, v)
  for _, known in ipairs(list) do
    if known == v then return true end
  end
  return false
end

local checks = {}

function checks.any(_, v)
  return v
end

function checks.boolean(_, v, field, faults)
  if type(v) ~= "boolean" then fault(faults, field, "type", "must be true or false") end
  return v
end

function checks.string(s, v, field, faults)
  if type(v) ~= "string" then
    fault(faults, field, "type", "must be a string")
    return v
  end
  if s.trim then v = v:match "^%s*(.-)%s*$" end
  local length = utf8.len(v) or #v
  local min, max = s.min or 0, s.max or 10000
  if length < min then
    fault(faults, field, "min", min == 1 and "must not be empty" or "must have at least " .. min .. " characters")
  elseif length > max then
    fault(faults, field, "max", "must have at most " .. max .. " characters, not " .. length)
  elseif s.enum and not in_list(s.enum, v) then
    fault(faults, field, "enum", "must be one of " .. table.concat(s.enum, ", "))
  elseif s.pattern and not v:find(s.pattern) then
    fault(faults, field, "pattern", s.hint or "has characters that are not allowed here")
  elseif s.format == "uuid" and not v:find(UUID) then
    fault(faults, field, "format", "must be a UUID")
  elseif s.format == "date" and not date(v) then
    fault(faults, field, "format", "must be a time such as 2026-11-24T08:15:30Z")
  end
  return v
end

local function check_range(s, v, field, faults)
  if (s.min and v < s.min) or (s.max and v > s.max) then
    local text = s.min and s.max and "must be from " .. s.min .. " to " .. s.max
      or s.min and "must be at least " .. s.min
      or "must be at most " .. s.max
    fault(faults, field, "range", text)
  end
  return v
end

function checks.integer(s, v, field, faults)
  local n = math.type(v) == "integer" and v or (math.type(v) == "float" and math.tointeger(v)) or nil
  if not n then
    fault(faults, field, "type", "must be an integer")
    return v
  end
  return check_range(s, n, field, faults)
end

function checks.number(s, v, field, faults)
  if type(v) ~= "number" then
    fault(faults, field, "type", "must be a number")
    return v
  end
  return check_range(s, v, field, faults)
end

local ARRAY = getmetatable(json.array {})

-- An empty list that came as JSON is marked as one.
local function is_object(v)
  return type(v) == "table" and #v == 0 and getmetatable(v) ~= ARRAY
end

local function inside(field, key)
  return field == "" and tostring(key) or field .. "." .. tostring(key)
end

function checks.object(s, v, field, faults)
  if not is_object(v) then
    fault(faults, field, "type", "must be an object")
    return v
  end
  for key in pairs(v) do
    if not s.fields[key] then
      fault(faults, inside(field, key), "unknown", "there is no field '" .. tostring(key):sub(1, 80) .. "' here")
    end
  end
  local out = json.object {}
  for key, sub in pairs(s.fields) do
    local given = v[key]
    if given ~= nil then
      out[key] = check(sub, given, inside(field, key), faults)
    elseif sub.default ~= nil then
      out[key] = sub.default
    elseif not sub.optional then
      fault(faults, inside(field, key), "required", "is missing")
    end
  end
  return out
end

function checks.map(s, v, field, faults)
  if not is_object(v) then
    fault(faults, field, "type", "must be an object")
    return v
  end
  local out, n = json.object {}, 0
  for key, item in pairs(v) do
    n = n + 1
    if s.key_pattern and not tostring(key):find(s.key_pattern) then
      fault(faults, inside(field, key), "pattern", "is not a name that may stand here")
    end
    out[key] = check(s.value, item, inside(field, key), faults)
  end
  if n > s.max then fault(faults, field, "max", "must have at most " .. s.max .. " entries") end
  return out
end

function checks.array(s, v, field, faults)
  if type(v) ~= "table" or (next(v) ~= nil and #v == 0) then
    fault(faults, field, "type", "must be a list")
    return v
  end
  if #v > s.max or #v < s.min then
    fault(faults, field, "max", "must have " .. s.min .. " to " .. s.max .. " items")
    return v
  end
  local out = json.array {}
  for i, item in ipairs(v) do
    out[i] = check(s.item, item, field .. "[" .. i - 1 .. "]", faults)
  end
  return out
end

-- The choice that the object names by its field `by`.
local function check_named(s, v, field, faults)
  local names = {}
  for i, choice in ipairs(s.choices) do
    names[i] = choice.fields[s.by].enum[1]
    if is_object(v) and v[s.by] == names[i] then return check(choice, v, field, faults) end
  end
  fault(faults, inside(field, s.by), "enum", "must be one of " .. table.concat(names, ", "))
end

-- How badly a choice fits: one of another type worse than any of the right one.
local function misfit(mine, field)
  local other_type = mine[1].field == field and mine[1].rule == "type"
  return #mine + (other_type and 1000 or 0)
end

-- The faults shown are those of the choice that fits best.
function checks.one_of(s, v, field, faults)
  if s.by then return check_named(s, v, field, faults) end
  local best
  for _, choice in ipairs(s.choices) do
    local mine = {}
    local out = check(choice, v, field, mine)
    if #mine == 0 then return out end
    if not best or misfit(mine, field) < misfit(best, field) then best = mine end
  end
  table.move(best, 1, #best, #faults + 1, faults)
  return v
end

function check(s, v, field, faults)
  if v == json.null then
    if not s.nullable and s.kind ~= "any" then fault(faults, field, "type", "must not be null") end
    return v
  end
  return checks[s.kind](s, v, field, faults)
end

return check
