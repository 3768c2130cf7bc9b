-- A project's log: a page, the stream, or all of it as a download. Works when the project is inactive.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local json = require "gander.json"
local app = require "lib.app"
local S = require "lib.schema"
local logs = require "lib.logs"
local projects = require "lib.projects"

local M = {}

local PIECE = 1000 -- lines of one piece of a download
local DOWNLOADS = { ["application/x-ndjson"] = "ndjson", ["text/plain"] = "txt" }
local FILTERS = { "q", "source", "level", "before", "order" }

local function filter_of(query)
  return {
    after = query.after,
    before = query.before,
    limit = query.limit,
    down = query.order == "desc",
    q = query.q,
    source = query.source,
    level = query.level,
  }
end

-- The form asked for: the first that Accept names, JSON when it names none of them.
local function wanted(req)
  for type in (req.headers.accept or ""):lower():gmatch "[%w.+-]+/[%w.+-]+" do
    if DOWNLOADS[type] or type == "text/event-stream" or type == "application/json" then return type end
  end
  return "application/json"
end

local function stream(req, project)
  for _, name in ipairs(FILTERS) do
    if req.query[name] then
      return app.fail(
        "invalid",
        "The stream brings all lines; '" .. name .. "' is for pages and downloads",
        { { field = name, rule = "stream", message = "does not go with an event stream" } }
      )
    end
  end
  local topic = logs.topic(project._id)
  local after = req.query.after
  return app.stream {
    topics = { topic },
    after = after and bus.cursor({ topic }, { [topic] = after }) or nil,
    replay = "routes/events#replay",
  }
end

local function write_text(line)
  return tostring(line.at) .. " " .. line.source .. " " .. line.stream .. " " .. line.text .. "\n"
end

local function write_ndjson(line)
  return json.encode(line) .. "\n"
end

-- The next piece of a download.
function M.piece(data)
  local lines, next_seq = logs.page(data.project_id, data.filter)
  local write = data.type == "text/plain" and write_text or write_ndjson
  local out = {}
  for i, line in ipairs(lines) do
    out[i] = write(line)
  end
  if not next_seq and #out == 0 then return nil end
  data.filter[data.filter.down and "before" or "after"] = next_seq or lines[#lines].seq
  return app.chunks { body = table.concat(out), next = "routes/logs#piece", data = data }
end

local function download(req, project, type)
  local filter = filter_of(req.query)
  filter.limit = PIECE
  return app.chunks {
    type = type .. "; charset=utf-8",
    filename = "log-" .. project._id .. "." .. DOWNLOADS[type],
    next = "routes/logs#piece",
    data = { project_id = project._id, type = type, filter = filter },
  }
end

local function read(req)
  local project, type = projects.load(req.params.user, req.params.project), wanted(req)
  if not project then
    return app.not_found()
  elseif type == "text/event-stream" then
    return stream(req, project)
  elseif DOWNLOADS[type] then
    return download(req, project, type)
  end
  local topic = logs.topic(project._id)
  local last = logs.last_seq(project._id)
  local lines, next_seq = logs.page(project._id, filter_of(req.query))
  local seen = #lines > 0 and math.max(last, lines[1].seq, lines[#lines].seq) or last
  return 200,
    app.page(lines, next_seq and tostring(next_seq) or nil),
    {
      ["X-Gander-Event-Id"] = bus.cursor({ topic }, { [topic] = seen }),
    }
end

M["GET /api/users/:user/projects/:project/logs"] = app.route {
  doc = "The log: a page (`next` is the `after`, newest first the `before`, of the next one), a stream, or a download.",
  query = S.object {
    limit = S.integer { min = 1, max = 2000, default = 50 },
    after = S.optional(S.integer { min = 0 }),
    before = S.optional(S.integer { min = 1 }),
    order = S.optional(S.string { enum = { "asc", "desc" } }),
    q = S.optional(S.string { min = 1, max = 200 }),
    source = S.optional(S.string { enum = logs.SOURCES }),
    level = S.optional(S.string { enum = { "debug", "info", "warn", "error" } }),
  },
  answers = { [200] = { "list of Log", "events", "text", "ndjson" } },
  handler = read,
}

return M
