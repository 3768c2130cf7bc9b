-- A sandbox on disk: made with its directories and limits, opened again by name, and the files put into it.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local cgroup = require "providers.local.cgroup"
local disk = require "providers.local.disk"
local egress = require "providers.local.egress"
local source = require "providers.local.source"
local tier = require "providers.local.tier"

local M = {}

local DEFAULTS = { slots = 200, memory_mb = 1024, cpus = 2, processes = 256 }

M.SOURCES = { builtin = true, git = true, tarball = true, image = false, snapshot = false }

-- The sandbox of a call, read from disk. -> box {dir, spec, uid, workspace, cgroup, lan} | nil, message, code
function M.open(ctx)
  local dir, message, code = disk.sandbox(ctx.name)
  if not dir then return nil, message, code end
  local spec = disk.load(dir .. "/spec.json")
  if not spec then return nil, "there is no sandbox '" .. ctx.name .. "' here", "not_found" end
  if ctx.label and ctx.label.installation ~= spec.label.installation then
    return nil, "sandbox '" .. ctx.name .. "' belongs to another installation", "conflict"
  end
  local dirs = cgroup.dirs(ctx.name)
  return {
    dir = dir,
    spec = spec,
    uid = spec.uid,
    workspace = disk.workspace(spec.project_id),
    lan = (ctx.config or {}).reach_private,
    cgroup = spec.limited and dirs or nil,
    main = spec.main and dir .. "/steps/" .. spec.main,
  }
end

local function limits_of(ctx)
  local config, settings = ctx.config or {}, ctx.settings or {}
  return {
    memory_mb = settings.memory_mb or config.memory_mb or DEFAULTS.memory_mb,
    cpus = math.min(settings.vcpus or config.cpus or DEFAULTS.cpus, config.cpus or math.huge),
    processes = config.processes or DEFAULTS.processes,
  }
end

local function check(ctx)
  local from = ctx.source or { type = "builtin" }
  if M.SOURCES[from.type] ~= true then
    local why = from.type == "image" and "there is no container engine behind it"
      or "it keeps files in the project's workspace instead"
    return nil, "the local provider cannot start a source of type '" .. tostring(from.type) .. "': " .. why, "invalid"
  end
  if from.type ~= "builtin" then
    local ok, message, code = source.check(from)
    if not ok then return nil, message, code end
  end
  local found = tier.probe()
  if found.tier == "none" then
    return nil, found.statement .. " " .. table.concat(found.reasons, "; "), "unavailable"
  end
  return egress.plan(ctx.settings and ctx.settings.egress)
end

local function make_directories(dir, workspace, uid)
  local own = { mode = 448, uid = uid }
  local wanted = {
    { dir },
    { dir .. "/steps" },
    { dir .. "/logs" },
    { dir .. "/opt", { mode = 493 } },
    { dir .. "/home", own },
    { dir .. "/tmp", own },
    { dir .. "/source", own },
    { workspace },
    { workspace .. "/files", own },
    { workspace .. "/cache", own },
  }
  for _, entry in ipairs(wanted) do
    local ok, message, code = fs.mkdir(entry[1], entry[2])
    if not ok then return nil, message, code end
  end
  return true
end

-- Make the sandbox of a call in `dir`. -> spec | nil, message, code
function M.make(ctx, dir)
  local plan, message, code = check(ctx)
  if not plan then return nil, message, code end
  local taken = #(fs.list(disk.root .. "/sandboxes") or {})
  local slots = (ctx.config or {}).slots or DEFAULTS.slots
  if taken >= slots then return nil, "all " .. slots .. " slots of the local provider are taken", "busy" end
  local workspace
  workspace, message, code = disk.workspace(ctx.project_id)
  if not workspace then return nil, message, code end
  local uid
  uid, message, code = disk.uid(ctx.project_id)
  if not uid then return nil, message, code end
  uid = tier.probe().unsafe and -1 or uid
  local ok
  ok, message, code = make_directories(dir, workspace, uid)
  if not ok then return nil, message, code end
  local from = ctx.source or { type = "builtin" }
  local spec = {
    name = ctx.name,
    instance_id = sys.uuid(),
    project_id = ctx.project_id,
    label = ctx.label,
    created_at = sys.now(),
    uid = uid,
    limits = limits_of(ctx),
    egress = ctx.settings and ctx.settings.egress or "deny",
    limited = tier.probe().cgroup,
    source = {
      type = from.type,
      url = from.url,
      directory = from.directory,
      install = from.install,
      start = from.start,
    },
  }
  ok, message, code = disk.save(dir .. "/spec.json", spec)
  return ok and spec, message, code
end

-- Where a path inside is kept here. -> root, path within | nil, message, "invalid"
local function placed(box, path)
  for inside, root in pairs {
    ["/opt/gander/"] = box.dir .. "/opt",
    ["/workspace/"] = box.workspace .. "/files",
    ["/home/agent/"] = box.dir .. "/home",
  } do
    if path:sub(1, #inside) == inside then return root, path:sub(#inside + 1) end
  end
  return nil, "'" .. path .. "' is not below /opt/gander, /workspace or /home/agent", "invalid"
end

-- Put files {path, mode, text} into the sandbox. -> true | nil, message, code
function M.put(ctx, files)
  local box, message, code = M.open(ctx)
  if not box then return nil, message, code end
  for _, file in ipairs(files) do
    local root, path, kind = placed(box, file.path)
    if not root then return nil, path, kind end
    local owner = root ~= box.dir .. "/opt" and box.uid or -1
    local ok
    ok, message, code = fs.write_beneath(root, path, file.text, { mode = file.mode or 420, uid = owner })
    if not ok then return nil, message, code end
  end
  return true
end

-- Its control group, made again where a stop or a restart of the machine took it. -> true | nil, message, code
function M.limit(box)
  if not box.spec.limited then return true end
  local group, message = cgroup.make(box.spec.name, box.spec.limits)
  if not group then return nil, "the sandbox's limits cannot be set: " .. message, "unavailable" end
  return true
end

return M
