-- Tables and indexes: makes what lib/collections declares and the file lacks, drops indexes that are no longer
-- declared. Any number of connections may do so at once: what is missing is looked up again under the write lock.
-- SPDX-License-Identifier: Apache-2.0

local where = require "lib.store.sqlite.where"

local M = {}

local function index_text(collection, fields, unique)
  local expressions = {}
  for i, field in ipairs(fields) do
    expressions[i] = where.expression(collection, field)
  end
  if not unique then expressions[#expressions + 1] = "_id" end
  local name = collection.name .. ":" .. table.concat(fields, ",")
  local text = ('CREATE %sINDEX "%s" ON "%s"(%s)'):format(
    unique and "UNIQUE " or "",
    name,
    collection.name,
    table.concat(expressions, ",")
  )
  return name, text
end

-- By name, the text of each table and index that there should be; tables first in `names`.
local function wanted(collections)
  local texts, names = {}, {}
  local function add(name, text)
    texts[name] = text
    names[#names + 1] = name
  end
  for name, collection in pairs(collections) do
    local kind = collection.id == "integer" and "INTEGER" or "TEXT"
    add(name, ('CREATE TABLE "%s"(_id %s PRIMARY KEY NOT NULL, doc TEXT NOT NULL) STRICT'):format(name, kind))
  end
  for _, collection in pairs(collections) do
    for _, fields in ipairs(collection.unique) do
      add(index_text(collection, fields, true))
    end
    for _, fields in ipairs(collection.index) do
      add(index_text(collection, fields, false))
    end
  end
  return texts, names
end

-- The statements that make the file what it should be.
local function changes(raw, texts, names)
  local rows, message, code = raw:query "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL"
  if not rows then return nil, message, code end
  local there, list = {}, {}
  for _, row in ipairs(rows) do
    there[row.name] = row.sql
    if row.type == "index" and texts[row.name] ~= row.sql then
      there[row.name] = nil
      list[#list + 1] = ('DROP INDEX "%s"'):format(row.name)
    elseif texts[row.name] and texts[row.name] ~= row.sql then
      return nil, ("the file has a table '%s' that this version did not make"):format(row.name), "internal"
    end
  end
  for _, name in ipairs(names) do
    if not there[name] then list[#list + 1] = texts[name] end
  end
  return list
end

-- true | nil, message, code
function M.ensure(raw, collections)
  local texts, names = wanted(collections)
  local list, message, code = changes(raw, texts, names)
  if not list then return nil, message, code end
  if #list == 0 then return true end
  return raw:tx(function()
    local todo, why, which = changes(raw, texts, names)
    if not todo then return nil, why, which end
    for _, text in ipairs(todo) do
      local done, failed, kind = raw:exec(text)
      if not done then return nil, ("%s: %s"):format(text, failed), kind end
    end
    return true
  end)
end

return M
