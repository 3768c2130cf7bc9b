-- The job that moves a project from what is seen to what is wanted: one act a run, recorded before the next.
--
-- What to do is read from the stored document alone, so a run that was killed at any point is simply run again. The
-- acts: lib/reconcile/{start,stop,remove}.
-- SPDX-License-Identifier: Apache-2.0
local lifecycle = require "lib.lifecycle"
local projects = require "lib.projects"
local remove = require "lib.reconcile.remove"
local start = require "lib.reconcile.start"
local stop = require "lib.reconcile.stop"

local inactive = { active = start.begin, deleted = remove.purge }

-- The act that is due, or nil when all is as it is wanted.
local function due(project)
  local state, wanted = project.state, project.desired == "active"
  if project.sandbox and project.sandbox.doomed and state ~= "stopping" then
    return stop.discard
  elseif state == "inactive" then
    return inactive[project.desired]
  elseif state == "creating" then
    return wanted and start[project.phase] or stop.abandon
  elseif state == "active" then
    if not wanted then return stop.begin end
    return project.phase == "starting" and start.starting or start.settled
  elseif state == "stopping" then
    return stop[project.phase]
  elseif state == "error" and not wanted then
    return stop.abandon
  end
end

return {
  doc = "Moves a project one recorded step towards what is wanted of it.",
  timeout_s = 300,

  run = function(job)
    local project, message = projects.get(job.id)
    if not project then return message and error(message) or { done = true } end
    lifecycle.settle(project)
    local act = due(project)
    return act and act(project) or { done = true }
  end,
}
