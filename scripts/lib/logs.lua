-- A project's log: stored in batches, read in pages.
--
-- One document of sandbox_logs is one batch: its lines are numbered first_seq, first_seq+1, … and its `cursor` says how
-- far the source had been read when it was written. Lines and cursor are one write, and the _id is made of the number,
-- so of two writers with the same number one is told `conflict` and takes the next. Lines are published once they are
-- stored. What is read here has been redacted before.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"
local clean = require "lib.sessions.clean"

local M = {}

M.LINE_MAX = 16 * 1024
local TRIES = 20
local SCAN = 50 -- batches read at a time
local SCANS = 40 -- and how often for one page: a rare match comes with the next page

M.SOURCES = { "system", "setup", "goose-api", "command", "lifecycle" }

function M.topic(project_id)
  return "logs:" .. project_id
end

-- The number of a project's last line, 0 when there is none.
function M.last_seq(project_id)
  local last = assert(db.sandbox_logs:find({ project_id = project_id }, { sort = { "-first_seq" }, limit = 1 }))[1]
  return last and last.first_seq + #last.lines - 1 or 0
end

-- How many lines are stored: numbers have no gaps, but the oldest may have been cleaned up.
function M.count(project_id)
  local first = assert(db.sandbox_logs:find({ project_id = project_id }, { sort = { "first_seq" }, limit = 1 }))[1]
  return first and M.last_seq(project_id) - first.first_seq + 1 or 0
end

-- How far a log of a sandbox (a key of its provider's) has been stored: the cursor of its last batch, or nil.
function M.cursor(project_id, sandbox_id, key)
  local q = { project_id = project_id, ["cursor.sandbox_id"] = sandbox_id, ["cursor.source"] = key }
  local last = assert(db.sandbox_logs:find(q, { sort = { "-first_seq" }, limit = 1 }))[1]
  return last and json.decode(last.cursor.offset)
end

function M.view(batch, i)
  local line = batch.lines[i]
  return {
    seq = batch.first_seq + i - 1,
    at = line.at,
    source = line.source,
    stream = line.stream,
    level = line.level,
    text = line.text,
    cut = line.cut,
  }
end

-- Store lines {at, source, stream, level?, text, cut?} as one batch and publish them.
-- -> the batch | nil, message, code
function M.store(project_id, lines, cursor)
  for _ = 1, TRIES do
    local first = M.last_seq(project_id) + 1
    local batch = {
      _id = string.format("%s:%015d", project_id, first),
      project_id = project_id,
      first_seq = first,
      at = date(sys.now()),
      lines = lines,
      cursor = cursor,
    }
    local stored, message, code = db.sandbox_logs:insert(batch)
    if stored then
      for i = 1, #lines do
        bus.publish(M.topic(project_id), "log", M.view(batch, i), first + i - 1)
      end
      return batch
    elseif code ~= "conflict" then
      return nil, message, code
    end
  end
  return nil, "the project's log is written by too many at once", "busy"
end

-- Add what the host itself has to say of a project: source lifecycle, setup, system or command.
function M.append(project_id, source, stream, text, level)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    if line ~= "" then
      lines[#lines + 1] = {
        at = date(sys.now()),
        source = source,
        stream = stream,
        level = level,
        text = clean.cut(line, M.LINE_MAX),
      }
    end
  end
  if #lines == 0 then return true end
  return M.store(project_id, lines)
end

local function wanted(line, filter)
  return (not filter.source or line.source == filter.source)
    and (not filter.stream or line.stream == filter.stream)
    and (not filter.level or line.level == filter.level)
    and (not filter.q or line.text:lower():find(filter.q, 1, true) ~= nil)
end

-- Which batches may hold a match: the store looks, so that a rare word need not be carried here batch by batch.
local function batches(project_id, filter, from, down)
  local q = { project_id = project_id, first_seq = from }
  if filter.source then q["lines.source"] = filter.source end
  if filter.level then q["lines.level"] = filter.level end
  if filter.q then q["lines.text"] = { ["$contains"] = filter.q } end
  return assert(db.sandbox_logs:find(q, { sort = { down and "-first_seq" or "first_seq" }, limit = SCAN }))
end

-- The batch that holds a line number begins at or before it.
local function batch_start(project_id, seq)
  local q = { project_id = project_id, first_seq = { ["$lte"] = seq } }
  local one = assert(db.sandbox_logs:find(q, { sort = { "-first_seq" }, limit = 1 }))[1]
  return one and one.first_seq or 0
end

-- Take the matching lines of a batch, in order, until the page is full. -> full
local function take(page, batch, filter, down)
  local n = #batch.lines
  for k = 1, n do
    local i = down and n - k + 1 or k
    local seq = batch.first_seq + i - 1
    if seq > filter.after and seq < filter.before and wanted(batch.lines[i], filter) then
      if #page == filter.limit then return true end
      page[#page + 1] = M.view(batch, i)
    end
  end
  return false
end

-- Lines with after < seq < before that match the filter {after, before, limit, down, q, source, stream, level}, oldest
-- or (`down`) newest first. -> lines, the seq to go on after (or before), nil at the end
function M.page(project_id, options)
  local filter = {
    after = options.after or 0,
    before = options.before or math.maxinteger,
    limit = options.limit or 50,
    source = options.source,
    stream = options.stream,
    level = options.level,
    q = options.q and options.q:lower(),
  }
  local down, page = options.down, {}
  local from = down and { ["$lt"] = filter.before } or { ["$gte"] = batch_start(project_id, filter.after + 1) }
  local reached
  for _ = 1, SCANS do
    local found = batches(project_id, filter, from, down)
    for _, batch in ipairs(found) do
      if take(page, batch, filter, down) then return page, page[#page].seq end
      local last = batch.first_seq + #batch.lines - 1
      reached = down and batch.first_seq or last
      if (down and reached <= filter.after) or (not down and last >= filter.before - 1) then return page, nil end
    end
    if #found < SCAN then return page, nil end
    from = down and { ["$lt"] = reached } or { ["$gt"] = reached }
  end
  return page, reached
end

return M
