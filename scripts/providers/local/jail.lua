-- One bubblewrap run: what it sees, how it is started, whether it runs.
--
-- A jail has a directory (`dir`) with lock, status and args of its run. bwrap's init holds a POSIX lock on `lock` and
-- writes its pid, its namespaces and the exit code to `status`: all that is needed to find it again after the host was
-- killed. It leads a session of its own and is not tied to the host's life, unless `dies` is set.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"

local M = {}

M.STATUS_FD, M.SECCOMP_FD, M.BLOCK_FD, M.LIFE_FD, M.ARGS_FD = 4, 5, 6, 7, 3
local USER_FD, NET_FD = 8, 9

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
  for _, name in ipairs { "ssl", "ca-certificates", "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types" } do
    add("--ro-bind-try", "/etc/" .. name, "/etc/" .. name)
  end
end

-- The paths of the host as bwrap will see them: as root they are staged, for bwrap runs as a user who cannot look into
-- our directories.
local function sources(job)
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

local function arguments(job, paths)
  local args = {}
  local function add(...)
    for _, arg in ipairs { ... } do
      args[#args + 1] = tostring(arg)
    end
  end
  add("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
  if job.net == "own" then
    add "--unshare-net"
  end
  add("--uid", 1000, "--gid", 1000, "--hostname", "sandbox", "--new-session", "--cap-drop", "ALL")
  if job.dies then
    add "--die-with-parent"
  end
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
  if job.life then
    add("--sync-fd", M.LIFE_FD)
  end
  if job.block then
    add("--block-fd", M.BLOCK_FD)
  end
  return args
end

-- The few files of /etc that programs cannot do without.
local function write_etc(job)
  local etc = job.dir .. "/etc"
  fs.mkdir(etc, { mode = 493 })
  local function put(name, text)
    fs.write_atomic(etc .. "/" .. name, text, { mode = 420 })
    job.binds[#job.binds + 1] = { from = etc .. "/" .. name, to = "/etc/" .. name }
  end
  put("passwd", "root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n")
  put("group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n")
  put("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n")
  put("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
  put("resolv.conf", job.resolv or "")
end

-- Start. job = {dir, argv, env, cwd, binds={{from,to,write}}, uid, net="own"|"host"|Process, cgroup, processes (when
-- nothing else limits them), stdout, stderr (files) or run={timeout_ms,max}, block, life, dies, resolv, reduced, fds (10 up:
-- passed on to argv)}
-- -> Process (of bwrap, not of its init), or the result of process.run | nil, message, code
function M.start(job)
  local made, message, code = fs.mkdir(job.dir)
  if not made then
    return nil, message, code
  end
  local binds = job.binds
  job.binds = table.move(binds, 1, #binds, 1, {})
  write_etc(job)
  local lock, status = job.dir .. "/lock", job.dir .. "/status"
  fs.write_atomic(lock, "", { mode = 420 })
  job.binds[#job.binds + 1] = { from = lock, to = "/run/.lock" }
  local stage, paths = sources(job)
  local argv = { "bwrap", "--args", tostring(M.ARGS_FD), "--", "prlimit", "--core=0", "--nofile=16384" }
  if job.processes then
    argv[#argv + 1] = "--nproc=" .. job.processes
  end
  argv[#argv + 1] = "--"
  table.move(job.argv, 1, #job.argv, #argv + 1, argv)
  fs.remove(status)
  local fds = {
    [M.ARGS_FD] = { data = table.concat(arguments(job, paths), "\0") .. "\0" },
    [M.STATUS_FD] = { append = status }, [M.SECCOMP_FD] = { seccomp = true },
  }
  if type(job.net) ~= "string" then
    local enter = { "nsenter", "--user=/proc/self/fd/" .. USER_FD, "--net=/proc/self/fd/" .. NET_FD, "--preserve-credentials" }
    argv = table.move(argv, 1, #argv, #enter + 1, enter)
    fds[USER_FD], fds[NET_FD] = { ns = "user", of = job.net }, { ns = "net", of = job.net }
  end
  if job.block then
    fds[M.BLOCK_FD] = { hold = true }
  end
  if job.life then
    fds[M.LIFE_FD] = { open = job.life }
  end
  for number, fd in pairs(job.fds or {}) do
    fds[number] = fd
  end
  local spec = { argv = argv, fds = fds, uid = job.uid, stage = stage, cgroup = job.cgroup, setsid = true }
  if job.run then
    spec.timeout_ms, spec.max = job.run.timeout_ms, job.run.max
    fds[0] = job.run.stdin and { data = job.run.stdin } or nil
    return process.run(spec)
  end
  fds[1], fds[2] = { append = job.stdout }, { append = job.stderr or job.stdout }
  return process.spawn(spec)
end

-- What bwrap wrote. -> {["child-pid"]=, ["pid-namespace"]=, ["exit-code"]=}
function M.status(dir)
  local all = {}
  for line in (fs.read(dir .. "/status") or ""):gmatch "[^\n]+" do
    for key, value in pairs(json.decode(line) or {}) do
      all[key] = value
    end
  end
  return all
end

-- The init of a jail that runs. A payload may take a read lock of its own, so that the lock proves that something runs,
-- and bwrap's word which process it is; its pid namespace proves that the number was not given to another since.
-- -> Process | nil (nothing runs), status
function M.init(dir)
  local status = M.status(dir)
  local pid = status["child-pid"]
  if not pid then
    return nil, status
  end
  local p = process.adopt(pid, 0)
  if not p then
    return nil, status
  end
  local space = fs.link_target("/proc/" .. pid .. "/ns/pid")
  if space ~= "pid:[" .. math.tointeger(status["pid-namespace"] or 0) .. "]" then
    p:close()
    return nil, status
  end
  return p, status
end

-- Whether init has set up everything and given up its rights: only then may others attach to its network.
function M.ready(pid)
  local text = fs.read("/proc/" .. pid .. "/status") or ""
  return text:find "\nCapEff:%s*0000000000000000\n" ~= nil
end

-- The children of init: the payload. A signal to init itself would be lost.
function M.payload(pid)
  local pids = {}
  for child in (fs.read("/proc/" .. pid .. "/task/" .. pid .. "/children") or ""):gmatch "%d+" do
    pids[#pids + 1] = tonumber(child)
  end
  return pids
end

return M
