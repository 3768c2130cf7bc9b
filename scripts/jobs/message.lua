-- Bring a session to its sandbox: the user's message that waits, and changes of title and mode. Key: the session's id.
--
-- The message was stored before this job was queued; the Goose API knows it by its id, so handing it over twice makes
-- one run. After a few tries in vain the run ends as failed, with the reason in the conversation.
-- SPDX-License-Identifier: Apache-2.0
local ending = require "lib.sessions.ending"
local outbound = require "lib.sessions.outbound"
local projects = require "lib.projects"
local sending = require "lib.sessions.sending"
local sessions = require "lib.sessions"

local TRIES = 5
local WORTH = { internal = true, unavailable = true, timeout = true, busy = true, conflict = true } -- trying again

local function run(job)
  local session = sessions.get(job.id)
  if not session then return { done = true } end
  sending.store(session)
  local project = projects.get(session.project_id)
  if not (project and project.state == "active" and project.sandbox) then
    ending.interrupt(job.id, "The project was deactivated before the agent took the message.")
    return { done = true }
  end
  local ran, done, message, code = pcall(outbound.deliver, project, session)
  if not ran then
    done, message, code = nil, tostring(done), "internal"
  end
  if done then
    return { done = true }
  elseif WORTH[code or "internal"] and job.tries + 1 < TRIES then
    error(message, 0)
  end
  ending.fail(job.id, code or "internal", tostring(message))
  return { done = true }
end

return { doc = "Hands a stored message to the agent in the sandbox.", timeout_s = 120, run = run }
