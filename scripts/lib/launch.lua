-- How a source is started: the files it needs, its install command, its start command and environment.
--
-- The builtin source is the Goose API server of scripts/goose, put into the sandbox. Its environment holds only the
-- hash of its token, since tools run under its uid; a git, tarball or image source gets the token (seams.md section 9).
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local goose = require "lib.goose"
local model = require "lib.goose.model"

local M = {}

local PORT = "3001"
local WORKSPACE = "/workspace"
local TOOLS = "/opt/gander"
local FILES = { "goose-api.mjs", "demo-model.mjs" }

local function builtin_files()
  local files = json.array {}
  for i, name in ipairs(FILES) do
    local text, message, code = fs.read(sys.home .. "/scripts/goose/" .. name)
    if not text then return nil, message, code end
    files[i] = { path = TOOLS .. "/" .. name, mode = 420, text = text } -- 0644
  end
  return files
end

local function environment(ctx)
  local env = model.environment(ctx.settings, goose.model_token(ctx.name))
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

-- What is left out of a step (argv, cwd) is the provider's to fill in: it knows where Node lies and what the tree of a
-- source asks for.
-- -> {files, install? = {step, argv?}, start = {step, argv?, env, cwd?}} | nil, message, code
function M.plan(ctx)
  local source = ctx.source
  local plan = { files = json.array {}, start = { step = "start", argv = source.start, env = environment(ctx) } }
  if source.type == "builtin" then
    local files, message, code = builtin_files()
    if not files then return nil, message, code end
    plan.files = files
  elseif source.type == "git" or source.type == "tarball" then
    plan.install = { step = "install", argv = source.install }
  end
  return plan
end

return M
