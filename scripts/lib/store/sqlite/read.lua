-- Reading on SQLite: the choice is narrowed in SQL (sql.lua) and matched exactly in Lua, in chunks by the sort key.
-- A sort by fields that are not declared happens in Lua, over a bounded number of documents.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local match = require "lib.store.match"
local order = require "lib.store.order"
local path = require "lib.store.path"
local sql = require "lib.store.sqlite.sql"

local M = {}

local CHUNK = 200 -- documents of one statement
local SORT_MAX = 10000 -- documents that may be sorted in Lua

local DECODING = { typed = true, max_depth = 66 } -- a date is one level deeper in the text

M.BY_ID = { declared = true, { field = "_id", parts = { "_id" }, descending = false } }

-- Calls take(doc) for each matching document in order, until it returns true; about `want` are expected. The sort's
-- fields are declared. true | nil, message, code
local function scan(raw, collection, node, sort, after, want, take)
  local plan = sql.plan(collection, node)
  local chunk = plan.exact and math.min(want, CHUNK) or CHUNK
  while true do
    local rows, message, code = raw:query(sql.select(collection, plan, sort, after, chunk))
    if rows then
      local last
      for _, row in ipairs(rows) do
        last = assert(json.decode(row.doc, DECODING))
        if (plan.exact or match(last, node)) and take(last) then return true end
      end
      if #rows < chunk then return true end
      after = path.sort_key(last, sort)
    elseif code == "invalid" and chunk > 1 then
      chunk = math.max(chunk // 8, 1) -- more bytes than a result may have
    else
      return nil, message, code
    end
  end
end

-- The key of a document in a sort by any fields: an array counts by its least item, descending by its greatest.
local function free_key(doc, sort)
  local key = {}
  for i, by in ipairs(sort) do
    for _, value in ipairs(path.collect(doc, by.parts, false)) do
      local better = key[i] == nil and -1 or order.compare(value, key[i])
      if by.descending and key[i] ~= nil then better = -better end
      if better < 0 then key[i] = value end
    end
    if key[i] == nil then key[i] = order.MISSING end
  end
  return key
end

local function sorted(docs, sort, want)
  local keys = {}
  for _, doc in ipairs(docs) do
    keys[doc] = free_key(doc, sort)
  end
  table.sort(docs, function(a, b)
    for i, by in ipairs(sort) do
      local c = order.compare(keys[a][i], keys[b][i])
      if c ~= 0 then return (c < 0) ~= by.descending end
    end
    return false
  end)
  return table.move(docs, 1, math.min(want, #docs), 1, {})
end

-- At most `want` matching documents, in order | nil, message, code
function M.find(raw, collection, node, sort, want, after)
  local docs = {}
  local free = not sort.declared
  local enough = free and SORT_MAX + 1 or want
  local ok, message, code = scan(raw, collection, node, free and M.BY_ID or sort, after, enough, function(doc)
    docs[#docs + 1] = doc
    return #docs == enough
  end)
  if not ok then return nil, message, code end
  if not free then return docs end
  if #docs > SORT_MAX then
    return nil, ("more than %d documents to sort by a free field"):format(SORT_MAX), "invalid"
  end
  return sorted(docs, sort, want)
end

-- How many documents match | nil, message, code
function M.count(raw, collection, node)
  local plan = sql.plan(collection, node)
  if plan.exact then
    local rows, message, code = raw:query(sql.count(collection, plan), plan.params)
    if not rows then return nil, message, code end
    return rows[1].n
  end
  local n = 0
  local ok, message, code = scan(raw, collection, node, M.BY_ID, nil, CHUNK, function()
    n = n + 1
  end)
  if not ok then return nil, message, code end
  return n
end

return M
