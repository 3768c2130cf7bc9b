-- Bring the answer to a permission question to the agent. Key: the question's id.
--
-- The answer was stored with the question before. If the question ran out meanwhile, the agent's own event says so.
-- SPDX-License-Identifier: Apache-2.0
local goose = require "lib.goose"
local log = require "gander.log"
local projects = require "lib.projects"

local TRIES = 5
local FINAL = { conflict = true, not_found = true, invalid = true }

local function run(job)
  local data = job.data
  local project = projects.get(data.project_id)
  if not (project and project.sandbox and project.state == "active") then return { done = true } end
  local done, message, code = goose.permission(project, data.session_id, job.id, data.decision)
  if not done and not FINAL[code] and job.tries + 1 < TRIES then
    error(message, 0)
  elseif not done then
    log("warn", "an answer to a permission question was not taken", { session = data.session_id, error = message })
  end
  return { done = true }
end

return { doc = "Brings the answer to a permission question to the agent.", timeout_s = 60, run = run }
