-- What reconcile tells the chat and the logs about a project's sandbox: it is there, it will go, it has gone.
--
-- `started` may be called at any time for an active project (each start of the host does): it begins what is not going
-- on yet. `draining` is asked again until it says yes or its deadline has passed. `forget` is for a deleted project.
-- SPDX-License-Identifier: Apache-2.0
local follow = require "gander.follow"
local log = require "gander.log"
local sys = require "gander.sys"
local db = require "lib.store"
local ending = require "lib.sessions.ending"
local following = require "lib.sessions.following"
local goose = require "lib.goose"
local logs = require "lib.logs"
local logs_follow = require "lib.logs.follow"
local queue = require "lib.queue"
local sessions = require "lib.sessions"

local M = {}

local STOP_MS = 5000 -- for what a follow has read to be stored
local REPLACED = "The sandbox was replaced while this answer was being written."

-- The sandbox is there, its server not yet: read what its set-up says.
function M.created(project)
  logs_follow.start(project)
end

-- A session in which something goes on, and the sandbox is there: hand over what waits, read what comes.
function M.resume(project, session)
  if session.outbox then
    queue.push("message", {}, { key = session._id })
  elseif session.sandbox_id ~= project.sandbox.id then
    ending.interrupt(session._id, REPLACED)
  else
    local done, message = following.start(project, session)
    if not done then log("warn", "a session cannot be followed", { session = session._id, error = message }) end
  end
end

-- The sandbox is healthy: read its logs, and the events of the sessions in which something goes on.
function M.started(project)
  logs_follow.start(project)
  for _, session in ipairs(sessions.busy(project._id)) do
    M.resume(project, session)
  end
end

-- The sandbox will be stopped: its runs are cancelled. -> true when none is left
function M.draining(project, deadline_ms)
  local busy = sessions.busy(project._id)
  for _, session in ipairs(busy) do
    if session.outbox then
      ending.withdraw(session._id)
    elseif project.sandbox and sys.now() < deadline_ms then
      goose.cancel(project, session._id)
    end
  end
  return #busy == 0
end

-- Files are read to their end, what was read is stored.
local function stop_following(project_id)
  for _, entry in ipairs(follow.list()) do
    local kind, of = entry.key:match "^(%a+):([^:]+):"
    if of == project_id and (kind == "chat" or kind == "logs") then
      local _, message = follow.stop(entry.key, { wait_ms = STOP_MS })
      if message then log("warn", "a follow does not end", { key = entry.key, error = message }) end
    end
  end
end

-- The sandbox is gone or will be killed now: what still ran was cut off, and its log is read to the end.
function M.stopped(project)
  stop_following(project._id)
  for _, session in ipairs(sessions.busy(project._id)) do
    if not session.outbox then ending.interrupt(session._id, ending.GONE) end
  end
end

-- All that was said and logged in a project goes with it.
function M.forget(project_id)
  stop_following(project_id)
  for _, collection in ipairs { db.sessions, db.session_messages, db.sandbox_logs } do
    assert(collection:delete({ project_id = project_id }, { many = true }))
  end
end

-- What a delete would take: {sessions, messages, log_lines}.
function M.contents(project_id)
  return {
    sessions = assert(db.sessions:count { project_id = project_id }),
    messages = assert(db.session_messages:count { project_id = project_id }),
    log_lines = logs.count(project_id),
  }
end

return M
