-- What a project's sandbox runs with: its settings over the defaults of config.lua, its source, its secrets unsealed.
--
-- Secrets (`env` values, the password of a git source) are stored sealed, apart from the rest of the document; only
-- `env`, `effective` and `source` open them. `put_env` closes the values of env; a password is sealed as it is.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local sys = require "gander.sys"
local model = require "lib.goose.model"

local M = {}

local DEFAULTS = { vcpus = 2, timeout_s = 1800, egress = "auto" }

local function open(sealed, what)
  local text, message, code = sys.unseal(sealed)
  if not text then return nil, what .. " cannot be read: " .. message, code end
  return text
end

-- -> {name = value} | nil, message, code
function M.env(project)
  local sealed = project.secrets and project.secrets.env
  if not sealed then return {} end
  local text, message, code = open(sealed, "the project's env")
  if not text then return nil, message, code end
  return json.decode(text)
end

-- The fields of `secrets` for these variables.
function M.put_env(env)
  local names = json.array {}
  for name in pairs(env) do
    names[#names + 1] = name
  end
  table.sort(names)
  if #names == 0 then return nil, names end
  return sys.seal(json.encode(env)), names
end

-- Settings with all defaults filled in and `env` in plain. -> table | nil, message, code
function M.effective(project)
  local out = {}
  for name, value in pairs(DEFAULTS) do
    out[name] = value
  end
  for name, value in pairs(sys.config.sandbox or {}) do
    out[name] = value
  end
  local goose = sys.config.goose or {}
  out.engine, out.mode = goose.engine or "auto", goose.mode or "approve"
  for name, value in pairs(project.settings or {}) do
    out[name] = value
  end
  local env, message, code = M.env(project)
  if not env then return nil, message, code end
  out.env = env
  if out.egress == "auto" then out.egress = model.provider() and "allow" or "deny" end
  return out
end

-- A short image name is completed by the registry: "goose:1" -> "registry.example/goose:1".
local function full_image(name, registry)
  local first = name:match "^([^/]+)/"
  local is_full = first and (first:find "[.:]" or first == "localhost")
  if is_full or not registry then return name end
  return registry:gsub("^https?://", ""):gsub("/+$", "") .. "/" .. name
end

-- The source of projects that have none: config.lua's, else the one the environment names, else Gander's own server.
local function default_source()
  local goose = sys.config.goose or {}
  if goose.source then
    return goose.source
  elseif goose.repo_url then
    return { type = "git", url = goose.repo_url, revision = goose.repo_revision or "main" }
  elseif goose.image then
    return { type = "image", image = full_image(goose.image, goose.registry) }
  end
  return { type = "builtin" }
end

-- The source this project is started from, without secrets.
function M.bare_source(project)
  return project.source or default_source()
end

-- The source this project is started from, the password of a git one in plain.
-- -> source | nil, message, code
function M.source(project)
  local source = {}
  for name, value in pairs(M.bare_source(project)) do
    source[name] = value
  end
  local sealed = project.source and project.secrets and project.secrets.password
  if sealed then
    local text, message, code = open(sealed, "the source's password")
    if not text then return nil, message, code end
    source.password = text
  end
  return source
end

return M
