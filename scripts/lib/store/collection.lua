-- One collection as scripts see it: db.projects:find_one{…}. Checks what the caller wrote, then asks the engine.
--
-- An engine (store/sqlite.lua) has find, count, insert, update, delete, find_and_update and close, and takes parsed
-- queries, updates and sorts. Misuse raises at the caller's line; the world failing is nil, message, code.
-- SPDX-License-Identifier: Apache-2.0

local cursor = require "lib.store.cursor"
local json = require "gander.json"
local options = require "lib.store.options"
local order = require "lib.store.order"
local path = require "lib.store.path"
local query = require "lib.store.query"
local update = require "lib.store.update"

local C = {}

local FIND_MAX = 10000 -- what a find without a limit may give

-- A method whose misuse is reported at the line that called it.
local function method(name, body)
  C[name] = function(self, ...)
    if type(self) ~= "table" or not self.engine then error("call it with a colon: db.collection:" .. name, 2) end
    local results = table.pack(pcall(body, self, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    local reason = results[2]
    error(type(reason) == "string" and ("%s:%s: %s"):format(self.name, name, reason) or reason, 2)
  end
end

method("find_one", function(self, q, opts)
  options.check(opts, { fields = true, sort = true })
  local node, sort = query.parse(q), options.sort(self, opts)
  local fields = options.fields(opts)
  local docs, message, code = self.engine:find(self, node, sort, 1, nil)
  if not docs then return nil, message, code end
  return docs[1] and options.project(docs[1], fields)
end)

method("find", function(self, q, opts)
  options.check(opts, { after = true, fields = true, limit = true, sort = true })
  local node, sort = query.parse(q), options.sort(self, opts)
  local fields, limit = options.fields(opts), options.limit(opts, FIND_MAX)
  local after, message, code = options.after(self, opts, sort)
  if message then return nil, message, code end
  if (limit or after) and not sort.declared then
    error(
      ("a paged sort by '%s', which is not declared in lib/collections as a field of every document"):format(sort.free),
      0
    )
  end
  local docs, why, which = self.engine:find(self, node, sort, (limit or FIND_MAX) + 1, after)
  if not docs then return nil, why, which end
  if not limit and #docs > FIND_MAX then
    return nil, ("more than %d documents of %s: give a limit"):format(FIND_MAX, self.name), "invalid"
  end
  local following
  if limit and #docs > limit then
    docs[#docs] = nil
    following = cursor.encode(sort.name, path.sort_key(docs[limit], sort))
  end
  for i, doc in ipairs(docs) do
    docs[i] = options.project(doc, fields)
  end
  return json.array(docs), following
end)

method("count", function(self, q)
  return self.engine:count(self, query.parse(q))
end)

method("insert", function(self, doc)
  if type(doc) ~= "table" or order.is_array(doc) then error("a document must be a table of fields", 0) end
  local copy = query.value(doc, "the document")
  return self.engine:insert(self, copy)
end)

local function refuse_unique(self, ops)
  for _, fields in ipairs(self.unique) do
    for _, field in ipairs(fields) do
      for _, op in ipairs(ops) do
        if (field .. "."):find(op.path .. ".", 1, true) == 1 or (op.path .. "."):find(field .. ".", 1, true) == 1 then
          error(("an update of many may not touch '%s', which is unique"):format(field), 0)
        end
      end
    end
  end
end

method("update", function(self, q, u, opts)
  options.check(opts, { many = true, upsert = true })
  local node, ops = query.parse(q), update.parse(u)
  local many, upsert = options.flag(opts, "many"), options.flag(opts, "upsert")
  if many and upsert then error("many and upsert exclude each other", 0) end
  if many then refuse_unique(self, ops) end
  return self.engine:update(self, node, ops, many, upsert)
end)

method("delete", function(self, q, opts)
  options.check(opts, { many = true })
  return self.engine:delete(self, query.parse(q), options.flag(opts, "many"))
end)

method("find_and_update", function(self, q, u, opts)
  options.check(opts, { sort = true })
  return self.engine:find_and_update(self, query.parse(q), update.parse(u), options.sort(self, opts))
end)

local meta = {
  __index = function(_, name)
    return C[name] or error(("a collection has no method '%s'"):format(tostring(name)), 2)
  end,
  __name = "collection",
}

local M = {}

-- A collection of lib/collections, on an engine.
function M.new(name, declared, engine)
  local collection = { name = name, engine = engine, id = declared.id, fields = declared.fields }
  collection.unique, collection.index = declared.unique or {}, declared.index or {}
  for field in pairs(declared.fields) do
    path.split(field)
  end
  return setmetatable(collection, meta)
end

return M
