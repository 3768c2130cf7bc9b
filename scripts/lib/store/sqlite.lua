-- The store's engine on an SQLite file: a table for a collection, a document a row of typed JSON text.
--
-- Reads narrow the choice in SQL (sqlite/sql.lua) and match exactly in Lua; writes take the write lock, read, change
-- the document in Lua and write it back: each document changes in one transaction. The file is opened at first use.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local match = require "lib.store.match"
local order = require "lib.store.order"
local path = require "lib.store.path"
local shape = require "lib.store.shape"
local sql = require "lib.store.sqlite.sql"
local sqlite = require "gander.sqlite"
local tables = require "lib.store.sqlite.tables"
local update = require "lib.store.update"

local M = {}
M.__index = M

local CHUNK = 500
local SORT_MAX = 10000 -- documents that may be sorted in Lua
local BY_ID = { declared = true, { field = "_id", parts = { "_id" }, descending = false } }

-- `place()` gives the file's path when it is first needed.
function M.new(place, collections)
  return setmetatable({ kind = "sqlite", place = place, collections = collections, raw = nil }, M)
end

-- The open Db | nil, message, code
function M:open()
  if self.raw then return self.raw end
  local raw, message, code = sqlite.open(self.place())
  if not raw then return nil, message, code end
  local ready, why, which = tables.ensure(raw, self.collections)
  if not ready then
    raw:close()
    return nil, why, which
  end
  self.raw = raw
  return raw
end

function M:close()
  if self.raw then self.raw:close() end
  self.raw = nil
end

local function sort_key(doc, sort)
  local values = {}
  for i, by in ipairs(sort) do
    values[i] = path.get(doc, by.parts)
  end
  return values
end

-- Calls take(doc) for each matching document in order, until it returns true; about `want` are expected. The sort's
-- fields are declared. true | nil, message, code
local function scan(raw, collection, node, sort, after, want, take)
  local plan = sql.plan(collection, node)
  local chunk = plan.exact and math.min(want, CHUNK) or CHUNK
  repeat
    local rows, message, code = raw:query(sql.select(collection, plan, sort, after, chunk))
    if not rows then return nil, message, code end
    local last
    for _, row in ipairs(rows) do
      last = assert(json.decode(row.doc, { typed = true }))
      if (plan.exact or match(last, node)) and take(last) then return true end
    end
    after = last and sort_key(last, sort)
  until #rows < chunk
  return true
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
local function find(raw, collection, node, sort, want, after)
  local docs = {}
  local free = not sort.declared
  local enough = free and SORT_MAX + 1 or want
  local ok, message, code = scan(raw, collection, node, free and BY_ID or sort, after, enough, function(doc)
    docs[#docs + 1] = doc
    return #docs == enough
  end)
  if not ok then return nil, message, code end
  if not free then return docs end
  if #docs > SORT_MAX then return nil, ("more than %d documents to sort by a free field"):format(SORT_MAX), "invalid" end
  return sorted(docs, sort, want)
end

function M:find(collection, node, sort, want, after)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return find(raw, collection, node, sort, want, after)
end

function M:count(collection, node)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  local plan = sql.plan(collection, node)
  if plan.exact then
    local rows, why, which = raw:query(sql.count(collection, plan), plan.params)
    if not rows then return nil, why, which end
    return rows[1].n
  end
  local n = 0
  local ok, why, which = scan(raw, collection, node, BY_ID, nil, CHUNK, function() n = n + 1 end)
  if not ok then return nil, why, which end
  return n
end

-- What SQLite says of a unique index, in the store's words.
local function failed(collection, doc, message, code)
  if code ~= "conflict" then return nil, message, code end
  local fields = message:match "index '[^:']*:([^']*)'" or "_id"
  return nil, ("another document of %s has the %s of '%s'"):format(collection.name, fields, doc._id), code
end

local function insert(raw, collection, doc)
  local text, message, code = shape.text(collection, doc)
  if not text then return nil, message, code end
  local done, why, which = raw:exec(('INSERT INTO "%s"(_id,doc) VALUES(?,?)'):format(collection.name), { doc._id, text })
  if not done then return failed(collection, doc, why, which) end
  return doc
end

-- Apply the update to a stored document and write it back: the document | nil, message, code
local function rewrite(raw, collection, doc, ops)
  local id, before = doc._id, json.encode(doc, { typed = true })
  local ok, message, code = update.apply(doc, ops, false)
  if not ok then return nil, message, code end
  if doc._id == nil or not order.equal(doc._id, id) then error("_id cannot be changed", 0) end
  local text, why, which = shape.text(collection, doc)
  if not text then return nil, why, which end
  if text == before then return doc end
  local done, failure, kind = raw:exec(('UPDATE "%s" SET doc=? WHERE _id=?'):format(collection.name), { text, id })
  if not done then return failed(collection, doc, failure, kind) end
  return doc
end

local function remove(raw, collection, doc)
  return raw:exec(('DELETE FROM "%s" WHERE _id=?'):format(collection.name), { doc._id })
end

-- Calls change(raw, collection, doc) for matching documents under the write lock: for the first, or with `many` for
-- all, a chunk to a transaction. How many there were | nil, message, code
local function change(self, collection, node, many, each)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  local n, after, more = 0, nil, true
  while more do
    local done, why, which = raw:tx(function()
      local docs, failure, kind = find(raw, collection, node, BY_ID, many and CHUNK or 1, after)
      if not docs then return nil, failure, kind end
      for _, doc in ipairs(docs) do
        after = { doc._id }
        local ok
        ok, failure, kind = each(raw, collection, doc)
        if not ok then return nil, failure, kind end
      end
      more = many and #docs == CHUNK
      return #docs
    end)
    if not done then return nil, why, which end
    n = n + done
  end
  return n
end

function M:insert(collection, doc)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return insert(raw, collection, doc)
end

local function upsert(raw, collection, node, ops)
  local doc, message, code = update.start(node)
  if doc then
    doc, message, code = update.apply(doc, ops, true)
  end
  if not doc then return nil, message, code end
  return insert(raw, collection, doc)
end

-- How many documents matched (an upserted one counts) | nil, message, code
function M:update(collection, node, ops, many, may_insert)
  local function each(raw, _, doc) return rewrite(raw, collection, doc, ops) end
  if not may_insert then return change(self, collection, node, many, each) end
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return raw:tx(function()
    local docs, why, which = find(raw, collection, node, BY_ID, 1)
    if not docs then return nil, why, which end
    local ok
    if docs[1] then
      ok, why, which = rewrite(raw, collection, docs[1], ops)
    else
      ok, why, which = upsert(raw, collection, node, ops)
    end
    if not ok then return nil, why, which end
    return 1
  end)
end

function M:delete(collection, node, many) return change(self, collection, node, many, remove) end

-- The first document in order, as it is after the update | nil | nil, message, code
function M:find_and_update(collection, node, ops, sort)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return raw:tx(function()
    local docs, why, which = find(raw, collection, node, sort, 1)
    if not docs then return nil, why, which end
    if not docs[1] then return nil end
    return rewrite(raw, collection, docs[1], ops)
  end)
end

return M
