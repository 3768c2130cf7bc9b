-- What a sandbox may reach: nothing, the Internet, or a list.
--
-- `allow` is slirp4netns on a tap device and a table of nftables inside the sandbox's network, where the sandbox has no
-- rights: private, link-local and this machine's own networks are refused. Host names of an allow list go through a
-- small proxy on 127.0.0.1:3128 inside; CIDRs of a list are opened in the table. Both programs run outside under the
-- project's user id and end with the sandbox (they read a FIFO that its init holds open).
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"
local entry_of = require "lib.egress"
local firewall = require "providers.local.firewall"
local jail = require "providers.local.jail"

local M = {}

M.PROXY = "http://127.0.0.1:3128"

-- Sort the entries of a list into hosts and networks. -> true | nil, message, "invalid"
local function sort(entries, hosts, nets, what)
  if #entries > entry_of.ENTRIES_MAX then
    return nil, "egress." .. what .. " has more than " .. entry_of.ENTRIES_MAX .. " entries", "invalid"
  end
  for _, entry in ipairs(entries) do
    local ok, wanted = entry_of.check(what, tostring(entry))
    if not ok then return nil, "egress." .. what .. ": '" .. tostring(entry) .. "' is not " .. wanted, "invalid" end
    if entry_of.is_cidr(entry) then
      nets[#nets + 1] = entry
    else
      hosts[#hosts + 1] = entry:lower()
    end
  end
  return true
end

-- Read settings.egress. -> {mode="deny"|"allow"|"list", hosts, nets, deny} | nil, message, "invalid"
function M.plan(egress)
  local plan = { mode = egress or "deny", hosts = {}, nets = {}, deny = {} }
  if egress == "auto" then
    plan.mode = "deny"
  elseif type(egress) == "table" then
    plan.mode = egress.allow and "list" or "allow"
    local ok, message, code = sort(egress.allow or {}, plan.hosts, plan.nets, "allow")
    if ok then
      ok, message, code = sort(egress.deny or {}, nil, plan.deny, "deny")
    end
    if not ok then return nil, message, code end
    if plan.mode == "list" and #plan.hosts + #plan.nets == 0 then plan.mode = "deny" end
  elseif plan.mode ~= "deny" and plan.mode ~= "allow" then
    return nil, "egress must be 'allow', 'deny' or {allow=, deny=}, not '" .. tostring(egress) .. "'", "invalid"
  end
  plan.slirp = plan.mode == "allow" or #plan.nets > 0
  plan.proxy = #plan.hosts > 0
  return plan
end

-- As the project's user where it may open /dev/net/tun; else as root, jailed by slirp4netns itself.
local function start_slirp(init, uid, dir, lan)
  local log = dir .. "/slirp.log"
  local text, code
  for _, as_root in ipairs(uid >= 0 and { false, true } or { false }) do
    local argv = {
      "slirp4netns",
      "--configure",
      "--mtu=65520",
      "--enable-seccomp",
      "--ready-fd=4",
      "--exit-fd=5",
      "--netns-type=path",
    }
    if not lan then argv[#argv + 1] = "--disable-host-loopback" end
    argv[#argv + 1] = as_root and "--enable-sandbox" or "--userns-path=/proc/self/fd/8"
    argv[#argv + 1], argv[#argv + 2] = "/proc/self/fd/9", "tap0"
    local p
    p, text, code = process.spawn {
      argv = argv,
      uid = not as_root and uid or nil,
      setsid = true,
      fds = {
        [1] = { append = log },
        [2] = { append = log },
        [4] = { hold = true },
        [5] = { read = dir .. "/life" },
        [8] = { ns = "user", of = init },
        [9] = { ns = "net", of = init },
      },
    }
    if p then
      local said = p:read(4, 10000)
      local ready = said and said ~= ""
      local known = { pid = p:pid(), start_time = p:start_time() }
      p:close()
      if ready then return known end
      text, code =
        "slirp4netns: " .. (fs.read(log, { max = 4096, part = true }) or ""):gsub("%s+$", ""):sub(-400), "unavailable"
    end
  end
  return nil, text, code
end

local function start_proxy(init, box, plan, lan)
  local policy = json.encode {
    hosts = json.array(plan.hosts),
    nets = json.array(plan.nets),
    refused = json.array(firewall.refused(plan, lan)),
    listen_fd = 10,
    life_fd = 11,
  }
  local p, message, code = jail.start {
    dir = box.dir .. "/proxy",
    argv = { box.node, "/opt/egress.mjs", policy },
    uid = box.uid,
    net = "host",
    cgroup = box.cgroup,
    binds = box.node_binds { { from = sys.home .. "/scripts/providers/local/egress.mjs", to = "/opt/egress.mjs" } },
    env = { PATH = "/usr/bin:/bin" },
    resolv = fs.read "/etc/resolv.conf",
    stdout = box.dir .. "/proxy.log",
    reduced = box.reduced,
    fds = { [10] = { listen = 3128, of = init }, [11] = { read = box.dir .. "/life" } },
  }
  if not p then return nil, "egress proxy: " .. message, code end
  local known = { pid = p:pid(), start_time = p:start_time() }
  p:close()
  return known
end

-- Attach what `plan` says to the network of `init`, which still waits. box = {dir, uid, cgroup, node, node_binds, lan}
-- -> {slirp=, proxy=} ({pid, start_time} each) | nil, message, code
function M.attach(init, plan, box)
  local made, ok, message, code = {}, true, nil, nil
  if plan.slirp then
    made.slirp, message, code = start_slirp(init, box.uid, box.dir, box.lan)
    ok = made.slirp
  end
  if plan.slirp and ok then
    ok, message, code = firewall.load(init, box.uid, plan, box.lan)
  end
  if plan.proxy and ok then
    made.proxy, message, code = start_proxy(init, box, plan, box.lan)
    ok = made.proxy
  end
  if not ok then
    M.detach(made)
    return nil, message, code
  end
  return made
end

-- They end by themselves with the sandbox; this makes sure.
function M.detach(made)
  for _, known in pairs { made and made.slirp, made and made.proxy } do
    local p <close> = process.adopt(known.pid, known.start_time)
    if p then
      p:wait(300)
      p:kill "KILL"
    end
  end
end

-- What the sandbox is told. -> env, resolv.conf
function M.inside(plan)
  local env = {}
  if plan.proxy then
    for _, name in ipairs { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy" } do
      env[name] = M.PROXY
    end
    env.NO_PROXY, env.no_proxy, env.NODE_USE_ENV_PROXY = "localhost,127.0.0.1", "localhost,127.0.0.1", "1"
  end
  return env, plan.slirp and "nameserver " .. firewall.DNS .. "\n" or ""
end

return M
