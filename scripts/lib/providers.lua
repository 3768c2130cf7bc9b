-- Providers by the names of config.lua, and the context their calls take (seams.md section 6).
--
-- A provider here is its module's functions with `name`, `kind` and `config` beside them. Specs put one of their own in
-- place with `inject`. This file makes no call to a provider but `isolation`.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local installation = require "lib.installation"
local settings_of = require "lib.settings"

local M = {}

local known = {} -- by name; a VM's configuration never changes

function M.inject(name, module, config)
  known[name] = setmetatable({ name = name, kind = module.kind or name, config = config or {} }, { __index = module })
end

-- -> the provider | nil, message, "not_found"
function M.get(name)
  if not known[name] then
    local config = (sys.config.providers or {})[name]
    if not config then return nil, "there is no provider '" .. tostring(name) .. "' in config.lua", "not_found" end
    local kind = config.kind or name
    known[name] = setmetatable(
      { name = name, kind = kind, config = config },
      { __index = require("providers." .. kind) }
    )
  end
  return known[name]
end

-- The names of all providers, sorted.
function M.names()
  local names = {}
  for name in pairs(sys.config.providers or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

function M.default()
  return sys.config.default_provider or M.names()[1]
end

-- What a provider says of its isolation now: {tier, statement} or nil.
function M.isolation(provider)
  local probe = provider.capabilities and provider.capabilities.isolation
  return probe and probe() or nil
end

-- Whether a provider can start this kind of source. -> true | nil, message, "invalid"
function M.takes(provider, source)
  local sources = provider.capabilities and provider.capabilities.sources or {}
  if sources[source.type] then return true end
  return nil, "provider '" .. provider.name .. "' cannot start a source of type '" .. source.type .. "'", "invalid"
end

-- The label of everything this installation starts.
function M.label(project)
  return { installation = installation.id(), project = project and project._id, user = project and project.user_id }
end

-- The name of a project's n-th sandbox; never used for another.
function M.sandbox_name(project, n)
  return string.format("gander-%s-%s-%d", installation.id(), project._id, n)
end

-- The context of calls about the project's present sandbox.
-- -> ctx | nil, message, code     the settings cannot be read (sealed with another key)
function M.context(project, provider, time_ms)
  local settings, message, code = settings_of.effective(project)
  if not settings then return nil, message, code end
  local source
  source, message, code = settings_of.source(project)
  if not source then return nil, message, code end
  return {
    name = project.sandbox and project.sandbox.id,
    project = project,
    project_id = project._id,
    settings = settings,
    source = source,
    label = M.label(project),
    config = provider.config,
    deadline_ms = sys.now() + (time_ms or 60000),
    instance_id = project.sandbox and project.sandbox.instance_id,
  }
end

-- How many bytes of files a project has; what was last seen when its provider cannot say.
function M.workspace_bytes(project)
  local provider = M.get(project.provider)
  local bytes = provider and provider.workspace_bytes and provider.workspace_bytes(project)
  local usage = project.sandbox and project.sandbox.usage
  return bytes or math.floor((usage and usage.disk_mb or 0) * 1048576)
end

-- How to reach a port of the project's sandbox: {url, netns?, headers?} | nil, message, code
function M.endpoint(project, port)
  local provider, message, code = M.get(project.sandbox and project.sandbox.provider or project.provider)
  if not provider then return nil, message, code end
  local ctx
  ctx, message, code = M.context(project, provider)
  if not ctx then return nil, message, code end
  return provider.endpoint(ctx, port)
end

return M
