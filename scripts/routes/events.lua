-- The one event stream of a page, and where its past comes from.
-- SPDX-License-Identifier: Apache-2.0
local app = require "lib.app"
local S = require "lib.schema"
local logs = require "lib.logs"
local projects = require "lib.projects"
local replay = require "lib.sessions.replay"
local sessions = require "lib.sessions"
local users = require "lib.users"

local M = {}

local LINES = 200 -- log lines of one replay call

-- Topics: the user's (or all users') projects, what concerns the host, and what the page looks at.
local function topics_of(query)
  local topics = query.user and { "user:" .. query.user, "host" } or { "all" }
  if query.logs then
    local project = projects.get(query.logs)
    if not project or (query.user and project.user_id ~= query.user) then return nil end
    topics[#topics + 1] = logs.topic(project._id)
  end
  if query.session then
    local session = sessions.get(query.session)
    if not session or (query.user and session.user_id ~= query.user) then return nil end
    topics[#topics + 1] = sessions.topic(session._id)
  end
  return topics
end

M["GET /api/events"] = app.route {
  doc = "Server-sent events: projects, sessions, activity, scripts, alerts; with logs= and session= those of one project and session too.",
  query = S.object {
    user = S.optional(S.string { max = 64 }),
    logs = S.optional(S.string { format = "uuid" }),
    session = S.optional(S.string { format = "uuid" }),
    after = S.optional(S.string { max = 2000 }),
  },
  answers = { [200] = "events" },
  handler = function(req)
    local topics = (not req.query.user or users.get(req.query.user)) and topics_of(req.query)
    if not topics then return app.not_found() end
    return app.stream { topics = topics, after = req.query.after, replay = "routes/events#replay" }
  end,
}

local function log_lines(project_id, after)
  local lines, more = logs.page(project_id, { after = after, limit = LINES })
  local events = {}
  for i, line in ipairs(lines) do
    events[i] = { event = "log", id = line.seq, data = line }
  end
  return { events = events, more = more ~= nil }
end

-- sse -> {topic, after?, boot_changed}: what came after `after`, from the store; nil: it cannot be told.
function M.replay(call)
  local kind, id = call.topic:match "^(%a+):(.+)$"
  local after = math.tointeger(call.after)
  if not after then
    return nil
  elseif kind == "logs" then
    return log_lines(id, after)
  elseif kind == "session" then
    return replay.events(id, after)
  end
  return nil
end

return M
