-- The event streams of sessions: which are read from the sandboxes (jobs/chat stores what they bring).
--
-- A session is followed from its first message on, while its sandbox lives; when a sandbox has many sessions, those in
-- which nothing goes on make room.
-- SPDX-License-Identifier: Apache-2.0
local follow = require "gander.follow"
local goose = require "lib.goose"
local sessions = require "lib.sessions"

local M = {}

local BATCH_MS = 50
local FOLLOWED_MAX = 40 -- event streams of one sandbox: its server has 64 for all who read

local function key_of(session)
  return "chat:" .. session.project_id .. ":" .. session._id
end

-- The follows of a project's sessions, by key.
local function followed(project_id)
  local prefix, mine = "chat:" .. project_id .. ":", {}
  for _, entry in ipairs(follow.list()) do
    if entry.key:sub(1, #prefix) == prefix then
      mine[#mine + 1] = entry.key
      mine[entry.key] = true
    end
  end
  return mine
end

-- Make room: sessions in which nothing goes on need no stream. They are followed again with their next message.
local function make_room(mine)
  local over = #mine - FOLLOWED_MAX + 1
  for _, key in ipairs(mine) do
    local session = over > 0 and sessions.get(key:match "[^:]+$")
    if over > 0 and not (session and sessions.RUNNING[session.status]) then
      follow.stop(key)
      over = over - 1
    end
  end
end

-- Read the session's events from the first that is not stored yet.
-- -> true | nil, message, code
function M.start(project, session)
  local mine = followed(project._id)
  if mine[key_of(session)] then return true end
  make_room(mine)
  local request, message, code = goose.request(project, "/sessions/" .. session._id .. "/events")
  if not request then return nil, message, code end
  local done
  done, message, code = follow.start {
    key = key_of(session),
    source = { http = request, resume = "last-event-id" },
    cursor = tostring(session.event_seq),
    format = "sse",
    job = "chat",
    batch_ms = BATCH_MS,
    data = { session_id = session._id, project_id = project._id, sandbox_id = project.sandbox.id },
  }
  if done or code == "conflict" then
    return true -- it is there: somebody else was quicker
  end
  return nil, message, code
end

function M.stop(session)
  follow.stop(key_of(session))
end

return M
