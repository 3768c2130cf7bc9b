-- Which logs of a sandbox are followed, and from where: the provider names its sources, the store says how far each has
-- been stored (jobs/collect).
-- SPDX-License-Identifier: Apache-2.0
local follow = require "gander.follow"
local log = require "gander.log"
local logs = require "lib.logs"
local providers = require "lib.providers"

local M = {}

local BATCH_MS, BATCH_MAX = 200, 60 -- lines of 16 KiB: a batch stays under 1 MiB

-- -> {{key, source, stream, follow = {file=, offset=} | {http=}}} | nil, message
local function sources(project)
  local provider, message = providers.get(project.sandbox.provider)
  if not provider then return nil, message end
  local ctx
  ctx, message = providers.context(project, provider)
  if not ctx then return nil, message end
  return provider.logs(ctx, {})
end

local function begin(project, source)
  local from = source.follow
  from.offset = nil -- ours stands in the store
  return follow.start {
    key = "logs:" .. project._id .. ":" .. source.key,
    source = from,
    format = source.format or "lines",
    cursor = logs.cursor(project._id, project.sandbox.id, source.key),
    punch = from.file ~= nil or nil,
    job = "collect",
    batch_ms = BATCH_MS,
    batch_max = BATCH_MAX,
    data = {
      project_id = project._id,
      sandbox_id = project.sandbox.id,
      key = source.key,
      source = source.source,
      stream = source.stream,
    },
  }
end

-- Begin what is not followed yet.
function M.start(project)
  local list, message = sources(project)
  for _, source in ipairs(list or {}) do
    local done, fault, code = begin(project, source)
    message = message or (not done and code ~= "conflict" and fault)
  end
  if message then log("warn", "logs of a sandbox are not followed", { project = project._id, error = message }) end
end

return M
