-- The store's engine on an SQLite file: a table for a collection, a document a row of typed JSON text.
--
-- Reads: sqlite/read.lua. Writes take the write lock, read, change the document in Lua and write it back: each document
-- changes in one transaction. The file is opened at first use.
-- SPDX-License-Identifier: Apache-2.0

local json = require "gander.json"
local order = require "lib.store.order"
local read = require "lib.store.sqlite.read"
local shape = require "lib.store.shape"
local sql = require "lib.store.sqlite.sql"
local sqlite = require "gander.sqlite"
local tables = require "lib.store.sqlite.tables"
local update = require "lib.store.update"

local M = {}
M.__index = M

local CHUNK = 100 -- documents that one transaction changes

-- `place()` gives the file's path when it is first needed.
function M.new(place)
  return setmetatable({ kind = "sqlite", place = place, collections = nil, raw = nil }, M) -- collections: lib/store.lua
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

function M:find(collection, node, sort, want, after)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return read.find(raw, collection, node, sort, want, after)
end

function M:count(collection, node)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return read.count(raw, collection, node)
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
  local done, why, which =
    raw:exec(('INSERT INTO "%s"(_id,doc) VALUES(?,?)'):format(collection.name), { doc._id, text })
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
      local docs, failure, kind = read.find(raw, collection, node, read.BY_ID, many and CHUNK or 1, after)
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
  local function each(raw, _, doc)
    return rewrite(raw, collection, doc, ops)
  end
  if not may_insert then return change(self, collection, node, many, each) end
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return raw:tx(function()
    local docs, why, which = read.find(raw, collection, node, read.BY_ID, 1)
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

-- What SQL can match alone is not read first: a deletion may be of many large documents.
local function delete_unread(raw, collection, plan)
  local text, params = sql.delete(collection, plan, CHUNK)
  local n = 0
  repeat
    local gone, message, code = raw:exec(text, params)
    if not gone then return nil, message, code end
    n = n + gone
  until gone < CHUNK
  return n
end

-- How many documents are gone | nil, message, code
function M:delete(collection, node, many)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  local plan = sql.plan(collection, node)
  if many and plan.exact then return delete_unread(raw, collection, plan) end
  return change(self, collection, node, many, remove)
end

-- The first document in order, as it is after the update | nil | nil, message, code
function M:find_and_update(collection, node, ops, sort)
  local raw, message, code = self:open()
  if not raw then return nil, message, code end
  return raw:tx(function()
    local docs, why, which = read.find(raw, collection, node, sort, 1)
    if not docs then return nil, why, which end
    if not docs[1] then return nil end
    return rewrite(raw, collection, docs[1], ops)
  end)
end

return M
