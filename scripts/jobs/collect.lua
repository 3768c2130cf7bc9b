-- Lines of a sandbox's log, batch by batch, into the project's stored log.
--
-- A batch that was stored and comes again (the host was killed before it could say so) is known by its cursor and is
-- not stored twice. Known secrets are replaced before anything is stored, also where a long line was cut in two.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local clean = require "lib.sessions.clean"
local known = require "lib.redact.known"
local logs = require "lib.logs"
local projects = require "lib.projects"

local LEVELS = { FATAL = "error", ERROR = "error", WARN = "warn", WARNING = "warn", INFO = "info", DEBUG = "debug" }

-- The level that a line names in its first words, if any.
local function level_of(text)
  for word in text:sub(1, 80):gmatch "%f[%a]%u+%f[%A]" do
    if LEVELS[word] then return LEVELS[word] end
  end
  return nil
end

-- Put the pieces of a cut line together again, so that a secret across the cut is seen.
local function whole_lines(items, default_stream)
  local lines = {}
  for _, item in ipairs(items) do
    local last = lines[#lines]
    local stream = item.stream or default_stream
    if last and last.open and last.stream == stream then
      last.text, last.open = last.text .. item.text, item.cut
    else
      lines[#lines + 1] = { text = item.text, stream = stream, open = item.cut, at = item.at }
    end
  end
  return lines
end

local function split(line, text, source, out)
  local at = line.at and date(line.at) or date(sys.now())
  local level = level_of(text)
  repeat
    local piece = clean.cut(text, logs.LINE_MAX)
    text = text:sub(#piece + 1)
    out[#out + 1] = {
      at = at,
      source = source,
      stream = line.stream,
      level = level,
      text = piece,
      cut = (text ~= "" or line.open) and true or nil,
    }
  until text == ""
end

-- Offsets of a file grow; where they are no numbers, the same one is the same batch.
local function stored_already(data, cursor)
  local last = logs.cursor(data.project_id, data.sandbox_id, data.key)
  if math.type(last) == "integer" and math.type(cursor) == "integer" then return last >= cursor end
  return last ~= nil and json.encode(last) == json.encode(cursor)
end

-- follow -> {key, data = {project_id, sandbox_id, key, source, stream}, items, cursor, ended, error?}
local function batch(call)
  local data = call.data
  local project = projects.get(data.project_id)
  if not project then return { stop = true } end
  if #call.items == 0 or stored_already(data, call.cursor) then return nil end
  local redactor, lines = known.of(project), {}
  for _, line in ipairs(whole_lines(call.items, data.stream)) do
    split(line, redactor:text(line.text), data.source, lines)
  end
  local cursor = { sandbox_id = data.sandbox_id, source = data.key, offset = json.encode(call.cursor) }
  local stored, message = logs.store(data.project_id, lines, cursor)
  if not stored then error("log lines cannot be stored: " .. tostring(message)) end
  return nil
end

return { doc = "Stores the lines of a sandbox's log.", batch = batch }
