-- What a step of a sandbox is started with: its binds, its environment, its logs.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local sys = require "gander.sys"
local disk = require "providers.local.disk"
local egress = require "providers.local.egress"
local tier = require "providers.local.tier"

local M = {}

-- A node in a directory of its own, and goose, are bound; what lies below /usr is there anyway.
function M.node_binds(binds)
  local node = disk.node()
  if node and not node:find "^/usr/" then
    binds[#binds + 1] = { from = node:match "^(.*)/bin/[^/]+$", to = "/opt/node" }
  end
  return binds
end

function M.node_inside()
  local node = disk.node() or "node"
  return node:find "^/usr/" and node or "/opt/node/bin/node"
end

local BASE_ENV = {
  HOME = "/home/agent",
  USER = "agent",
  LANG = "C.UTF-8",
  TERM = "dumb",
  TMPDIR = "/tmp",
  SHELL = "/bin/bash",
  PATH = "/opt/node/bin:/opt/goose:/usr/local/bin:/usr/bin:/bin",
}

local function merge(...)
  local all = {}
  for _, env in ipairs { ... } do
    for name, value in pairs(env) do
      all[name] = value
    end
  end
  return all
end

-- What a sandbox's step sees. `install` and `fetch` get neither workspace nor the model's socket.
local function binds_of(box, step)
  local binds = M.node_binds {
    { from = box.dir .. "/home", to = "/home/agent", write = true },
    { from = box.dir .. "/tmp", to = "/tmp", write = true },
    { from = box.dir .. "/opt", to = "/opt/gander" },
  }
  local function add(from, to, write)
    binds[#binds + 1] = { from = from, to = to, write = write }
  end
  if fs.size(box.dir .. "/source") then add(box.dir .. "/source", "/opt/source", true) end
  if step == "install" or step == "fetch" then
    add(box.workspace .. "/cache", "/home/agent/.cache", true)
    return binds
  end
  add(box.workspace .. "/files", "/workspace", true)
  local goose = disk.goose()
  if goose then add(goose, "/opt/goose/goose") end
  -- The directory, not the socket in it: a host that starts again makes a new socket there.
  local gateway = sys.data .. "/gateway"
  if fs.size(gateway) then add(gateway, "/run/gander") end
  return binds
end

-- The job (providers/local/jail.lua) of an order {argv, env, cwd} in a sandbox.
function M.of(box, order, step, plan)
  local extra, resolv = egress.inside(plan)
  local binds = binds_of(box, step)
  local setup = step == "install" or step == "fetch"
  local goose = disk.goose() and { GOOSE_BIN = "/opt/goose/goose" } or {}
  local log = box.dir .. "/logs/" .. (setup and "setup" or "main")
  local kind = tier.probe()
  local port = box.port and { PORT = tostring(box.port), GOOSE_API_PORT = tostring(box.port) } or {}
  return {
    dir = box.dir .. "/steps/" .. step,
    argv = order.argv,
    binds = binds,
    uid = box.uid,
    net = "own",
    cgroup = box.cgroup,
    processes = not box.cgroup and box.spec.limits.processes or nil,
    reduced = kind.reduced,
    unsafe = kind.unsafe,
    cwd = order.cwd,
    env = merge(BASE_ENV, setup and {} or goose, extra, order.env or {}, port),
    resolv = resolv,
    stdout = log .. ".out",
    stderr = log .. ".err",
    block = plan.slirp or plan.proxy,
  }
end

return M
