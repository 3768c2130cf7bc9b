-- End what goes on in a session: its run, or (data.delete) the session itself in its sandbox. Key: the session's id.
-- SPDX-License-Identifier: Apache-2.0
local ending = require "lib.sessions.ending"
local goose = require "lib.goose"
local projects = require "lib.projects"
local sessions = require "lib.sessions"

local TRIES = 5
local GONE = "The run ended with its sandbox."

local function run(job)
  local session = sessions.get(job.id)
  if not job.data.delete and session and session.outbox then
    ending.withdraw(job.id)
    return { done = true }
  end
  local project = projects.get(job.data.project_id)
  if not (project and project.sandbox and project.state == "active") then
    if not job.data.delete then ending.interrupt(job.id, GONE) end
    return { done = true }
  end
  local act = job.data.delete and goose.delete or goose.cancel
  local done, message, code = act(project, job.id)
  if done or code == "not_found" or job.tries + 1 >= TRIES then
    if not done and not job.data.delete and sessions.get(job.id) then
      ending.interrupt(job.id, code == "not_found" and GONE or "The agent did not answer to the cancel.")
    end
    return { done = true }
  end
  error(message, 0)
end

return { doc = "Cancels a run, or removes a session from its sandbox.", timeout_s = 60, run = run }
