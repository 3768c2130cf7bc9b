-- Deleting a session: from the store at once, from its sandbox by a job.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local db = require "lib.store"
local following = require "lib.sessions.following"
local queue = require "lib.queue"
local sessions = require "lib.sessions"

local M = {}

function M.remove(project, session)
  local id = session._id
  assert(db.sessions:delete { _id = id })
  following.stop(session)
  assert(db.session_messages:delete({ session_id = id }, { many = true }))
  local told = { id = id, project_id = project._id, user_id = project.user_id }
  for _, topic in ipairs { "project:" .. project._id, "user:" .. project.user_id, "all", sessions.topic(id) } do
    bus.publish(topic, "session_deleted", told, topic == sessions.topic(id) and session.event_seq + 1 or nil)
  end
  if session.sandbox_id then queue.push("cancel", { project_id = project._id, delete = true }, { key = id }) end
end

return M
