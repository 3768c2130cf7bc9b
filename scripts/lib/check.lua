-- check: what a script set must pass before it goes live: each file loads, keeps its contract, passes its own tests.
--
-- C runs it in a trial VM through lib/app. A fault names file and line.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"

local M = {}

local function place_of(text)
  local file, line, message = text:match "^([%w_/%-]+%.lua):(%d+): (.*)$"
  return file, math.tointeger(tonumber(line)), message
end

local function add_fault(faults, path, text)
  local file, line, message = place_of(tostring(text))
  faults[#faults + 1] = { file = file or path, line = line or 0, message = message or tostring(text) }
end

local function list_routes(path, module, routes, faults)
  for key, route in pairs(module) do
    local method, pattern = tostring(key):match "^(%u+) (/%S*)$"
    if method and type(route) == "table" and route.handler then
      routes[#routes + 1] = { method = method, path = pattern, file = path:gsub("%.lua$", "") }
    elseif type(route) ~= "function" then
      add_fault(faults, path, "'" .. tostring(key) .. '\' is neither a route "METHOD /path" nor a function')
    end
  end
end

local JOB = { doc = "string", timeout_s = "number", run = "function" }

local function check_job(path, module, faults)
  for field, kind in pairs(JOB) do
    if type(module[field]) ~= kind and not (module.batch and field ~= "doc") then
      add_fault(faults, path, "a job needs " .. field .. " (a " .. kind .. ")")
    end
  end
end

local function check_file(path, routes, faults)
  local name = path:gsub("%.lua$", "")
  local ok, module = pcall(require, (name:gsub("/", ".")))
  if not ok then return add_fault(faults, path, module) end
  local kind = path:match "^[^/]+"
  if kind ~= "lib" and type(module) ~= "table" then return add_fault(faults, path, "must return a table") end
  if kind == "routes" then
    list_routes(path, module, routes, faults)
  elseif kind == "jobs" then
    check_job(path, module, faults)
  elseif kind == "policies" or kind == "cleanup" then
    for _, f in ipairs(require("lib.policy").check(name) or {}) do
      faults[#faults + 1] = { file = f.file or path, line = f.line or 0, message = f.message }
    end
  end
end

-- -> {faults = {{file, line, message}}, routes = {{method, path, file}}}
function M.set()
  local faults, routes = {}, {}
  for _, path in ipairs(sys.script_paths()) do
    if not path:find "^meta/" then check_file(path, routes, faults) end
  end
  return { faults = faults, routes = routes }
end

return M
