-- What should be followed is followed: logs of active projects, events of sessions in which something goes on.
--
-- Reconcile begins both when a sandbox is there; this mends what broke since, and ends runs whose sandbox is gone.
-- SPDX-License-Identifier: Apache-2.0
local follow = require "gander.follow"
local sys = require "gander.sys"
local db = require "lib.store"
local ending = require "lib.sessions.ending"
local projects = require "lib.projects"
local queue = require "lib.queue"
local talk = require "lib.talk"

local PAGE = 200
local SETTLE_MS = 30000 -- what changed this lately is somebody else's business

local function has_logs()
  local has = {}
  for _, entry in ipairs(follow.list()) do
    local project_id = entry.key:match "^logs:([^:]+):"
    if project_id then has[project_id] = true end
  end
  return has
end

local function mend_projects()
  local has, after = has_logs(), nil
  repeat
    local found, next_page = db.projects:find({ state = "active", desired = "active" }, { limit = PAGE, after = after })
    for _, project in ipairs(assert(found, next_page)) do
      if project.phase == "healthy" and not has[project._id] then talk.started(project) end
    end
    after = next_page
  until not after
end

local function mend_session(session)
  local project = projects.get(session.project_id)
  if project and project.state == "active" and project.phase == "healthy" then
    talk.resume(project, session)
  elseif session.outbox then
    queue.push("message", {}, { key = session._id })
  elseif not project or project.state == "inactive" or project.state == "error" then
    ending.interrupt(session._id, ending.GONE)
  end
end

local function mend_sessions()
  local q, after = { status = { ["$in"] = { "running", "waiting_permission" } } }, nil
  repeat
    local found, next_page = db.sessions:find(q, { limit = PAGE, after = after })
    for _, session in ipairs(assert(found, next_page)) do
      if sys.now() - session.updated_at.ms > SETTLE_MS then mend_session(session) end
    end
    after = next_page
  until not after
end

return {
  doc = "Sees that the logs and chats of live sandboxes are being read.",
  timeout_s = 60,
  every_s = 30,
  run = function()
    mend_projects()
    mend_sessions()
    return { done = true }
  end,
}
