-- Sources that are a tree of their own: a Git repository or a tarball, fetched in a jail.
--
-- The jail has the network (not this machine's own), an empty home and no secrets but the source's own password. Then
-- `install` runs in a jail like it, without that; the server starts from the tree under the project's egress.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local egress = require "providers.local.egress"
local jobs = require "providers.local.job"
local run = require "providers.local.run"

local M = {}

-- Each word goes to git as an argument of its own; the password by a helper that reads the environment.
local GIT = [[
set -eu
rm -rf tree && mkdir tree && cd tree
git init -q .
git -c protocol.allow=never -c protocol.https.allow=always -c protocol.ssh.allow=always -c protocol.git.allow=always \
  -c credential.helper='!f() { echo "username=$SOURCE_USERNAME"; echo "password=$SOURCE_PASSWORD"; }; f' \
  fetch -q --depth 1 --no-tags -- "$1" "$2"
git -c advice.detachedHead=false checkout -q FETCH_HEAD
git -c protocol.allow=never -c protocol.https.allow=always submodule -q update --init --recursive --depth 1
git rev-parse HEAD
]]

local GIT_SCHEMES = { https = true, ssh = true, git = true }

-- -> true | nil, message, "invalid"
function M.check(source)
  local url = source.url
  if type(url) ~= "string" or #url > 2000 or url:find "[%c%s\"'\\]" or url:sub(1, 1) == "-" then
    return nil, "source.url '" .. tostring(url):sub(1, 200) .. "' is not a URL", "invalid"
  end
  local scheme, host = url:match "^(%a[%w+.-]*)://([^/]*)"
  if source.type == "git" and not scheme then
    scheme, host = "ssh", url:match "^([%w._-]+@[%w.-]+):[^:]"
  end
  if not host or host == "" or host:sub(1, 1) == "-" or host:find "@%-" then
    return nil, "source.url '" .. url:sub(1, 200) .. "' names no host", "invalid"
  elseif source.type == "git" and not GIT_SCHEMES[scheme:lower()] then
    return nil, "source.url: '" .. scheme .. "://' is not fetched; only https, ssh and git URLs are", "invalid"
  elseif source.type == "tarball" and scheme:lower() ~= "https" then
    return nil, "source.url: '" .. scheme .. "://' is not fetched; a tarball wants https", "invalid"
  elseif host:find ":.*@" then
    return nil, "source.url must not hold a password: give it as source.password", "invalid"
  end
  local revision = source.revision or "HEAD"
  if type(revision) ~= "string" or #revision > 200 or not revision:find "^[%w][%w._/-]*$" or revision:find "%.%." then
    return nil, "source.revision '" .. tostring(revision):sub(1, 200) .. "' is not a branch, tag or commit", "invalid"
  end
  local directory = source.directory or "."
  if
    type(directory) ~= "string"
    or #directory > 400
    or directory:sub(1, 1) == "/"
    or ("/" .. directory .. "/"):find "/%.%./"
  then
    return nil,
      "source.directory '" .. tostring(directory):sub(1, 200) .. "' is not a path within the source",
      "invalid"
  end
  return true
end

local function fetch_step(source)
  if source.type == "git" then
    local env = {
      GIT_TERMINAL_PROMPT = "0",
      GIT_CONFIG_NOSYSTEM = "1",
      GIT_SSH_COMMAND = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new",
    }
    env.SOURCE_USERNAME, env.SOURCE_PASSWORD = source.username or "git", source.password or ""
    return {
      step = "fetch",
      argv = { "sh", "-c", GIT, "git", source.url, source.revision or "HEAD" },
      env = env,
      cwd = "/opt/source",
    }
  end
  return {
    step = "fetch",
    argv = { jobs.node_inside(), "/opt/gander/fetch-tarball.mjs", source.url, "tree" },
    cwd = "/opt/source",
  }
end

-- What the fetch said last, for the error's sentence.
local function said(box)
  local text = fs.read(box.dir .. "/logs/setup.err", { max = 1 << 20, part = true }) or ""
  return (text:sub(-600):gsub("%s+$", ""):gsub("\n", "; "))
end

-- Fetch the tree. -> true | false (goes on) | nil, message, code
function M.fetch(box, source)
  local dir = box.dir .. "/steps/fetch"
  local seen = run.status(dir)
  if seen and seen.state == "running" then
    return false
  elseif seen and seen.exit == 0 then
    return true
  elseif seen then
    return nil, "the source could not be fetched from " .. source.url .. ": " .. said(box), "unavailable"
  end
  if source.type == "tarball" then
    local path = sys.home .. "/scripts/providers/local/fetch-tarball.mjs"
    local text, message, code = fs.read(path)
    if not text then return nil, message, code end
    fs.write_atomic(box.dir .. "/opt/fetch-tarball.mjs", text, { mode = 420 })
  end
  local started, message, code = run.start(box, fetch_step(source), egress.plan "allow")
  if not started then return nil, message, code end
  return false
end

local function directory(box)
  local within = box.spec.source.directory
  return "tree" .. (within and within ~= "." and "/" .. within or "")
end

local function has(box, name)
  local f <close> = fs.open_beneath(box.dir .. "/source", directory(box) .. "/" .. name)
  return f ~= nil
end

-- What is run when the source's own list is not given: what the tree asks for. -> argv | nil: nothing to do
function M.install_argv(box)
  if box.spec.source.install then
    return box.spec.source.install
  elseif has(box, "package-lock.json") or has(box, "npm-shrinkwrap.json") then
    return { "npm", "ci", "--no-audit", "--no-fund" }
  elseif has(box, "package.json") then
    return { "npm", "install", "--no-audit", "--no-fund" }
  elseif has(box, "requirements.txt") then
    return { "sh", "-c", "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt" }
  end
  return nil
end

-- -> argv | nil, message, "invalid"
function M.start_argv(box)
  if box.spec.source.start then
    return box.spec.source.start
  elseif has(box, "package.json") then
    return { "npm", "start" }
  end
  for _, name in ipairs { "goose-api.mjs", "server.mjs", "server.js", "index.js" } do
    if has(box, name) then return { jobs.node_inside(), name } end
  end
  for _, name in ipairs { "main.py", "app.py", "server.py" } do
    if has(box, name) then return { has(box, "requirements.txt") and ".venv/bin/python" or "python3", name } end
  end
  return nil, "the source says no `start` command, and its tree has no package.json, server.js or main.py", "invalid"
end

function M.cwd(box)
  return "/opt/source/" .. directory(box)
end

-- Downloads of installs are kept here, in the project's cache.
M.INSTALL_ENV = {
  npm_config_cache = "/home/agent/.cache/npm",
  PIP_CACHE_DIR = "/home/agent/.cache/pip",
  npm_config_update_notifier = "false",
  CI = "true",
}

return M
