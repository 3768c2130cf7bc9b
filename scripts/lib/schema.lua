-- schema: what a body or a query may be, checked with every fault named at once, and shown as JSON Schema.
--
--   S.object{ name = S.string{ min = 1, max = 64, trim = true }, note = S.optional(S.string{}) }
--   S.check(schema, value)        -> value (trimmed, defaults filled) | nil, faults {{field, rule, message}}
--   S.from_text(schema, params)   the same for query parameters, whose values are strings
--   S.describe(schema)            JSON Schema (OpenAPI 3.1)
--
-- Unknown fields are refused by name. Lengths of strings count code points.
-- SPDX-License-Identifier: Apache-2.0
local check = require "lib.schema.check"
local describe = require "lib.schema.describe"
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

-- The first that fits; with {by = "type"} the one whose enum field of that name has the value.
function S.one_of(choices, rules)
  return { kind = "one_of", choices = choices, by = rules and rules.by }
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

local function is_text(bytes)
  return utf8.len(bytes) and not bytes:find "%z"
end

function S.from_text(s, params)
  local values = json.object {}
  for name, text in pairs(params) do
    if not is_text(name) or not is_text(text) then
      local field = is_text(name) and name or ""
      return nil, { { field = field, rule = "utf8", message = "must be UTF-8 text without NUL" } }
    end
    local sub = s.fields[name]
    values[name] = sub and convert(sub, text) or text
  end
  return S.check(s, values)
end

S.describe = describe

return S
