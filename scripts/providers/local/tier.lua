-- What isolation this machine gives, found by starting a canary; and the words for it.
--
-- The answer holds for one run of the host on one boot and is kept in <data>/local/tier.json, since each VM would
-- else start a canary of its own.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local sys = require "gander.sys"
local cgroup = require "providers.local.cgroup"
local disk = require "providers.local.disk"
local jail = require "providers.local.jail"

local M = {}

M.STATEMENTS = {
  ["isolated+limits"] = "Namespaces and seccomp; memory, CPU and process limits are enforced. Shares the host's kernel: not a virtual machine.",
  ["isolated"] = "LIMITS INCOMPLETE: namespaces and seccomp, but no total memory or CPU limit; one project can exhaust this machine.",
  ["reduced"] = "REDUCED: projects can read the names of the host's processes, and there are no total limits.",
  ["unsafe"] = "NO ISOLATION: project code runs as you and can read your files and keys.",
  ["none"] = "No sandbox is possible on this machine: projects are not started. See the reasons, or --unsafe-no-isolation.",
}

local function canary(name, options)
  local uid = disk.is_root() and 200000 or -1
  local dir = disk.root .. "/canary-" .. name
  fs.remove(dir)
  local r, message = jail.start {
    dir = dir,
    argv = { "/usr/bin/true" },
    binds = {},
    uid = uid,
    net = "own",
    reduced = options.reduced,
    cgroup = options.cgroup,
    run = { timeout_ms = 10000, max = 4096 },
  }
  fs.remove(dir)
  if r and r.code == 0 then return true end
  return false, message or (r.err:gsub("%s+$", ""))
end

local function probe()
  local reasons = json.array {}
  local name = "canary-" .. sys.uuid()
  local group, why = cgroup.make(name, { memory_mb = 256, cpus = 1, processes = 64 })
  if not group then reasons[1] = "limits: " .. why end
  local full, fault = canary(name, { cgroup = group })
  cgroup.remove(name)
  if full then return { tier = group and "isolated+limits" or "isolated", cgroup = group ~= nil, reasons = reasons } end
  reasons[#reasons + 1] = "bubblewrap: " .. fault
  if canary(name, { reduced = true }) then return { tier = "reduced", cgroup = false, reasons = reasons } end
  return { tier = sys.config.unsafe_no_isolation and "unsafe" or "none", cgroup = false, reasons = reasons }
end

local known

-- -> {tier, statement, cgroup, uid="project"|"shared", details, reasons}
function M.probe()
  local file, stamp = disk.root .. "/tier.json", disk.boot_id() .. "/" .. tostring(sys.version.started_at)
  if known and known.stamp == stamp then return known end
  known = disk.load(file)
  if not known or known.stamp ~= stamp then
    fs.mkdir(disk.root)
    known = probe()
    known.stamp = stamp
    known.statement = M.STATEMENTS[known.tier]
    known.uid = disk.is_root() and "project" or "shared"
    known.details = known.uid == "project" and "Each project has a user id of its own."
      or "All projects run under the host's user id."
    disk.note(file, known)
  end
  return known
end

return M
