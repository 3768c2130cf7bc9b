-- What a document must be to be stored: an _id of its collection's type, declared fields of their declared types, no
-- field name with a dot or a leading dollar. Misuse raises; a document too large is the world's fault.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local order = require "lib.store.order"

local M = {}

local SIZE_MAX = 16 * 1024 * 1024 -- MongoDB's
local ID_MAX = 512

local FITS = {
  string = function(value)
    return type(value) == "string" and not value:find("\0", 1, true)
  end,
  integer = function(value)
    return type(value) == "number" and math.tointeger(value) ~= nil
  end,
  boolean = function(value)
    return type(value) == "boolean"
  end,
  date = function(value)
    return type(value) == "userdata"
  end,
}

-- The declared type of a field and whether it may be missing; nil for a free field.
function M.type_of(collection, field)
  if field == "_id" then return collection.id, false end
  local declared = collection.fields[field]
  if not declared then return nil end
  return (declared:gsub("%?$", "")), declared:sub(-1) == "?"
end

-- Is the operand of a comparison of this declared type? (1.5 can be compared with integers.)
function M.is_operand(kind, value)
  if kind == "integer" then return type(value) == "number" end
  return FITS[kind](value)
end

local function check_names(value, where)
  for key, item in pairs(value) do
    if type(key) == "string" then
      if key == "" or key:sub(1, 1) == "$" or key:find(".", 1, true) then
        error(("'%s' is not a field's name (in %s): it is empty, starts with $ or holds a dot"):format(key, where), 0)
      end
    end
    if type(item) == "table" then check_names(item, type(key) == "string" and key or where) end
  end
end

local function check_field(collection, doc, field)
  local kind, optional = M.type_of(collection, field)
  local value = doc
  for part in field:gmatch "[^.]+" do
    if order.is_array(value) then error(("'%s' is declared and leads through an array"):format(field), 0) end
    if type(value) == "table" then
      value = value[part]
    else
      value = nil
    end
  end
  if value == nil or value == json.null then
    if not optional then error(("'%s' is missing, which every document here has"):format(field), 0) end
  elseif not FITS[kind](value) then
    error(("'%s' must be of type %s, not %s"):format(field, kind, json.encode(value):sub(1, 40)), 0)
  end
end

-- The text to be stored. Raises, or returns nil, message, "invalid".
function M.text(collection, doc)
  if not FITS[collection.id](doc._id) then error(("_id must be of type %s"):format(collection.id), 0) end
  if type(doc._id) == "string" and (doc._id == "" or #doc._id > ID_MAX) then
    error(("_id must have 1 to %d bytes"):format(ID_MAX), 0)
  end
  check_names(doc, "the document")
  for field in pairs(collection.fields) do
    check_field(collection, doc, field)
  end
  local text = json.encode(doc, { typed = true })
  if #text > SIZE_MAX then return nil, ("a document of %d bytes, more than 16 MiB"):format(#text), "invalid" end
  return text
end

return M
