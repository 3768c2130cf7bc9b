-- Small words for the contract's tests.
-- SPDX-License-Identifier: Apache-2.0

local date = require "gander.date"

local M = {}

-- Insert each document, its _id given by its key.
function M.fill(collection, docs)
  for id, doc in pairs(docs) do
    doc._id = id
    assert(collection:insert(doc))
  end
end

-- The query finds exactly these, in the order of _id (or of the sort).
function M.finds(t, collection, query, ids, options)
  local docs = assert(collection:find(query, options))
  local got = {}
  for i, doc in ipairs(docs) do
    got[i] = doc._id
  end
  t.eq(got, ids)
  t.eq(collection:count(query), #ids, "count")
end

local people = 0

-- A document of `people`, complete but for what is given.
function M.person(fields)
  people = people + 1
  local doc = { _id = "p" .. people, team = "red", name = "name " .. people, at = date(people), n = people }
  for key, value in pairs(fields) do
    doc[key] = value
  end
  return doc
end

return M
