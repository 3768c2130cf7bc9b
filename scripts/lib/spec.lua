-- What a spec's test gets as `t`. `gander test` runs each test through run(); a skip comes back as its reason.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local sys = require "gander.sys"

local M = {}
local SKIP = {}

local function show(v)
  local ok, text = pcall(json.encode, v)
  return ok and text or tostring(v)
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

local t = {}

-- Deep equality; integers and floats differ.
function t.eq(got, want, what)
  if not same(got, want) then
    error(string.format("%swanted %s, got %s", what and what .. ": " or "", show(want), show(got)), 2)
  end
end

function t.ok(v, what)
  if not v then error(what or "not true", 2) end
  return v
end

-- fn must raise, with a text that has `pattern` (a Lua pattern) in it.
function t.raises(fn, pattern, ...)
  local ok, text = pcall(fn, ...)
  if ok then error("did not raise", 2) end
  if not tostring(text):find(pattern) then error("raised '" .. tostring(text) .. "', wanted '" .. pattern .. "'", 2) end
end

-- nil, message, code
function t.fails(code, v, message, got)
  if v ~= nil or got ~= code then
    error(string.format("wanted failure '%s', got %s, %s, %s", code, show(v), tostring(message), tostring(got)), 2)
  end
  return message
end

-- Poll fn until it gives something true; its deadline is generous since machines are shared.
function t.wait(fn, ms)
  local deadline = sys.mono() + (ms or 20000)
  repeat
    local v = fn()
    if v then return v end
  until sys.mono() > deadline
  error("nothing happened in time", 2)
end

function t.id()
  return "t" .. sys.uuid():gsub("-", "")
end

-- A path of its own below the spec's data directory (removed afterwards); the directory is made when gander.fs is there.
function t.tmpdir()
  local path = sys.data .. "/" .. t.id()
  require("gander.fs").mkdir(path)
  return path
end

function t.skip(reason)
  error(setmetatable({ reason = reason }, SKIP))
end

function t.load(path)
  return M.load(path)
end

-- Call "file#function" in a VM of its own that has `files` ({path = text}) besides the scripts, for at most ms.
-- -> its result as typed JSON | nil, message, code
function t.call(files, name, ms)
  return M.call(files, name, ms)
end

-- -> { ["gander.Db"] = { "close", … } }: the methods of every type of handle
function t.handles()
  return M.handles()
end

function M.run(fn)
  local ok, e = xpcall(fn, function(e)
    return e
  end, t)
  if ok then return nil end
  if getmetatable(e) == SKIP then return e.reason end
  error(e, 0)
end

return M
