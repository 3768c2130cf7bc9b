-- Without any isolation (--unsafe-no-isolation, where no sandbox is possible): a step is a plain process of the host.
--
-- Paths of the inside are replaced by those they stand for, and a shell writes the status that bubblewrap would write,
-- so that everything else is the same. A port of this machine is chosen for the agent's server.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"
local disk = require "providers.local.disk"

local M = {}

local STATUS_FD = 4

local SHELL = [[
printf '{"child-pid":%d,"pid-namespace":%d}\n' $$ "$0" >&4
"$@" 4>&-
printf '{"exit-code":%d}\n' $? >&4
]]

-- What the inside's paths are here.
local function translator(binds)
  local sorted = table.move(binds, 1, #binds, 1, {})
  table.sort(sorted, function(a, b)
    return #a.to > #b.to
  end)
  return function(text)
    for _, bind in ipairs(sorted) do
      local rest = text:sub(#bind.to + 1)
      if text:sub(1, #bind.to) == bind.to and (rest == "" or rest:sub(1, 1) == "/") then return bind.from .. rest end
    end
    return text
  end
end

-- A port that is free now. -> integer | nil, message, code
function M.port()
  local script =
    "import('node:net').then(n=>{const s=n.createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})})"
  local r, message, code = process.run { argv = { disk.node() or "node", "-e", script }, timeout_ms = 10000 }
  return r and math.tointeger(tonumber(r.out)), message, code
end

local function prepared(job)
  local here, argv, env = translator(job.binds), {}, {}
  for i, arg in ipairs(job.argv) do
    argv[i] = here(arg)
  end
  for name, value in pairs(job.env or {}) do
    env[name] = here(value)
  end
  local path = {}
  for part in (env.PATH or "/usr/bin:/bin"):gmatch "[^:]+" do
    path[#path + 1] = here(part)
  end
  env.PATH = table.concat(path, ":")
  return argv, env, here(job.cwd or "/")
end

-- As jail.start, whose jobs these are.
function M.start(job)
  local made, message, code = fs.mkdir(job.dir)
  if not made then return nil, message, code end
  local argv, env, cwd = prepared(job)
  local space = (fs.link_target "/proc/self/ns/pid" or ""):match "%d+" or "0"
  local wrapped = table.move(argv, 1, #argv, 5, { "sh", "-c", SHELL, space })
  if job.run then
    return process.run {
      argv = argv,
      env = env,
      cwd = cwd,
      timeout_ms = job.run.timeout_ms,
      max = job.run.max,
      fds = { [0] = job.run.stdin and { data = job.run.stdin } or nil },
    }
  end
  fs.write_atomic(job.dir .. "/status", "", { sync = false })
  return process.spawn {
    argv = wrapped,
    env = env,
    cwd = cwd,
    setsid = true,
    fds = {
      [1] = { append = job.stdout },
      [2] = { append = job.stderr },
      [STATUS_FD] = { append = job.dir .. "/status" },
    },
  }
end

-- All that a step started, as far as it stayed in its session.
function M.kill_session(pid)
  process.run { argv = { "sh", "-c", 'kill -KILL -- -"$0"', tostring(pid) }, timeout_ms = 5000 }
end

return M
