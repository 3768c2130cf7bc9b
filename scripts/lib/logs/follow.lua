-- Which logs of a sandbox are followed, and from where: the provider names its sources, the store says how far each has
-- been stored (jobs/collect).
-- SPDX-License-Identifier: Apache-2.0
local follow = require "gander.follow"
local log = require "gander.log"
local logs = require "lib.logs"
local providers = require "lib.providers"

local M = {}

local BATCH_MS, BATCH_MAX = 200, 60 -- lines of 16 KiB: a batch stays under 1 MiB

local function key(project, source)
  return "logs:" .. project._id .. ":" .. source.source .. ":" .. source.stream
end

local function running()
  local keys = {}
  for _, entry in ipairs(follow.list()) do
    keys[entry.key] = true
  end
  return keys
end

-- Begin what is not followed yet.
function M.start(project)
  local provider, message = providers.get(project.sandbox.provider)
  local ctx
  if provider then
    ctx, message = providers.context(project, provider)
  end
  local sources
  if ctx then
    sources, message = provider.logs(ctx)
  end
  local keys = running()
  for _, source in ipairs(sources or {}) do
    local name = key(project, source)
    if not keys[name] then
      local last = logs.cursor(project._id, project.sandbox.id, source.source .. ":" .. source.stream)
      local done, fault = follow.start {
        key = name, source = source.from, format = source.format or "lines", cursor = last and last.offset,
        job = "collect", batch_ms = BATCH_MS, batch_max = BATCH_MAX,
        data = {
          project_id = project._id, sandbox_id = project.sandbox.id, source = source.source, stream = source.stream,
        },
      }
      message = message or (not done and fault)
    end
  end
  if message then
    log("warn", "logs of a sandbox are not followed", { project = project._id, error = message })
  end
end

return M
