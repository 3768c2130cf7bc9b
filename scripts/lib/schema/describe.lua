-- A schema of lib/schema as JSON Schema, for OpenAPI 3.1.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local describe

local TYPES = { string = true, integer = true, number = true, boolean = true }

local function describe_object(s)
  local properties, required = json.object {}, json.array {}
  for name, sub in pairs(s.fields) do
    properties[name] = describe(sub)
    if not sub.optional and sub.default == nil then required[#required + 1] = name end
  end
  table.sort(required)
  return { type = "object", properties = properties, required = required, additionalProperties = false }
end

function describe(s)
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
    out = { type = "array", items = describe(s.item), maxItems = s.max }
  elseif s.kind == "map" then
    out = { type = "object", additionalProperties = describe(s.value) }
  elseif s.kind == "one_of" then
    local list = json.array {}
    for i, choice in ipairs(s.choices) do
      list[i] = describe(choice)
    end
    out = { oneOf = list }
  end
  out.default = s.default
  out.description = s.doc
  return out
end

return describe
