-- Chat sessions: list, create, read, change, delete; their events.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local app = require "lib.app"
local S = require "lib.schema"
local projects = require "lib.projects"
local queue = require "lib.queue"
local removal = require "lib.sessions.removal"
local sessions = require "lib.sessions"
local users = require "lib.users"

local M = {}

local BASE = "/api/users/:user/projects/:project/sessions"
local TITLE = S.string { min = 1, max = 200, trim = true }
local MODE = S.string { enum = { "approve", "smart_approve", "auto", "chat" } }

local function list(query, req, topic)
  local cursor = bus.cursor { topic }
  local docs, next_page, code = sessions.list(query, req.query.limit, req.query.after)
  if not docs then return app.fail(code, next_page) end
  local items = {}
  for i, doc in ipairs(docs) do
    items[i] = sessions.view(doc)
  end
  return 200, app.page(items, next_page), { ["X-Gander-Event-Id"] = cursor }
end

M["GET /api/users/:user/sessions"] = app.route {
  doc = "A user's sessions over all projects, newest first.",
  query = app.page_query(),
  answers = { [200] = "list of Session" },
  handler = function(req)
    if not users.get(req.params.user) then return app.not_found() end
    return list({ user_id = req.params.user }, req, "user:" .. req.params.user)
  end,
}

M["GET " .. BASE] = app.route {
  doc = "A project's sessions, newest first; also when it is inactive.",
  query = app.page_query(),
  answers = { [200] = "list of Session" },
  handler = function(req)
    local project = projects.load(req.params.user, req.params.project)
    if not project then return app.not_found() end
    return list({ project_id = project._id }, req, "user:" .. req.params.user)
  end,
}

M["POST " .. BASE] = app.route {
  doc = "A new session; the agent hears of it with its first message.",
  body = S.object { title = S.optional(TITLE), mode = S.optional(MODE) },
  creates = true,
  answers = { [201] = "Session", [409] = "Error" },
  handler = function(req)
    local project = projects.load(req.params.user, req.params.project)
    if not project then return app.not_found() end
    local fields = { id = req.new_id, title = req.body.title, mode = req.body.mode }
    local session, message, code = sessions.create(project, fields)
    if code == "conflict" then session = sessions.load(project._id, fields.id) end -- made by this request's key
    if not session then return app.fail(code, message) end
    sessions.publish(session)
    return 201, sessions.view(session), { Location = req.path .. "/" .. session._id }
  end,
}

M["GET " .. BASE .. "/:session"] = app.route {
  doc = "One session.",
  answers = { [200] = "Session" },
  handler = function(req)
    local _, session = sessions.find(req.params)
    if not session then return app.not_found() end
    return 200, sessions.view(session)
  end,
}

M["PATCH " .. BASE .. "/:session"] = app.route {
  doc = "Change a session's title or mode.",
  body = S.object { title = S.optional(TITLE), mode = S.optional(MODE) },
  answers = { [200] = "Session" },
  handler = function(req)
    local _, session = sessions.find(req.params)
    if not session then return app.not_found() end
    local after, message, code = sessions.change(session._id, function(copy)
      copy.title = req.body.title or copy.title
      copy.mode = req.body.mode or copy.mode
      copy.unsynced = true
    end)
    if not after then return message and app.fail(code, message) or app.not_found() end
    if after.sandbox_id then queue.push("message", {}, { key = after._id }) end
    sessions.publish(after)
    return 200, sessions.view(after)
  end,
}

M["DELETE " .. BASE .. "/:session"] = app.route {
  doc = "Delete a session with its messages; a run that goes on in it is cancelled.",
  answers = { [204] = "removed" },
  handler = function(req)
    local project, session = sessions.find(req.params)
    if not session then return app.not_found() end
    removal.remove(project, session)
    return 204
  end,
}

M["GET " .. BASE .. "/:session/events"] = app.route {
  doc = "The events of a session as they come (the Goose API's), resumable by Last-Event-ID.",
  query = S.object { after = S.optional(S.string { max = 2000 }) },
  answers = { [200] = "events" },
  handler = function(req)
    local _, session = sessions.find(req.params)
    if not session then return app.not_found() end
    local topic, after = sessions.topic(session._id), req.query.after
    local seq = after and after:match "^%d+$" and math.tointeger(tonumber(after))
    return app.stream {
      topics = { topic },
      after = seq and bus.cursor({ topic }, { [topic] = seq }) or after,
      replay = "routes/events#replay",
    }
  end,
}

return M
