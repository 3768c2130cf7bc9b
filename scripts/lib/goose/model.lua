-- Which model a sandbox talks to, and how: the variables its Goose API server is given.
--
-- OpenAI-like and Anthropic models are reached through the model gateway (routes/model): the sandbox has its Unix socket
-- and a token of its own, never the key. A project that brings its own key or host in `settings.env` talks to that host
-- itself. Without any of these variables goose uses the demo model.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"

local M = {}

M.SOCKET = "/run/gander/model.sock"

local HOSTS = {
  openai = { host = "openai_host", key = "openai_api_key", default = "https://api.openai.com" },
  anthropic = { host = "anthropic_host", key = "anthropic_api_key", default = "https://api.anthropic.com" },
}

-- What this host is configured with: "openai", "anthropic", another of goose's providers, or nil (the demo model).
function M.provider()
  local model = sys.config.model or {}
  if model.provider then return model.provider end
  for _, name in ipairs { "openai", "anthropic" } do
    if model[HOSTS[name].key] or model[HOSTS[name].host] then return name end
  end
  return nil
end

-- {url, key?} of the real host behind the gateway, or nil when there is none of this kind.
function M.upstream(name)
  local model, rule = sys.config.model or {}, HOSTS[name]
  if not rule or not (model[rule.key] or model[rule.host]) then return nil end
  local url = (model[rule.host] or rule.default):gsub("/+$", "")
  if not url:find "^https?://" then url = "https://" .. url end
  return { url = url, key = model[rule.key] }
end

-- Does the project reach a model of its own?
local function brings_its_own(env)
  for _, name in ipairs { "GOOSE_PROVIDER", "OPENAI_API_KEY", "OPENAI_HOST", "ANTHROPIC_API_KEY", "ANTHROPIC_HOST" } do
    if env[name] then return true end
  end
  return false
end

-- The variables for a sandbox: `token` stands where the key would.
function M.environment(settings, token)
  local env = {}
  env.GOOSE_MODEL = settings.model or (sys.config.model or {}).name
  if brings_its_own(settings.env or {}) then return env end
  env.GOOSE_PROVIDER = M.provider()
  for name, variable in pairs { openai = "OPENAI_API_KEY", anthropic = "ANTHROPIC_API_KEY" } do
    if M.upstream(name) then
      env[variable], env.GOOSE_MODEL_SOCKET = token, M.SOCKET
    end
  end
  return env
end

return M
