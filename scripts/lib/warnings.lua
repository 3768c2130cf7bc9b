-- What an operator should know and may act on: short sentences by topic, kept in the store, shown by /api/system.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local db = require "lib.store"

local M = {}

local ID, MOST = "warnings", 50

-- The sentences of a topic now; an empty list takes it away.
function M.set(topic, sentences)
  local list = json.array {}
  for i = 1, math.min(#sentences, MOST) do
    list[i] = sentences[i]
  end
  return db.counters:update({ _id = ID }, { ["$set"] = { ["topics." .. topic] = list } }, { upsert = true })
end

-- All sentences, topic by topic.
function M.all()
  local doc, out, topics = db.counters:find_one { _id = ID }, json.array {}, {}
  for topic in pairs(doc and doc.topics or {}) do
    topics[#topics + 1] = topic
  end
  table.sort(topics)
  for _, topic in ipairs(topics) do
    for _, sentence in ipairs(doc.topics[topic]) do
      out[#out + 1] = sentence
    end
  end
  return out
end

return M
