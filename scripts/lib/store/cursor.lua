-- Cursors of paged lists: the sort and the sort key of the last item, as opaque text.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"

local M = {}

local LENGTH_MAX = 4096
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

-- base64url without padding
local function to_text(bytes)
  return (
    bytes:gsub("..?.?", function(group)
      local a, b, c = group:byte(1, 3)
      local bits = a << 16 | (b or 0) << 8 | (c or 0)
      local out = ""
      for i = 0, #group do
        local digit = (bits >> (18 - 6 * i)) & 63
        out = out .. ALPHABET:sub(digit + 1, digit + 1)
      end
      return out
    end)
  )
end

local function from_text(text)
  if #text > LENGTH_MAX or text:find "[^%w_-]" or #text % 4 == 1 then return nil end
  return (
    text:gsub("..?.?.?", function(group)
      local bits = 0
      for i = 1, #group do
        bits = bits | (ALPHABET:find(group:sub(i, i), 1, true) - 1) << (24 - 6 * i)
      end
      return string.pack(">I3", bits):sub(1, #group - 1)
    end)
  )
end

-- `name` tells lists apart: a cursor is good for the collection and sort that made it.
function M.encode(name, values)
  return to_text(json.encode({ name, json.array(values) }, { typed = true }))
end

-- The values, or nil, message, "invalid".
function M.decode(name, text, count)
  local bytes = from_text(text)
  local cursor = bytes and json.decode(bytes, { typed = true, max_depth = 4 })
  if type(cursor) ~= "table" or cursor[1] ~= name or type(cursor[2]) ~= "table" or #cursor[2] ~= count then
    return nil, "the cursor does not belong to this list", "invalid"
  end
  return cursor[2]
end

return M
