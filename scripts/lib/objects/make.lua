-- What the shapes of lib/objects are made of: JSON Schema in few words. Pure.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local M = {}

M.S = { type = "string" }
M.I = { type = "integer" }
M.N = { type = "number" }
M.B = { type = "boolean" }
M.T = { type = "string", format = "date-time" }
M.O = { type = "object", additionalProperties = true } -- foreign JSON

function M.list(item)
  return { type = "array", items = item }
end

function M.enum(...)
  return { type = "string", enum = json.array { ... } }
end

-- `required`: the names of the fields that are always there, in one string.
function M.object(required, properties)
  local names = json.array {}
  for name in required:gmatch "%S+" do
    assert(properties[name], "an object requires '" .. name .. "' and does not describe it")
    names[#names + 1] = name
  end
  return { type = "object", required = names, properties = properties }
end

function M.ref(name)
  return { ["$ref"] = "#/components/schemas/" .. name }
end

function M.one_of(...)
  return { oneOf = json.array { ... } }
end

function M.nullable(shape)
  return M.one_of(shape, { type = "null" })
end

return M
