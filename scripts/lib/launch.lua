-- How a source is started: the files it needs, its install command, its start command and environment.
--
-- The builtin source is the Goose API server of scripts/goose, put into the sandbox. Its environment holds only the
-- hash of its token, since tools run under its uid; a git, tarball or image source gets the token (seams.md section 9).
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local goose = require "lib.goose"

local M = {}

local PORT = "3001"
local WORKSPACE = "/workspace"
local TOOLS = "/opt/gander"
local GATEWAY_KEYS = { openai = "OPENAI_API_KEY", anthropic = "ANTHROPIC_API_KEY" }
local FILES = { "goose-api.mjs", "demo-model.mjs" }

local function builtin_files()
  local files = json.array {}
  for i, name in ipairs(FILES) do
    local text, message, code = fs.read(sys.home .. "/scripts/goose/" .. name)
    if not text then
      return nil, message, code
    end
    files[i] = { path = TOOLS .. "/" .. name, mode = 420, text = text } -- 0644
  end
  return files
end

-- The model of this host as a sandbox may use it: openai and anthropic through the gateway's socket, where a derived
-- token stands for the key; other providers are only named, their keys come from the project's own env.
local function model_environment(ctx)
  local model = sys.config.model or {}
  local provider = model.provider or model.openai_api_key and "openai" or model.anthropic_api_key and "anthropic"
  if not provider then
    return {}
  end
  local env = { GOOSE_PROVIDER = provider, GOOSE_MODEL = ctx.settings.model or model.name }
  local key = GATEWAY_KEYS[provider]
  if key then
    env[key] = goose.model_token(ctx.name)
    env.GOOSE_MODEL_SOCKET = "/run/gander/model.sock"
  end
  return env
end

local function environment(ctx)
  local env = model_environment(ctx)
  for name, value in pairs(ctx.settings.env) do
    env[name] = value
  end
  env.PORT, env.GOOSE_API_PORT, env.GOOSE_API_CWD = PORT, PORT, WORKSPACE
  env.GOOSE_API_ENGINE, env.GOOSE_API_MODE = ctx.settings.engine, ctx.settings.mode
  local token = goose.token(ctx.name)
  if ctx.source.type == "builtin" then
    env.GOOSE_API_TOKEN_SHA256 = sys.sha256(token)
  else
    env.GOOSE_API_TOKEN = token
  end
  return env
end

-- The install command of a tree that names none: what its files ask for.
local DEFAULT_INSTALL = {
  "sh", "-c",
  "if [ -f package-lock.json ]; then exec npm ci; elif [ -f package.json ]; then exec npm install;"
    .. " elif [ -f requirements.txt ]; then exec pip install -r requirements.txt; fi",
}
local DEFAULT_START = { "npm", "start" }

-- -> {files, install? = {step, argv, cwd}, start = {step, argv, env, cwd}} | nil, message, code
function M.plan(ctx)
  local source = ctx.source
  local start = { step = "start", env = environment(ctx), cwd = WORKSPACE }
  if source.type == "builtin" then
    local files, message, code = builtin_files()
    if not files then
      return nil, message, code
    end
    start.argv = { "node", TOOLS .. "/" .. FILES[1] }
    return { files = files, start = start }
  end
  start.argv = source.start or DEFAULT_START
  local cwd = WORKSPACE .. (source.directory and "/" .. source.directory or "")
  start.cwd = cwd
  local plan = { files = json.array {}, start = start }
  if source.type == "git" or source.type == "tarball" then
    plan.install = { step = "install", argv = source.install or DEFAULT_INSTALL, cwd = cwd, env = {} }
  end
  return plan
end

return M
