-- gander.process: children, their descriptors, their ends.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"

local function sh(script, more)
  local spec = { argv = { "/bin/sh", "-c", script } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return spec
end

return {
  ["run collects output and the exit code"] = function(t)
    local r = process.run(sh "echo out; echo bad >&2; exit 3")
    t.eq(r, { code = 3, out = "out\n", err = "bad\n", cut = false })
  end,

  ["run tells a signal from a code"] = function(t)
    local r = process.run(sh "kill -9 $$")
    t.eq({ r.code, r.signal }, { nil, 9 })
  end,

  ["run gives only the environment that was named"] = function(t)
    t.eq(process.run({ argv = { "/usr/bin/env" }, env = { A = "1" } }).out, "A=1\n")
  end,

  ["run feeds data to a descriptor"] = function(t)
    local r = process.run(sh("cat; cat <&7", { fds = { [0] = { data = "zero " }, [7] = { data = "seven" } } }))
    t.eq(r.out, "zero seven")
  end,

  ["run bounds the output and says so"] = function(t)
    local r = process.run(sh("head -c 100000 /dev/zero", { max = 1000 }))
    t.eq({ #r.out, r.cut, r.code }, { 1000, true, 0 })
  end,

  ["run kills the whole session at its deadline"] = function(t)
    local file = t.tmpdir() .. "/pid"
    t.fails("timeout", process.run(sh("sleep 60 & echo $! >" .. file .. "; sleep 60", { timeout_ms = 500 })))
    local pid = tonumber(fs.read(file))
    t.wait(function()
      local p <close> = process.adopt(pid, 0)
      return not p
    end)
  end,

  ["run does not wait for a stray child that keeps the pipe"] = function(t)
    t.eq(process.run(sh "sleep 60 & echo done").out, "done\n")
  end,

  ["a child inherits nothing else"] = function(t)
    local r = process.run(sh("ls /proc/self/fd", { fds = { [9] = { data = "" } } }))
    t.eq(r.out, "0\n1\n2\n3\n9\n") -- 3 is the directory that ls reads
  end,

  ["failures of the child's start are sentences"] = function(t)
    t.ok(t.fails("not_found", process.run({ argv = { "no-such-program" } })):find "no%-such%-program")
    t.ok(t.fails("not_found", process.run(sh("true", { cwd = "/no/where" }))):find "/no/where")
    t.ok(t.fails("denied", process.run({ argv = { "/etc/passwd" } })):find "/etc/passwd")
    t.ok(t.fails("not_found", process.run(sh("true", { cgroup = { "/no/cgroup" } }))):find "/no/cgroup")
  end,

  ["misuse raises"] = function(t)
    t.raises(function()
      process.run {}
    end, "argv")
    t.raises(function()
      process.run { argv = {} }
    end, "argv")
    t.raises(function()
      process.run { argv = { "a\0b" } }
    end, "NUL")
    t.raises(function()
      process.run { argv = { "true" }, colour = 1 }
    end, "unknown option 'colour'")
    t.raises(function()
      process.spawn { argv = { "true" }, fds = { [3] = {} } }
    end, "fds%[3%]")
    t.raises(function()
      process.spawn { argv = { "true" }, fds = { [99] = { data = "" } } }
    end, "fds")
    t.raises(function()
      process.spawn { argv = { "true" }, env = { ["A=B"] = "" } }
    end, "A=B")
  end,

  ["spawn, wait, kill"] = function(t)
    local p <close> = t.ok(process.spawn { argv = { "sleep", "60" } })
    t.ok(p:alive())
    t.fails("timeout", p:wait(20))
    t.ok(p:kill "TERM")
    t.eq(p:wait(10000), { signal = 15 })
    t.eq(p:wait(0), { signal = 15 })
    t.eq(p:alive(), false)
    t.eq(p:kill "KILL", true)
  end,

  ["a held descriptor is read, written and released"] = function(t)
    local p <close> = t.ok(
      process.spawn(
        sh("read line <&5; echo got $line >&5; cat <&5 >/dev/null; exit 4", { fds = { [5] = { hold = true } } })
      )
    )
    t.ok(p:write(5, "word\n"))
    t.eq(p:read(5, 10000), "got word\n")
    t.fails("timeout", p:read(5, 20))
    p:release(5)
    t.eq(p:wait(10000), { code = 4 })
    t.fails("not_found", p:write(5, "x"))
  end,

  ["output is appended to a file"] = function(t)
    local file = t.tmpdir() .. "/log"
    for _ = 1, 2 do
      local p <close> = t.ok(process.spawn(sh("echo line", { fds = { [1] = { append = file } } })))
      p:wait(10000)
    end
    t.eq(fs.read(file), "line\nline\n")
  end,

  ["adopt wants the same start time"] = function(t)
    local p <close> = t.ok(process.spawn { argv = { "sleep", "60" } })
    local same <close> = t.ok(process.adopt(p:pid(), p:start_time()))
    t.eq(same:pid(), p:pid())
    t.eq(process.adopt(p:pid(), p:start_time() + 1), nil)
    p:kill "KILL"
    p:wait(10000)
    t.eq(same:alive(), false)
    t.eq(same:wait(1000), {})
    t.eq(process.adopt(p:pid(), p:start_time()), nil)
  end,

  ["stage shows paths to another user"] = function(t)
    if process.run({ argv = { "id", "-u" } }).out ~= "0\n" then t.skip "needs root" end
    local dir = t.tmpdir()
    fs.mkdir(dir .. "/private", { mode = 448 })
    fs.write_atomic(dir .. "/private/file", "seen", { mode = 420 })
    local script = "id -u; cat /run/stage/a/file; cat " .. dir .. "/private/file"
    local r = process.run(sh(script, { uid = 200001, stage = { [dir .. "/private/file"] = "/run/stage/a/file" } }))
    t.eq(r.out, "200001\nseen")
    t.ok(r.err:find "Permission denied")
    t.fails("invalid", process.run(sh("true", { stage = { [dir] = "/etc/x" } })))
    t.fails("not_found", process.run(sh("true", { stage = { [dir .. "/none"] = "/run/stage/x" } })))
  end,

  ["a closed Process raises"] = function(t)
    local p = t.ok(process.spawn { argv = { "true" } })
    p:wait(10000)
    p:close()
    t.raises(function()
      p:pid()
    end, "closed gander.Process")
  end,
}
