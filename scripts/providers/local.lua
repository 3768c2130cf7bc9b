-- The provider `local`: sandboxes on this machine by bubblewrap. The contract is scripts/meta/provider.lua.
--
-- A sandbox is a directory (providers/local/disk.lua) and at most one main step that runs. There are no ports on this
-- machine: `endpoint` gives a Process whose network is dialled (`netns=` of gander.http). A project's files are apart
-- from its sandboxes and outlive them.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local cgroup = require "providers.local.cgroup"
local disk = require "providers.local.disk"
local egress = require "providers.local.egress"
local run = require "providers.local.run"
local source = require "providers.local.source"
local tier = require "providers.local.tier"

local M = {}

local DEFAULTS = { slots = 200, memory_mb = 1024, cpus = 2, processes = 256 }
local LIST_PAGE = 200

M.capabilities = {
  sources = { builtin = true, git = true, tarball = true, image = false, snapshot = false },
  snapshot = false, extend = true, public_endpoint = false,
  egress = { allow = true, deny = true, list = true },
  isolation = function()
    local found = tier.probe()
    return { tier = found.tier, statement = found.statement, details = found.details, reasons = found.reasons }
  end,
}

M.probe = tier.probe

-- The sandbox of a call, read from disk. -> box {dir, spec, uid, workspace, cgroup, lan} | nil, message, code
local function open(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then
    return nil, message, code
  end
  local spec = disk.load(dir .. "/spec.json")
  if not spec then
    return nil, "there is no sandbox '" .. ctx.name .. "' here", "not_found"
  end
  if ctx.label and ctx.label.installation ~= spec.label.installation then
    return nil, "sandbox '" .. ctx.name .. "' belongs to another installation", "conflict"
  end
  local dirs = cgroup.dirs(ctx.name)
  return {
    dir = dir, spec = spec, uid = spec.uid, workspace = disk.workspace(spec.project_id), lan = (ctx.config or {}).reach_private,
    cgroup = spec.limited and dirs or nil,
  }
end

local function limits_of(ctx)
  local config, settings = ctx.config or {}, ctx.settings or {}
  return {
    memory_mb = settings.memory_mb or config.memory_mb or DEFAULTS.memory_mb,
    cpus = settings.vcpus or config.cpus or DEFAULTS.cpus, processes = config.processes or DEFAULTS.processes,
  }
end

local function check(ctx)
  local from = ctx.source or { type = "builtin" }
  if M.capabilities.sources[from.type] ~= true then
    local why = from.type == "image" and "there is no container engine behind it" or "it keeps files in the project's workspace instead"
    return nil, "the local provider cannot start a source of type '" .. tostring(from.type) .. "': " .. why, "invalid"
  end
  if from.type ~= "builtin" then
    local ok, message, code = source.check(from)
    if not ok then
      return nil, message, code
    end
  end
  local found = tier.probe()
  if found.tier == "none" or found.tier == "unsafe" then
    return nil, found.statement .. " " .. table.concat(found.reasons, "; "), "unavailable"
  end
  return egress.plan(ctx.settings and ctx.settings.egress)
end

local function make_directories(dir, workspace, uid)
  local own = { mode = 448, uid = uid }
  local wanted = {
    { dir }, { dir .. "/steps" }, { dir .. "/logs" }, { dir .. "/opt", { mode = 493 } }, { dir .. "/home", own },
    { dir .. "/tmp", own }, { dir .. "/source", own }, { workspace }, { workspace .. "/files", own }, { workspace .. "/cache", own },
  }
  for _, entry in ipairs(wanted) do
    local ok, message, code = fs.mkdir(entry[1], entry[2])
    if not ok then
      return nil, message, code
    end
  end
  return true
end

local function make(ctx, dir)
  local plan, message, code = check(ctx)
  if not plan then
    return nil, message, code
  end
  local taken = #(fs.list(disk.root .. "/sandboxes") or {})
  local slots = (ctx.config or {}).slots or DEFAULTS.slots
  if taken >= slots then
    return nil, "all " .. slots .. " slots of the local provider are taken", "busy"
  end
  local workspace
  workspace, message, code = disk.workspace(ctx.project_id)
  if not workspace then
    return nil, message, code
  end
  local uid
  uid, message, code = disk.uid(ctx.project_id)
  if not uid then
    return nil, message, code
  end
  local ok
  ok, message, code = make_directories(dir, workspace, uid)
  if not ok then
    return nil, message, code
  end
  local from = ctx.source or { type = "builtin" }
  local spec = {
    name = ctx.name, instance_id = sys.uuid(), project_id = ctx.project_id, label = ctx.label, created_at = sys.now(), uid = uid,
    limits = limits_of(ctx), egress = ctx.settings and ctx.settings.egress or "deny", limited = tier.probe().cgroup,
    source = { type = from.type, url = from.url, directory = from.directory, install = from.install, start = from.start },
  }
  ok, message, code = disk.save(dir .. "/spec.json", spec)
  return ok and spec, message, code
end

-- Make the sandbox, or find it. -> {id, state="created"|"pending", limits, isolation} | nil, message, code
function M.create(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then
    return nil, message, code
  end
  local spec = disk.load(dir .. "/spec.json")
  if not spec then
    spec, message, code = make(ctx, dir)
    if not spec then
      return nil, message, code
    end
  end
  local box
  box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  if spec.limited then
    local group
    group, message = cgroup.make(ctx.name, spec.limits)
    if not group then
      return nil, "the sandbox's limits cannot be set: " .. message, "unavailable"
    end
  end
  local state = "created"
  if spec.source.type ~= "builtin" then
    local fetched
    fetched, message, code = source.fetch(box, ctx.source)
    if fetched == nil then
      return nil, message, code
    end
    state = fetched and "created" or "pending"
  end
  return { id = spec.instance_id, state = state, limits = spec.limits, isolation = M.capabilities.isolation() }
end

-- Where a path inside is kept here. -> root, path within | nil, message, "invalid"
local function placed(box, path)
  for inside, root in pairs {
    ["/opt/gander/"] = box.dir .. "/opt", ["/workspace/"] = box.workspace .. "/files", ["/home/agent/"] = box.dir .. "/home",
  } do
    if path:sub(1, #inside) == inside then
      return root, path:sub(#inside + 1)
    end
  end
  return nil, "'" .. path .. "' is not below /opt/gander, /workspace or /home/agent", "invalid"
end

-- Put files {path, mode, text} into the sandbox. -> true | nil, message, code
function M.put(ctx, files)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  for _, file in ipairs(files) do
    local root, path, kind = placed(box, file.path)
    if not root then
      return nil, path, kind
    end
    local owner = root ~= box.dir .. "/opt" and box.uid or -1
    local ok
    ok, message, code = fs.write_beneath(root, path, file.text, { mode = file.mode or 420, uid = owner })
    if not ok then
      return nil, message, code
    end
  end
  return true
end

local function defaults(box, order)
  local step = { step = order.step, argv = order.argv, env = order.env, cwd = order.cwd }
  local own = box.spec.source.type ~= "builtin"
  local install = order.step == "install"
  if own then
    step.cwd = step.cwd or source.cwd(box)
    local message, code
    if install then
      step.argv = step.argv or source.install_argv(box) or { "/usr/bin/true" }
      step.env = source.INSTALL_ENV
    elseif not step.argv then
      step.argv, message, code = source.start_argv(box)
    end
    if not step.argv then
      return nil, message, code
    end
  else
    step.argv = step.argv or { run.node_inside(), "/opt/gander/goose-api.mjs" }
    step.cwd = step.cwd or "/workspace"
  end
  return step
end

-- Start a step {step, argv, env, cwd}, once: "install", "start", "start-2"… A new start ends the one before.
-- -> {command_id} | nil, message, code
function M.start(ctx, order)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  local install = order.step == "install"
  local step
  step, message, code = defaults(box, order)
  if not step then
    return nil, message, code
  end
  local plan
  plan, message, code = egress.plan(install and "allow" or box.spec.egress)
  if not plan then
    return nil, message, code
  end
  local main = box.spec.main
  if not install and main ~= order.step then
    if main then
      run.stop(box.dir .. "/steps/" .. main, 2000)
    end
    box.spec.main = order.step
    local ok
    ok, message, code = disk.save(box.dir .. "/spec.json", box.spec)
    if not ok then
      return nil, message, code
    end
  end
  return run.start(box, step, plan)
end

local function main_dir(box)
  return box.spec.main and box.dir .. "/steps/" .. box.spec.main
end

-- -> {state="created"|"running"|"stopped", phase, exit, reason, command_id} | nil, message, code
-- Of a step by name, or of the main one.
function M.status(ctx, step)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  step = step or box.spec.main
  local dir
  if step then
    dir, message, code = disk.step(box.dir, step)
    if not dir then
      return nil, message, code
    end
  end
  local seen = dir and run.status(dir)
  if not seen then
    return { state = "created" }
  end
  local reason = seen.reason
  if seen.exit and seen.exit ~= 0 then
    local used = box.spec.limited and cgroup.usage(ctx.name)
    if used and used.oom_kills > 0 then
      reason = "it went over its memory limit of " .. math.floor(box.spec.limits.memory_mb) .. " MB"
    end
  end
  return {
    state = seen.state == "running" and "running" or "stopped", phase = step, exit = seen.exit, reason = reason, command_id = seen.command_id,
  }
end

-- How to reach a port: pass `url` and `netns` to gander.http; the caller closes `netns`.
-- -> {url, netns} | nil, message, code
function M.endpoint(ctx, port)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  local init = main_dir(box) and run.init(main_dir(box))
  if not init then
    return nil, "the sandbox does not run", "unavailable"
  end
  return { url = "http://127.0.0.1:" .. math.tointeger(port), netns = init }
end

-- Run a command beside the agent's server. -> {code, out, err, cut} | nil, message, code
function M.exec(ctx, order)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  elseif not box.spec.main then
    return nil, "the sandbox does not run", "unavailable"
  end
  order = { argv = order.argv, env = order.env, cwd = order.cwd or "/workspace", timeout_ms = order.timeout_ms, max = order.max, stdin = order.stdin }
  return run.exec(box, main_dir(box), order)
end

local LOGS = {
  { key = "setup.out", source = "setup", stream = "stdout" }, { key = "setup.err", source = "setup", stream = "stderr" },
  { key = "main.out", source = "goose-api", stream = "stdout" }, { key = "main.err", source = "goose-api", stream = "stderr" },
}

-- The log files, as sources of `follow`. cursor = {[key] = offset already stored}
-- -> {{key, source, stream, follow={file, offset}}, …} | nil, message, code
function M.logs(ctx, cursor)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  local all = json.array {}
  for i, log in ipairs(LOGS) do
    local file = box.dir .. "/logs/" .. log.key
    if not fs.size(file) then
      fs.claim(file, "")
    end
    all[i] = {
      key = log.key, source = log.source, stream = log.stream, follow = { file = file, offset = (cursor or {})[log.key] or 0 },
    }
  end
  return all
end

-- What was stored of a log is given back to the disk; offsets stay. -> true | nil, message, code
function M.logs_stored(ctx, key, offset)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  for _, log in ipairs(LOGS) do
    if log.key == key then
      return fs.punch(box.dir .. "/logs/" .. key, offset)
    end
  end
  return nil, "there is no log '" .. tostring(key) .. "'", "invalid"
end

-- Counters of the network device, as the sandbox's own init sees it.
local function traffic(box)
  local init <close> = main_dir(box) and run.init(main_dir(box))
  local text = init and fs.read("/proc/" .. init:pid() .. "/net/dev") or ""
  local received, sent = text:match "tap0:%s*(%d+)%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+%d+%s+(%d+)"
  return math.tointeger(received or 0), math.tointeger(sent or 0)
end

-- -> {cpu_ms, memory_mb, memory_mb_ms, disk_mb, in_bytes, out_bytes, processes, created} | nil, message, code
-- memory_mb_ms is summed up from call to call.
function M.usage(ctx)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  local file, now = box.dir .. "/usage.json", sys.now()
  local before = disk.load(file) or { at = now, memory_mb_ms = 0, cpu_ms = 0 }
  local seen = box.spec.limited and cgroup.usage(ctx.name) or nil
  local used = {
    at = now, cpu_ms = seen and seen.cpu_ms or before.cpu_ms, memory_mb = seen and seen.memory_mb or 0,
    processes = seen and seen.processes or 0, created = box.spec.created_at,
  }
  used.memory_mb_ms = before.memory_mb_ms + math.floor(used.memory_mb * math.max(0, now - before.at))
  used.in_bytes, used.out_bytes = traffic(box)
  used.in_bytes = math.max(used.in_bytes, before.in_bytes or 0)
  used.out_bytes = math.max(used.out_bytes, before.out_bytes or 0)
  if before.disk_mb and now - before.disk_at < 30000 then
    used.disk_mb, used.disk_at = before.disk_mb, before.disk_at
  else
    used.disk_mb = ((fs.usage(box.workspace .. "/files") or 0) + (fs.usage(box.dir) or 0)) / (1 << 20)
    used.disk_at = now
  end
  disk.save(file, used)
  return used
end

-- There is no deadline to move here. -> true
function M.extend()
  return true
end

local function halt(box, name, grace_ms)
  if main_dir(box) then
    run.stop(main_dir(box), grace_ms)
  end
  for _, entry in ipairs(fs.list(box.dir .. "/steps") or {}) do
    run.kill(box.dir .. "/steps/" .. entry.name)
  end
  return cgroup.remove(name)
end

-- -> {} | nil, message, code
function M.stop(ctx, options)
  local box, message, code = open(ctx)
  if not box then
    return nil, message, code
  end
  M.usage(ctx)
  local ok
  ok, message, code = halt(box, ctx.name, options and options.grace_ms or 5000)
  return ok and {}, message, code
end

-- Remove the sandbox, its home and its logs; the project's files stay. -> true | nil, message, code
function M.destroy(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then
    return nil, message, code
  end
  local box
  box, message, code = open(ctx)
  if box then
    local ok
    ok, message, code = halt(box, ctx.name, 0)
    if not ok then
      return nil, message, code
    end
  elseif code ~= "not_found" then
    return nil, message, code
  end
  return fs.remove(dir)
end

-- The project's files and caches go. -> true | nil, message, code
function M.remove_workspace(project)
  return disk.remove_workspace(project._id)
end

-- All sandboxes here, a page at a time, in order of their names. `label` = {installation=} narrows.
-- -> {{name, id, state, label, project_id, created_at}, …}, next | nil, message, code
function M.list(label, after)
  local entries, names = fs.list(disk.root .. "/sandboxes") or {}, {}
  for _, entry in ipairs(entries) do
    if entry.kind == "directory" and entry.name > (after or "") then
      names[#names + 1] = entry.name
    end
  end
  table.sort(names)
  local items = json.array {}
  for i, name in ipairs(names) do
    if i > LIST_PAGE then
      return items, names[LIST_PAGE]
    end
    local spec = disk.load(disk.root .. "/sandboxes/" .. name .. "/spec.json")
    if spec and (not label or not label.installation or label.installation == spec.label.installation) then
      local seen = M.status { name = name }
      items[#items + 1] = {
        name = name, id = spec.instance_id, state = seen and seen.state, label = spec.label, project_id = spec.project_id,
        created_at = spec.created_at,
      }
    end
  end
  return items
end

local function no_snapshots()
  return nil, "the local provider takes no snapshots: a project's files stay in its workspace", "invalid"
end

M.snapshot, M.resume, M.fork = no_snapshots, no_snapshots, no_snapshots

return M
