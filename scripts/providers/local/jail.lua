-- One bubblewrap run: what it sees, how it is started, whether it runs.
--
-- A jail has a directory (`dir`) with lock, status and args of its run. bwrap's init holds a POSIX lock on `lock` and
-- writes its pid, its namespaces and the exit code to `status`: all that is needed to find it again after the host was
-- killed. It leads a session of its own and is not tied to the host's life, unless `dies` is set.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"
local view = require "providers.local.view"

local M = {}

local USER_FD, NET_FD = 8, 9

-- Start. job = {dir, argv, env, cwd, binds={{from,to,write}}, uid, net="own"|"host"|Process, cgroup, processes (when
-- nothing else limits them), stdout, stderr (files) or run={timeout_ms,max}, block, life, dies, resolv, reduced, fds (10 up:
-- passed on to argv)}
-- -> Process (of bwrap, not of its init), or the result of process.run | nil, message, code
function M.start(job)
  local made, message, code = fs.mkdir(job.dir)
  if not made then return nil, message, code end
  local binds = job.binds
  job.binds = table.move(binds, 1, #binds, 1, {})
  view.write_etc(job)
  local lock, status = job.dir .. "/lock", job.dir .. "/status"
  fs.write_atomic(lock, "", { mode = 420, sync = false })
  job.binds[#job.binds + 1] = { from = lock, to = "/run/.lock" }
  local stage, paths = view.sources(job)
  local argv = { "bwrap", "--args", tostring(view.ARGS_FD), "--", "prlimit", "--core=0", "--nofile=16384" }
  if job.processes then argv[#argv + 1] = "--nproc=" .. job.processes end
  argv[#argv + 1] = "--"
  table.move(job.argv, 1, #job.argv, #argv + 1, argv)
  fs.remove(status)
  local fds = {
    [view.ARGS_FD] = { data = table.concat(view.arguments(job, paths), "\0") .. "\0" },
    [view.STATUS_FD] = { append = status },
    [view.SECCOMP_FD] = { seccomp = true },
  }
  if type(job.net) ~= "string" then
    local enter = {
      "nsenter",
      "--user=/proc/self/fd/" .. USER_FD,
      "--net=/proc/self/fd/" .. NET_FD,
      "--preserve-credentials",
      "sh",
      "-c",
      string.format('exec "$@" %d<&- %d<&-', USER_FD, NET_FD), -- the command must not inherit them
      "sh",
    }
    argv = table.move(argv, 1, #argv, #enter + 1, enter)
    fds[USER_FD], fds[NET_FD] = { ns = "user", of = job.net }, { ns = "net", of = job.net }
  end
  if job.block then fds[view.BLOCK_FD] = { hold = true } end
  if job.life then fds[view.LIFE_FD] = { open = job.life } end
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
  if not pid then return nil, status end
  local p = process.adopt(pid, 0)
  if not p then return nil, status end
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
