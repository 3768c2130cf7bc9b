-- Limits and figures of a sandbox as a whole, by control groups: version 2, or version 1's memory, pids and cpu.
--
-- Groups are <hierarchy>/gander/<sandbox>; making them takes root. Without them `make` says so, and the tier says that
-- nothing limits a sandbox as a whole.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"
local sys = require "gander.sys"

local M = {}

local NEEDED = { "memory", "pids", "cpu" }

-- {version=2, root=} | {version=1, memory=, pids=, cpu=, cpuacct=} | nil
local found
local function hierarchy()
  if found ~= nil then return found or nil end
  local old = { version = 1 }
  found = false
  for kind, mount, options in (fs.read("/proc/mounts") or ""):gmatch "([^\n]- (%S+) cgroup2? ([^\n]*))" do
    if kind:find "^%S+ %S+ cgroup2 " then
      local has = " " .. (fs.read(mount .. "/cgroup.controllers") or ""):gsub("%s+", " ") .. " "
      if has:find " memory " and has:find " pids " and has:find " cpu " then
        found = { version = 2, root = mount }
        return found
      end
    else
      for _, name in ipairs { "memory", "pids", "cpu", "cpuacct" } do
        if ("," .. options:gsub(" ", ",") .. ","):find("," .. name .. ",", 1, true) then old[name] = mount end
      end
    end
  end
  if old.memory and old.pids and old.cpu then found = old end
  return found or nil
end

-- The directories of a sandbox's group. -> list | nil (none here)
function M.dirs(name)
  local h = hierarchy()
  if not h then
    return nil
  elseif h.version == 2 then
    return { h.root .. "/gander/" .. name }
  end
  local dirs, seen = {}, {}
  for _, controller in ipairs { "memory", "pids", "cpu", "cpuacct" } do
    local mount = h[controller]
    if mount and not seen[mount] then
      seen[mount] = true
      dirs[#dirs + 1] = mount .. "/gander/" .. name
    end
  end
  return dirs
end

-- Write a limit and read it back: some kernels and containers take a value and do not keep it.
local function limit(file, value)
  local ok, message = fs.poke(file, value)
  if not ok then return nil, message end
  local kept = (fs.read(file) or ""):gsub("%s+$", "")
  if kept == value then return true end
  return nil, file .. " holds '" .. kept .. "' after '" .. value .. "' was written"
end

local function set(h, name, limits)
  local function at(controller, file)
    return (h.root or h[controller]) .. "/gander/" .. name .. "/" .. file
  end
  local bytes = tostring(math.floor(limits.memory_mb) << 20)
  local quota = math.floor(limits.cpus * 100000)
  local wanted
  if h.version == 2 then
    fs.poke(at("memory", "memory.swap.max"), "0") -- not there without swap
    wanted = {
      { at("memory", "memory.max"), bytes },
      { at("pids", "pids.max"), tostring(limits.processes) },
      { at("cpu", "cpu.max"), quota .. " 100000" },
    }
  else
    wanted = {
      { at("memory", "memory.limit_in_bytes"), bytes },
      { at("pids", "pids.max"), tostring(limits.processes) },
      { at("cpu", "cpu.cfs_quota_us"), tostring(quota) },
    }
  end
  for _, entry in ipairs(wanted) do
    local ok, message = limit(entry[1], entry[2])
    if not ok then return nil, message end
  end
  if h.version == 1 then fs.poke(at("memory", "memory.memsw.limit_in_bytes"), bytes) end -- swap counts too, where kept
  return true
end

-- Make the group of a sandbox, or find it, and set its limits {memory_mb, cpus, processes}.
-- -> list of directories to join | nil, reason
function M.make(name, limits)
  local h, dirs = hierarchy(), M.dirs(name)
  if not h then return nil, "no control groups with memory, pids and cpu are mounted" end
  if h.version == 2 then
    fs.mkdir(h.root .. "/gander", { mode = 493 })
    for _, parent in ipairs { h.root, h.root .. "/gander" } do
      for _, controller in ipairs(NEEDED) do
        fs.poke(parent .. "/cgroup.subtree_control", "+" .. controller)
      end
    end
  end
  for _, dir in ipairs(dirs) do
    local made, message = fs.mkdir(dir, { mode = 493 })
    if not made then return nil, message end
  end
  local ok, message = set(h, name, limits)
  if not ok then
    M.remove(name)
    return nil, message
  end
  return dirs
end

local function members(dirs)
  local pids = {}
  for pid in (fs.read(dirs[1] .. "/cgroup.procs") or ""):gmatch "%d+" do
    pids[#pids + 1] = tonumber(pid)
  end
  return pids
end

-- Kill all that is in the group and remove it. -> true | nil, message, code
function M.remove(name)
  local dirs = M.dirs(name)
  if not dirs or not fs.size(dirs[1]) then return true end
  fs.poke(dirs[1] .. "/cgroup.kill", "1")
  local deadline = sys.mono() + 5000
  repeat
    local pids = members(dirs)
    for _, pid in ipairs(pids) do
      local p <close> = process.adopt(pid, 0)
      if p then
        p:kill "KILL"
        p:wait(200)
      end
    end
    local left, message, code = #pids
    for _, dir in ipairs(dirs) do
      local gone, why, kind = fs.rmdir(dir)
      if not gone then
        left, message, code = left + 1, why, kind
      end
    end
    if left == 0 then
      return true
    elseif sys.mono() > deadline then
      return nil, message or "processes of " .. name .. " do not end", code or "timeout"
    end
  until false
end

local function number(path, pattern)
  return tonumber((fs.read(path) or ""):match(pattern or "%d+"))
end

-- -> {cpu_ms, memory_mb, processes, oom_kills} | nil
function M.usage(name)
  local h, dirs = hierarchy(), M.dirs(name)
  if not h or not fs.size(dirs[1]) then return nil end
  local cpu_ms, bytes, cache, pids, oom
  if h.version == 2 then
    cpu_ms = (number(dirs[1] .. "/cpu.stat", "usage_usec (%d+)") or 0) // 1000
    bytes, cache = number(dirs[1] .. "/memory.current"), number(dirs[1] .. "/memory.stat", "\ninactive_file (%d+)")
    pids, oom = number(dirs[1] .. "/pids.current"), number(dirs[1] .. "/memory.events", "oom_kill (%d+)")
  else
    local memory = h.memory .. "/gander/" .. name
    cpu_ms = h.cpuacct and (number(h.cpuacct .. "/gander/" .. name .. "/cpuacct.usage") or 0) // 1000000 or 0
    bytes, cache =
      number(memory .. "/memory.usage_in_bytes"), number(memory .. "/memory.stat", "\ntotal_inactive_file (%d+)")
    pids, oom =
      number(h.pids .. "/gander/" .. name .. "/pids.current"), number(memory .. "/memory.oom_control", "oom_kill (%d+)")
  end
  -- What the kernel can drop at once is not the sandbox's need.
  local used = math.max(0, (bytes or 0) - (cache or 0))
  return { cpu_ms = cpu_ms, memory_mb = used / (1 << 20), processes = pids or 0, oom_kills = oom or 0 }
end

return M
