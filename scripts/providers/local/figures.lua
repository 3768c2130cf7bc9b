-- What a sandbox says and uses: its log files, and figures.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local boxes = require "providers.local.box"
local cgroup = require "providers.local.cgroup"
local disk = require "providers.local.disk"
local run = require "providers.local.run"

local M = {}

local LOGS = {
  { key = "setup.out", source = "setup", stream = "stdout" },
  { key = "setup.err", source = "setup", stream = "stderr" },
  { key = "main.out", source = "goose-api", stream = "stdout" },
  { key = "main.err", source = "goose-api", stream = "stderr" },
}

-- The log files, as sources of `follow`. cursor = {[key] = offset already stored}
-- -> {{key, source, stream, follow={file, offset}}, …} | nil, message, code
function M.logs(ctx, cursor)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  local all = json.array {}
  for i, log in ipairs(LOGS) do
    local file = box.dir .. "/logs/" .. log.key
    if not fs.size(file) then fs.claim(file, "") end
    all[i] = {
      key = log.key,
      source = log.source,
      stream = log.stream,
      follow = { file = file, offset = (cursor or {})[log.key] or 0 },
    }
  end
  return all
end

-- What was stored of a log is given back to the disk; offsets stay. -> true | nil, message, code
function M.logs_stored(ctx, key, offset)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  for _, log in ipairs(LOGS) do
    if log.key == key then return fs.punch(box.dir .. "/logs/" .. key, offset) end
  end
  return nil, "there is no log '" .. tostring(key) .. "'", "invalid"
end

local TICK_MS, PAGE_KB = 10, 4 -- of /proc/<pid>/stat and statm

-- Where no control group counts: the processes of the sandbox, summed up. What has ended is counted with its parent.
-- -> {cpu_ms, memory_mb, processes}
local function sum(init)
  local space = fs.link_target("/proc/" .. init:pid() .. "/ns/pid")
  local cpu, kb, count = 0, 0, 0
  for _, entry in ipairs(fs.list "/proc" or {}) do
    local at = "/proc/" .. entry.name
    if space and entry.name:find "^%d+$" and fs.link_target(at .. "/ns/pid") == space then
      local after_name = (fs.read(at .. "/stat") or ""):match "^.*%)(.*)$" or ""
      local field = 2
      for value in after_name:gmatch "%S+" do
        field = field + 1
        if field >= 14 and field <= 17 then cpu = cpu + tonumber(value) end
      end
      local resident, shared = (fs.read(at .. "/statm") or ""):match "^%d+ (%d+) (%d+)"
      kb = kb + (tonumber(resident or 0) - tonumber(shared or 0)) * PAGE_KB
      count = count + 1
    end
  end
  return { cpu_ms = cpu * TICK_MS, memory_mb = kb / 1024, processes = count }
end

-- Counters of the network device, as the sandbox's own init sees it.
local function traffic(init)
  local text = init and fs.read("/proc/" .. init:pid() .. "/net/dev") or ""
  local received, sent = text:match "tap0:%s*(%d+)%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+(%d+)"
  return tonumber(received or 0), tonumber(sent or 0)
end

-- -> {cpu_ms, memory_mb, memory_mb_ms, disk_mb, in_bytes, out_bytes, processes, created} | nil, message, code
-- memory_mb_ms is summed up from call to call.
function M.usage(ctx)
  local box, message, code = boxes.open(ctx)
  if not box then return nil, message, code end
  local file, now = box.dir .. "/usage.json", sys.now()
  local before = disk.load(file) or { at = now, memory_mb_ms = 0, cpu_ms = 0 }
  local init <close> = box.main and run.init(box.main)
  local seen
  if box.spec.limited then
    seen = cgroup.usage(ctx.name)
  elseif init then
    seen = sum(init)
  end
  local used = {
    at = now,
    cpu_ms = seen and seen.cpu_ms or before.cpu_ms,
    memory_mb = seen and seen.memory_mb or 0,
    processes = seen and seen.processes or 0,
    created = box.spec.created_at,
  }
  used.memory_mb_ms = before.memory_mb_ms + math.floor(used.memory_mb * math.max(0, now - before.at))
  used.in_bytes, used.out_bytes = traffic(init)
  used.in_bytes = math.max(used.in_bytes, before.in_bytes or 0)
  used.out_bytes = math.max(used.out_bytes, before.out_bytes or 0)
  if before.disk_mb and now - before.disk_at < 30000 then
    used.disk_mb, used.disk_at = before.disk_mb, before.disk_at
  else
    used.disk_mb = ((fs.usage(box.workspace .. "/files") or 0) + (fs.usage(box.dir) or 0)) / (1 << 20)
    used.disk_at = now
  end
  disk.note(file, used)
  return used
end

return M
