-- The secret values that a project's sandbox may know or come across, as a redactor.
--
-- The project's own (env values, the password of its source), its sandbox's tokens, and the model keys of this host.
-- Values that were changed since the activation count with their successors: the sandbox still has the old ones. One that
-- cannot be unsealed is unknown to the sandbox too. Nothing is kept between calls.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local sys = require "gander.sys"
local goose = require "lib.goose"
local redact = require "lib.redact"
local settings = require "lib.settings"

local M = {}

local function add_env(values, project)
  for _, value in pairs(settings.env(project) or {}) do
    values[#values + 1] = value
  end
end

-- The sealed env that the sandbox was started with (lib/applies).
local function env_in_force(project)
  local applied = project.applied and json.decode(project.applied)
  local sealed = type(applied) == "table" and applied["settings.env"]
  return sealed and sealed ~= "" and { secrets = { env = sealed } } or nil
end

function M.of(project)
  local values = {}
  add_env(values, project)
  local before = env_in_force(project)
  if before then add_env(values, before) end
  local source = settings.source(project)
  values[#values + 1] = source and source.password
  if project.sandbox then
    values[#values + 1] = goose.token(project.sandbox.id)
    values[#values + 1] = goose.model_token(project.sandbox.id)
  end
  for name, value in pairs(sys.config.model or {}) do
    if name:find "_api_key$" then values[#values + 1] = value end
  end
  return redact.new(values)
end

return M
