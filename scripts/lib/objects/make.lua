-- What the shapes of lib/objects are made of: JSON Schema in few words.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local M = {}

M.text = { type = "string" }
M.integer = { type = "integer" }
M.boolean = { type = "boolean" }
M.time = { type = "string", format = "date-time" }
M.any_object = { type = "object", additionalProperties = true }

function M.list(item)
  return { type = "array", items = item }
end

function M.enum(...)
  return { type = "string", enum = json.array { ... } }
end

function M.object(required, properties)
  return { type = "object", required = json.array(required), properties = properties }
end

-- Text fields of these names, and more fields; all required.
function M.texts(names, more)
  local required, properties = {}, {}
  for i, name in ipairs(names) do
    required[i], properties[name] = name, M.text
  end
  for name, shape in pairs(more or {}) do
    required[#required + 1], properties[name] = name, shape
  end
  return M.object(required, properties)
end

return M
