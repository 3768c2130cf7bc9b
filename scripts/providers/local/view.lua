-- What a jail sees: bubblewrap's arguments.
--
-- Everything a jail sees of this machine is read-only and listed here: /usr, a few files of /etc, and the binds of its
-- job. Each tmpfs has a size, for it is memory.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"

local M = {}

M.ARGS_FD, M.STATUS_FD, M.SECCOMP_FD, M.BLOCK_FD, M.LIFE_FD = 3, 4, 5, 6, 7

local MB = 1 << 20

-- Paths that must be the same inside and out, as far as this system has them.
local function system_args(add)
  add("--ro-bind", "/usr", "/usr")
  for _, name in ipairs { "bin", "sbin", "lib", "lib32", "lib64", "libx32" } do
    local target = fs.link_target("/" .. name)
    if target then
      add("--symlink", target, "/" .. name)
    elseif fs.size("/" .. name) then
      add("--ro-bind", "/" .. name, "/" .. name)
    end
  end
  for _, name in ipairs {
    "ssl",
    "ca-certificates",
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
  } do
    add("--ro-bind-try", "/etc/" .. name, "/etc/" .. name)
  end
end

-- The paths of the host as bwrap will see them: as root they are staged, for bwrap runs as a user who cannot look into
-- our directories.
function M.sources(job)
  local stage, paths = {}, {}
  for i, bind in ipairs(job.binds) do
    paths[i] = bind.from
    if job.uid >= 0 then
      paths[i] = "/run/stage/" .. i
      stage[bind.from] = stage[bind.from] or paths[i]
      paths[i] = stage[bind.from]
    end
  end
  return stage, paths
end

function M.arguments(job, paths)
  local args = {}
  local function add(...)
    for _, arg in ipairs { ... } do
      args[#args + 1] = tostring(arg)
    end
  end
  add("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
  if job.net == "own" then add "--unshare-net" end
  add("--uid", 1000, "--gid", 1000, "--hostname", "sandbox", "--new-session", "--cap-drop", "ALL")
  if job.dies then add "--die-with-parent" end
  system_args(add)
  if job.reduced then
    add("--ro-bind", "/proc", "/proc")
  else
    add("--proc", "/proc")
  end
  add("--dev", "/dev", "--size", 64 * MB, "--tmpfs", "/dev/shm", "--remount-ro", "/dev")
  add("--size", 16 * MB, "--tmpfs", "/run", "--size", MB, "--perms", "0755", "--tmpfs", "/opt")
  for i, bind in ipairs(job.binds) do
    add(bind.write and "--bind" or "--ro-bind", paths[i], bind.to)
  end
  add("--remount-ro", "/opt", "--chdir", job.cwd or "/", "--clearenv")
  for name, value in pairs(job.env or {}) do
    add("--setenv", name, value)
  end
  add("--remount-ro", "/", "--lock-file", "/run/.lock", "--json-status-fd", M.STATUS_FD, "--seccomp", M.SECCOMP_FD)
  if job.life then add("--sync-fd", M.LIFE_FD) end
  if job.block then add("--block-fd", M.BLOCK_FD) end
  return args
end

-- The few files of /etc that programs cannot do without.
function M.write_etc(job)
  local etc = job.dir .. "/etc"
  fs.mkdir(etc, { mode = 493 })
  local function put(name, text)
    fs.write_atomic(etc .. "/" .. name, text, { mode = 420, sync = false })
    job.binds[#job.binds + 1] = { from = etc .. "/" .. name, to = "/etc/" .. name }
  end
  put(
    "passwd",
    "root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n"
  )
  put("group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n")
  put("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n")
  put("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
  put("resolv.conf", job.resolv or "")
end

return M
