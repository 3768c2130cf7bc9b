-- history: each generation of the script set, kept in the store, and told to the pages.
--
-- scripts_history: {_id = generation, at, files = {path: hash} as text, good}; scripts_texts: {_id = hash, text}, once
-- each. The last 500 generations are kept. C calls changed() after each change of the set or of its error.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local db = require "lib.store"
local events = require "lib.events"
local json = require "gander.json"
local sys = require "gander.sys"

local M = {}

local KEEP = 500

local function hashes(items)
  local files = {}
  for _, item in ipairs(items) do
    files[item.path] = item.etag
  end
  return files
end

local function store_texts(items)
  for _, item in ipairs(items) do
    if not db.scripts_texts:find_one { _id = item.etag } then
      db.scripts_texts:insert { _id = item.etag, text = sys.scripts.text(item.path) or "" } -- a conflict: another was first
    end
  end
end

local function record(list)
  if #list.faults > 0 or db.scripts_history:find_one { _id = list.generation } then return end
  store_texts(list.items)
  db.scripts_history:insert {
    _id = list.generation,
    at = date(sys.now()),
    files = json.encode(json.object(hashes(list.items))),
    good = true,
  }
  db.scripts_history:delete({ _id = { ["$lte"] = list.generation - KEEP } }, { many = true })
end

function M.changed()
  local list = sys.scripts.list()
  record(list)
  local fault = list.faults[1]
  events.script { generation = list.generation, error = fault or json.null }
end

-- The versions of one file, newest first: {{generation, at, etag}}, one entry for each change.
function M.of(path, limit)
  local out, last = json.array {}, nil
  local rows = db.scripts_history:find({}, { sort = { "-_id" }, limit = KEEP }) or {}
  for i = #rows, 1, -1 do -- oldest first, to see where it changed
    local etag = json.decode(rows[i].files)[path]
    if etag ~= last then
      table.insert(out, 1, { generation = rows[i]._id, at = rows[i].at, etag = etag or json.null })
    end
    last = etag
  end
  while #out > limit do
    table.remove(out)
  end
  return out
end

-- The text a file had in a generation; nil when it had none or the generation is not kept.
function M.text(path, generation)
  local row = db.scripts_history:find_one { _id = generation }
  local etag = row and json.decode(row.files)[path]
  local text = etag and db.scripts_texts:find_one { _id = etag }
  return text and text.text
end

return M
