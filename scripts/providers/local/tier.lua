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
  ["reduced+limits"] = "REDUCED: projects can read the names of the host's processes. Memory, CPU and process limits are enforced.",
  ["reduced"] = "REDUCED: projects can read the names of the host's processes, and there are no total limits.",
  ["unsafe"] = "NO ISOLATION: project code runs as you and can read your files and keys.",
  ["none"] = "No sandbox is possible on this machine: projects are not started. See the reasons, or --unsafe-no-isolation.",
}

-- What the statement promises, looked at from inside; each line names what is missing.
local PROMISES = [=[
says() { grep -q "^$1:[[:space:]]*$2\$" /proc/self/status || { echo "$1 is not $2" >&2; exit 1; }; }
says CapEff 0000000000000000
says CapBnd 0000000000000000
says NoNewPrivs 1
says Seccomp 2
test "$(grep -c : /proc/net/dev)" = 1 || { echo "the network is not its own" >&2; exit 1; }
test -n "$1" || test "$(ls -d /proc/[0-9]* | wc -l)" -lt 10 || { echo "other processes are seen" >&2; exit 1; }
]=]

local function canary(name, options)
  local uid = disk.base_uid() or -1
  local dir = disk.root .. "/canary-" .. name
  fs.remove(dir)
  local r, message = jail.start {
    dir = dir,
    argv = { "/bin/sh", "-c", PROMISES, "sh", options.reduced and "reduced" or "" },
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
  local tier = "isolated"
  local well, fault = canary(name, { cgroup = group })
  if not well then
    reasons[#reasons + 1] = "bubblewrap: " .. fault
    tier, well = "reduced", canary(name, { cgroup = group, reduced = true })
  end
  cgroup.remove(name)
  if well then return { tier = tier .. (group and "+limits" or ""), cgroup = group ~= nil, reasons = reasons } end
  return { tier = sys.config.unsafe_no_isolation and "unsafe" or "none", cgroup = false, reasons = reasons }
end

local known

-- -> {tier, statement, cgroup, reduced, unsafe, uid="project"|"shared", details, reasons}
function M.probe()
  local file, stamp = disk.root .. "/tier.json", disk.boot_id() .. "/" .. tostring(sys.version.started_at)
  if known and known.stamp == stamp then return known end
  known = disk.load(file)
  if not known or known.stamp ~= stamp then
    fs.mkdir(disk.root)
    known = probe()
    known.stamp = stamp
    known.statement = M.STATEMENTS[known.tier]
    known.reduced, known.unsafe = known.tier:find "^reduced" ~= nil, known.tier == "unsafe"
    known.uid = disk.base_uid() and "project" or "shared"
    known.details = known.uid == "project" and "Each project has a user id of its own."
      or "All projects run under the host's user id."
    disk.note(file, known)
  end
  return known
end

return M
