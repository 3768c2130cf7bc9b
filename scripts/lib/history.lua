-- history: each generation of the script set, kept in the store, and told to the pages.
--
-- scripts_history: {_id = generation, at, files = {path: hash} as text, good}; scripts_texts: {_id = hash, text}, once
-- each. The last 500 good generations are kept, and the texts they have. C calls changed() after each change of the set or of its error.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local db = require "lib.store"
local events = require "lib.events"
local json = require "gander.json"
local sys = require "gander.sys"

local M = {}

local KEEP = 500
local FORGET_EVERY = 50 -- generations: texts that no kept one has are looked for this often

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
      local text = sys.scripts.text(item.path) or ""
      local done, message, code = db.scripts_texts:insert { _id = item.etag, text = text }
      if not done and code ~= "conflict" then error(message) end -- a conflict: another was first
    end
  end
end

local function forget_texts()
  local kept = {}
  for _, row in ipairs(assert(db.scripts_history:find({}, { limit = KEEP }))) do
    for _, hash in pairs(json.decode(row.files)) do
      kept[hash] = true
    end
  end
  local page, after
  repeat
    page, after = assert(db.scripts_texts:find({}, { limit = KEEP, after = after, fields = { "_id" } }))
    for _, text in ipairs(page) do
      if not kept[text._id] then assert(db.scripts_texts:delete { _id = text._id }) end
    end
  until not after
end

local function record(list)
  if #list.faults > 0 or db.scripts_history:find_one { _id = list.generation } then return end
  store_texts(list.items)
  assert(db.scripts_history:insert {
    _id = list.generation,
    at = date(sys.now()),
    files = json.encode(json.object(hashes(list.items))),
    good = true,
  })
  assert(db.scripts_history:delete({ _id = { ["$lte"] = list.generation - KEEP } }, { many = true }))
  if list.generation % FORGET_EVERY == 0 then forget_texts() end
end

-- A history that cannot be written is the log's; the pages are told of the generation all the same.
function M.changed()
  local list = sys.scripts.list()
  local stored, message = pcall(record, list)
  local fault = list.faults[1]
  events.script { generation = list.generation, error = fault or json.null }
  if not stored then error(message, 0) end
end

-- All versions of one file, newest first, one for each change.
local function versions(path)
  local out, last = {}, nil
  local rows = assert(db.scripts_history:find({}, { sort = { "-_id" }, limit = KEEP }))
  for i = #rows, 1, -1 do -- oldest first, to see where it changed
    local etag = json.decode(rows[i].files)[path]
    if etag ~= last then
      table.insert(out, 1, { generation = rows[i]._id, at = rows[i].at, etag = etag or json.null })
    end
    last = etag
  end
  return out
end

-- The versions of one file before generation `before`, newest first: {{generation, at, etag}}. -> items, next
function M.of(path, limit, before)
  local items = {}
  for _, version in ipairs(versions(path)) do
    if version.generation < before and #items == limit then
      return items, tostring(items[limit].generation)
    elseif version.generation < before then
      items[#items + 1] = version
    end
  end
  return items
end

-- The text a file had in a generation; nil when it had none or the generation is not kept.
function M.text(path, generation)
  local row = db.scripts_history:find_one { _id = generation }
  local etag = row and json.decode(row.files)[path]
  local text = etag and db.scripts_texts:find_one { _id = etag }
  return text and text.text
end

return M
