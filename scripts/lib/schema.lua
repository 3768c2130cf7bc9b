-- schema: what a body or a query may be, checked with every fault named at once, and shown as JSON Schema.
--
--   S.object{ name = S.string{ min = 1, max = 64, trim = true }, note = S.optional(S.string{}) }
--   S.check(schema, value)        -> value (trimmed, defaults filled) | nil, faults {{field, rule, message}}
--   S.from_text(schema, params)   the same for query parameters, whose values are strings
--   S.describe(schema)            JSON Schema (OpenAPI 3.1)
--
-- Unknown fields are refused by name. Lengths of strings count code points.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"

local S = {}

local function make(kind)
  return function(rules)
    local s = { kind = kind }
    for k, v in pairs(rules or {}) do
      s[k] = v
    end
    return s
  end
end

S.string = make "string" -- {min, max = 10000, pattern, enum, format = "uuid" | "date", trim, doc}
S.integer = make "integer" -- {min, max}
S.number = make "number" -- {min, max}
S.boolean = make "boolean"
S.any = make "any"

function S.object(fields, rules)
  return { kind = "object", fields = fields, doc = rules and rules.doc }
end

function S.array(item, rules)
  return { kind = "array", item = item, max = rules and rules.max or 1000, min = rules and rules.min or 0 }
end

-- An object whose keys we do not choose.
function S.map(value, rules)
  return { kind = "map", value = value, max = rules and rules.max or 200, key_pattern = rules and rules.key_pattern }
end

-- The first that fits; `choices` may be told apart by an object's enum field.
function S.one_of(choices)
  return { kind = "one_of", choices = choices }
end

local function with(s, extra)
  local copy = {}
  for k, v in pairs(s) do
    copy[k] = v
  end
  for k, v in pairs(extra) do
    copy[k] = v
  end
  return copy
end

function S.optional(s, default)
  return with(s, { optional = true, default = default })
end

function S.nullable(s)
  return with(s, { nullable = true })
end

local check

local function fault(list, field, rule, message)
  list[#list + 1] = { field = field, rule = rule, message = message }
end

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

local function in_list(list, v)
  for _, known in ipairs(list) do
    if known == v then
      return true
    end
  end
  return false
end

local checks = {}

function checks.any(_, v)
  return v
end

function checks.boolean(_, v, field, faults)
  if type(v) ~= "boolean" then
    fault(faults, field, "type", "must be true or false")
  end
  return v
end

function checks.string(s, v, field, faults)
  if type(v) ~= "string" then
    fault(faults, field, "type", "must be a string")
    return v
  end
  if s.trim then
    v = v:match "^%s*(.-)%s*$"
  end
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

local function is_object(v)
  return type(v) == "table" and #v == 0
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
  if n > s.max then
    fault(faults, field, "max", "must have at most " .. s.max .. " entries")
  end
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

-- The faults shown are those of the choice that fits best: the one with the fewest.
function checks.one_of(s, v, field, faults)
  local best
  for _, choice in ipairs(s.choices) do
    local mine = {}
    local out = check(choice, v, field, mine)
    if #mine == 0 then
      return out
    end
    if not best or #mine < #best then
      best = mine
    end
  end
  table.move(best, 1, #best, #faults + 1, faults)
  return v
end

function check(s, v, field, faults)
  if v == json.null then
    if not s.nullable and s.kind ~= "any" then
      fault(faults, field, "type", "must not be null")
    end
    return v
  end
  return checks[s.kind](s, v, field, faults)
end

function S.check(s, v)
  local faults = {}
  local out = check(s, v, "", faults)
  if #faults > 0 then
    table.sort(faults, function(a, b)
      return a.field < b.field
    end)
    return nil, faults
  end
  return out
end

-- A query parameter's text as the value its schema wants; what cannot be converted stays text and is refused.
local function convert(s, text)
  if s.kind == "integer" or s.kind == "number" then
    return text:find "^%-?%d+%.?%d*$" and tonumber(text) or text
  elseif s.kind == "boolean" then
    return text == "true" or text == "1" or text == "" or (text ~= "false" and text ~= "0" and text)
  end
  return text
end

function S.from_text(s, params)
  local values = json.object {}
  for name, text in pairs(params) do
    local sub = s.fields[name]
    values[name] = sub and convert(sub, text) or text
  end
  return S.check(s, values)
end

local TYPES = { string = true, integer = true, number = true, boolean = true }

local function describe_object(s)
  local properties, required = json.object {}, json.array {}
  for name, sub in pairs(s.fields) do
    properties[name] = S.describe(sub)
    if not sub.optional and sub.default == nil then
      required[#required + 1] = name
    end
  end
  table.sort(required)
  return { type = "object", properties = properties, required = required, additionalProperties = false }
end

function S.describe(s)
  local out = json.object {}
  if TYPES[s.kind] then
    out.type = s.nullable and json.array { s.kind, "null" } or s.kind
    local string = s.kind == "string"
    out.enum = s.enum and json.array { table.unpack(s.enum) }
    out[string and "minLength" or "minimum"] = s.min
    out[string and "maxLength" or "maximum"] = s.max
    out.format = s.format == "date" and "date-time" or s.format
  elseif s.kind == "object" then
    out = describe_object(s)
  elseif s.kind == "array" then
    out = { type = "array", items = S.describe(s.item), maxItems = s.max }
  elseif s.kind == "map" then
    out = { type = "object", additionalProperties = S.describe(s.value) }
  elseif s.kind == "one_of" then
    local list = json.array {}
    for i, choice in ipairs(s.choices) do
      list[i] = S.describe(choice)
    end
    out = { oneOf = list }
  end
  out.default = s.default
  out.description = s.doc
  return out
end

return S
