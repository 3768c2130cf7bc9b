-- What the steps of reconcile share: how a step ends, and the provider of a project.
-- SPDX-License-Identifier: Apache-2.0
local log = require "gander.log"
local providers = require "lib.providers"

local M = {}

M.DONE = { done = true }

function M.again(ms)
  return { again_ms = math.max(0, math.floor(ms)) }
end

-- A step ends with a recorded move: the next one follows at once, also when the record was refused because somebody
-- changed the project meanwhile. A store that fails is raised: the queue tries again later.
function M.recorded(after, message, code)
  if after or code == "conflict" or code == "not_found" then return M.again(0) end
  error("the project cannot be written: " .. tostring(message))
end

-- One project of many: its trouble must not keep the others waiting. -> whether it went well
function M.each(what, project, act)
  local ok, message = pcall(act, project)
  if not ok then log("error", what .. " failed for a project", { project = project._id, error = tostring(message) }) end
  return ok
end

-- -> provider, ctx | nil, message, code
function M.provider_of(project, time_ms)
  local provider, message, code = providers.get(project.sandbox and project.sandbox.provider or project.provider)
  if not provider then return nil, message, code end
  local ctx
  ctx, message, code = providers.context(project, provider, time_ms)
  if not ctx then return nil, message, code end
  return provider, ctx
end

return M
