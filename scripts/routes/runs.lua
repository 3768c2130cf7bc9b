-- A run of the agent: cancel it, answer its permission questions.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local app = require "lib.app"
local S = require "lib.schema"
local projects = require "lib.projects"
local queue = require "lib.queue"
local sessions = require "lib.sessions"

local M = {}

local BASE = "/api/users/:user/projects/:project/sessions/:session"
local TAKEN_MS = 5000 -- for the agent to take an answer

M["POST " .. BASE .. "/cancel"] = app.route {
  doc = "Cancel the run that goes on in a session, if there is one.",
  body = S.object {},
  answers = { [202] = "Cancelled" },
  handler = function(req)
    local project, session = sessions.find(req.params)
    if not session then return app.not_found() end
    local running = sessions.RUNNING[session.status] == true
    if running then
      queue.push("cancel", { project_id = project._id }, { key = session._id })
      projects.touch(project._id, "chat")
    end
    return 202, { cancelled = running }
  end,
}

local BY_NOBODY = { timeout = "its time ran out", cancel = "its run was cancelled or has ended" }

-- What became of a question that is no longer open.
local function settled(entry)
  local why = BY_NOBODY[entry.by]
  if why then
    return app.fail("not_found", "This question can no longer be answered: " .. why, { { reason = "expired" } }, 410)
  end
  return app.fail(
    "conflict",
    "This question was already answered: " .. entry.decision,
    { { reason = "already_decided", decision = entry.decision, by = entry.who or entry.by } }
  )
end

local function decided(session, id)
  for _, entry in ipairs(session.decided or {}) do
    if entry.permission_id == id then return entry end
  end
  return nil
end

-- Inside an edit: store the answer with its question, once.
local function record(copy, id, answer)
  local questions = json.array {}
  local found
  for i, question in ipairs(copy.pending_permissions) do
    questions[i] = question
    if question.permission_id == id then
      found = question
      local answered = {}
      for name, value in pairs(question) do
        answered[name] = value
      end
      answered.answer = answer
      questions[i] = answered
    end
  end
  if not found then
    return false, "gone"
  elseif found.answer then
    return false, "answered"
  elseif found.expires_at and found.expires_at.ms <= sys.now() then
    return false, "expired"
  end
  copy.pending_permissions = questions
  return true
end

local function refuse(session_id, id, why)
  local session = sessions.get(session_id)
  local entry = session and decided(session, id)
  if entry then
    return settled(entry)
  elseif why == "expired" then
    return settled { by = "timeout" }
  elseif why == "answered" then
    for _, question in ipairs(session and session.pending_permissions or {}) do
      if question.permission_id == id and question.answer then
        return settled { by = question.answer.by, decision = question.answer.decision }
      end
    end
  end
  return app.not_found()
end

local function decide(req)
  local project, session = sessions.find(req.params)
  if not session then return app.not_found() end
  local id, topic = req.params.permission, sessions.topic(session._id)
  local cursor = bus.cursor { topic }
  local answer = { decision = req.body.decision, by = req.by, at = date(sys.now()) }
  local after, why, code = sessions.change(session._id, function(copy)
    return record(copy, id, answer)
  end)
  if not after then
    if code then return app.fail(code, why) end
    return refuse(session._id, id, why)
  end
  queue.push(
    "permission",
    { project_id = project._id, session_id = session._id, decision = answer.decision },
    { key = id }
  )
  projects.touch(project._id, "chat")
  return app.await {
    topic = topic,
    ["until"] = { "permission_resolved", "run_finished" },
    after = cursor,
    timeout_ms = TAKEN_MS,
    next = "routes/runs#taken",
    data = {
      session_id = session._id,
      permission_id = id,
      decision = answer.decision,
      by = answer.by,
      until_ms = sys.now() + TAKEN_MS,
    },
  }
end

-- The agent took the answer, or its own end of the question came first, or it is still on its way.
function M.taken(data)
  local topic = sessions.topic(data.session_id)
  local cursor = bus.cursor { topic }
  local session = sessions.get(data.session_id)
  local entry = session and decided(session, data.permission_id)
  if entry and entry.by ~= "user" then return settled(entry) end
  local left = data.until_ms - sys.now()
  if not entry and session and left > 0 and sessions.RUNNING[session.status] then
    return app.await {
      topic = topic,
      ["until"] = { "permission_resolved", "run_finished" },
      after = cursor,
      timeout_ms = left,
      next = "routes/runs#taken",
      data = data,
    }
  end
  return 200, { permission_id = data.permission_id, decision = data.decision, by = data.by }
end

M["POST " .. BASE .. "/permissions/:permission"] = app.route {
  doc = "Answer a permission question of the agent.",
  body = S.object { decision = S.string { enum = { "allow_once", "allow_always", "reject_once", "reject_always" } } },
  answers = { [200] = "PermissionAnswer", [409] = "Error", [410] = "Error" },
  handler = decide,
}

return M
