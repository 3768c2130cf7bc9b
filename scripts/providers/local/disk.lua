-- Where the local provider keeps things, below <data>/local:
--
--   sandboxes/<name>/     spec.json  opt/ (read-only inside)  home/ tmp/ (the agent's)  source/  logs/  steps/<step>/
--   workspaces/<id>/      files/ (bound at /workspace)  cache/ (of installs)  slot
--   slots/<n>             which project has the n-th user id (200000 + n), for as long as its files are there
--
-- Names from outside become paths only through `sandbox` and `workspace`, which check them.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"

local M = {}

M.root = sys.data .. "/local"

local BASES, SLOTS_MAX = { 200000, 20000 }, 40000

local function checked(text, what)
  if type(text) ~= "string" or #text > 160 or not text:find "^[%w][%w_-]*$" then
    return nil, "'" .. tostring(text):sub(1, 200) .. "' is not a " .. what .. ": letters, digits, _ and -", "invalid"
  end
  return text
end

-- The directory of a sandbox. -> path | nil, message, "invalid"
function M.sandbox(name)
  local ok, message, code = checked(name, "sandbox name")
  return ok and M.root .. "/sandboxes/" .. name, message, code
end

-- The directory of a project's files. -> path | nil, message, "invalid"
function M.workspace(project_id)
  local ok, message, code = checked(project_id, "project id")
  return ok and M.root .. "/workspaces/" .. project_id, message, code
end

-- The directory of a step's run in a sandbox's directory. -> path | nil, message, "invalid"
function M.step(dir, step)
  local ok, message, code = checked(step, "step name")
  return ok and dir .. "/steps/" .. step, message, code
end

-- -> value | nil (not there, or unreadable)
function M.load(path)
  local text = fs.read(path)
  return text and json.decode(text) or nil
end

function M.save(path, value)
  return fs.write_atomic(path, json.encode(value))
end

-- For what says nothing after a power cut, since nothing runs then.
function M.note(path, value)
  return fs.write_atomic(path, json.encode(value), { sync = false })
end

local boot_id
function M.boot_id()
  boot_id = boot_id or (fs.read "/proc/sys/kernel/random/boot_id" or ""):gsub("%s", "")
  return boot_id
end

-- Whether these user ids exist here: in a container root often has but 65536 of them.
local function mapped(first, count)
  for inside, size in (fs.read "/proc/self/uid_map" or ""):gmatch "(%d+)%s+%d+%s+(%d+)" do
    if tonumber(inside) <= first and tonumber(inside) + tonumber(size) >= first + count then return true end
  end
  return false
end

-- The user id below those of projects. -> integer | nil: this host cannot give them any, they share its own
local base
function M.base_uid()
  if base == nil then
    base = false
    local root = (fs.read "/proc/self/status" or ""):find "\nUid:%s+%d+%s+0%s" ~= nil
    for _, first in ipairs(root and BASES or {}) do
      base = base or (mapped(first, SLOTS_MAX + 1) and first)
    end
  end
  return base or nil
end

-- The user id of a project, claimed at its first use. -> uid (-1: the host's own) | nil, message, code
function M.uid(project_id)
  local workspace, message, code = M.workspace(project_id)
  if not workspace then
    return nil, message, code
  elseif not M.base_uid() then
    return -1
  end
  local known = tonumber((fs.read(workspace .. "/slot")))
  if known then return M.base_uid() + known end
  local done
  for _, path in ipairs { M.root .. "/slots", workspace } do
    done, message, code = fs.mkdir(path)
    if not done then return nil, message, code end
  end
  for n = 1, SLOTS_MAX do
    local slot = M.root .. "/slots/" .. n
    done, message, code = fs.claim(slot, project_id)
    if code == "conflict" and fs.read(slot) == project_id then -- the host died before it wrote this down
      done = true
    end
    if done then
      done, message, code = fs.write_atomic(workspace .. "/slot", tostring(n))
      return done and M.base_uid() + n, message, code
    elseif code ~= "conflict" then
      return nil, message, code
    end
  end
  return nil, "all " .. SLOTS_MAX .. " user ids are taken by projects", "busy"
end

-- The files of a project are gone: so is its claim. Its directory is renamed first, so that a half-removed workspace is
-- never taken for a whole one.
function M.remove_workspace(project_id)
  local workspace, message, code = M.workspace(project_id)
  if not workspace then return nil, message, code end
  local slot = fs.read(workspace .. "/slot")
  local doomed = M.root .. "/workspaces/.removed-" .. project_id
  if fs.size(workspace) then
    local done
    done, message, code = fs.remove(doomed)
    if done then
      done, message, code = fs.rename(workspace, doomed)
    end
    if not done then return nil, message, code end
  end
  slot = slot or fs.read(doomed .. "/slot")
  local done
  done, message, code = fs.remove(doomed)
  if done and slot and fs.read(M.root .. "/slots/" .. slot) == project_id then
    fs.remove(M.root .. "/slots/" .. slot)
  end
  return done, message, code
end

-- The node of this host: the project's own where set-up had to bring one, else that of PATH. -> path | nil
local node
function M.node()
  if not node then
    local own = sys.home .. "/vendor/.cache/node/bin/node"
    local r = process.run { argv = { fs.size(own) and own or "node", "-p", "process.execPath" }, timeout_ms = 10000 }
    node = r and r.code == 0 and r.out:gsub("%s+$", "") or nil
  end
  return node
end

function M.goose()
  local path = sys.home .. "/vendor/goose/node_modules/@aaif/goose-binary-linux-x64/bin/goose"
  return fs.size(path) and path or nil
end

return M
