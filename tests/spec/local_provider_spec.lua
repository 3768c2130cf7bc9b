-- The local provider with real sandboxes: life of one, what it may use, how it is found again.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local http = require "gander.http"
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"
local provider = require "providers.local"

local SERVER = [[
import http from "node:http";
console.log("up");
http.createServer((q, r) => {
  if (q.url === "/exit") process.exit(7);
  if (q.url === "/busy") for (const begin = process.cpuUsage(); process.cpuUsage(begin).user < 300000;);
  r.end(JSON.stringify({ ok: true, env: process.env.SECRET, cwd: process.cwd() }));
}).listen(3001, "127.0.0.1");
]]

local function context(t, more)
  local ctx = {
    name = t.id(),
    project_id = t.id(),
    settings = { egress = "deny", memory_mb = 300, vcpus = 1 },
    source = { type = "builtin" },
    label = { installation = "spec" },
    config = { processes = 100 },
    deadline_ms = sys.now() + 60000,
  }
  for key, value in pairs(more or {}) do
    ctx[key] = value
  end
  return ctx
end

local function wanted(t)
  local found = provider.probe()
  if found.tier == "none" then t.skip("no sandbox is possible here: " .. table.concat(found.reasons, "; ")) end
end

-- A closing value that takes the sandbox and its files away.
local function cleaner(ctx)
  return setmetatable({}, {
    __close = function()
      provider.destroy(ctx)
      provider.remove_workspace { _id = ctx.project_id }
    end,
  })
end

local function get(ctx, path)
  local to = provider.endpoint(ctx, 3001)
  if not to then return nil end
  local netns <close> = to.netns
  return http.request { url = to.url .. path, netns = netns, timeout_ms = 5000 }
end

local function must(v, message)
  return v or error(message, 2)
end

local function up(t, ctx, step)
  must(provider.create(ctx))
  must(provider.put(ctx, { { path = "/opt/gander/server.mjs", text = SERVER } }))
  must(provider.start(ctx, {
    step = step or "start",
    argv = { "node", "/opt/gander/server.mjs" },
    env = { SECRET = "s" },
    cwd = "/workspace",
  }))
  return t.wait(function()
    return get(ctx, "/health")
  end)
end

local function sh(ctx, script, more)
  local order = { argv = { "sh", "-c", script } }
  for key, value in pairs(more or {}) do
    order[key] = value
  end
  return must(provider.exec(ctx, order))
end

return {
  ["a sandbox answers on a port of its own"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    local answer = up(t, ctx)
    t.eq(json.decode(answer.body), { ok = true, env = "s", cwd = "/workspace" })
    t.eq(provider.status(ctx).state, "running")
  end,

  ["each step of its life may be repeated"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local first = provider.create(ctx)
    t.eq(provider.create(ctx), first)
    local order = { step = "start", argv = { "node", "/opt/gander/server.mjs" } }
    t.eq(provider.start(ctx, order), provider.start(ctx, order))
    t.ok(provider.stop(ctx, { grace_ms = 1000 }))
    t.ok(provider.stop(ctx, { grace_ms = 1000 }))
    t.eq(provider.status(ctx).state, "stopped")
    t.ok(provider.destroy(ctx))
    t.ok(provider.destroy(ctx))
    t.fails("not_found", provider.status(ctx))
  end,

  ["exec runs beside the server and tells its end"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local r = sh(ctx, "id -u; pwd; echo bad >&2; echo kept > note; cat; exit 3", { stdin = "in" })
    t.eq({ r.code, r.out, r.err }, { 3, "1000\n/workspace\nin", "bad\n" })
    t.eq(
      sh(ctx, "cat note; node -e 'fetch(\"http://127.0.0.1:3001/\").then(r => console.log(r.status))'").out,
      "kept\n200\n"
    )
    t.fails("timeout", provider.exec(ctx, { argv = { "sleep", "30" }, timeout_ms = 300 }))
    t.eq(#sh(ctx, "head -c 100000 /dev/zero", { max = 500 }).out, 500)
  end,

  ["the end of the server is seen with its status"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    get(ctx, "/exit")
    local seen = t.wait(function()
      local now = provider.status(ctx)
      return now.exit and now
    end)
    t.eq({ seen.state, seen.exit, seen.phase }, { "stopped", 7, "start" })
    t.fails("unavailable", provider.endpoint(ctx, 3001))
    t.fails("unavailable", provider.exec(ctx, { argv = { "true" } }))
    t.ok(up(t, ctx, "start-2"))
    t.eq(provider.status(ctx).phase, "start-2")
  end,

  ["stop lets the server end by itself"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    local script = "trap 'echo bye > /workspace/bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    must(provider.start(ctx, { step = "start", argv = { "sh", "-c", script } }))
    local log = provider.logs(ctx)[3]
    t.wait(function()
      return fs.read(log.follow.file) == "ready\n"
    end)
    t.ok(provider.stop(ctx, { grace_ms = 10000 }))
    t.eq(fs.read(sys.data .. "/local/workspaces/" .. ctx.project_id .. "/files/bye"), "bye\n")
    t.eq(provider.status(ctx).exit, 0)
  end,

  ["files outlive the sandbox and go with the project"] = function(t)
    wanted(t)
    local first = context(t)
    local second = context(t, { project_id = first.project_id })
    local _ <close> = cleaner(first)
    local second_gone <close> = cleaner(second) -- luacheck: ignore
    up(t, first)
    sh(first, "echo mine > /workspace/file; echo gone > /home/agent/file")
    t.ok(provider.destroy(first))
    up(t, second)
    t.eq(sh(second, "cat /workspace/file; ls /home/agent").out, "mine\n")
    provider.destroy(second)
    t.ok(provider.remove_workspace { _id = first.project_id })
    t.eq(fs.size(sys.data .. "/local/workspaces/" .. first.project_id), nil)
  end,

  ["limits end the sandbox's processes, not the host's"] = function(t)
    wanted(t)
    if not provider.probe().cgroup then t.skip "no control groups here" end
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local forks = sh(ctx, "i=0; while [ $i -lt 300 ]; do sleep 20 & i=$((i+1)); done; echo all", { timeout_ms = 20000 })
    t.ok(forks.code ~= 0 and not forks.out:find "all", "300 processes were made: " .. forks.out .. forks.err)
    local eater = "const a=[]; for (let i=0;i<60;i++) a.push(Buffer.alloc(25e6, 1)); console.log('ate')"
    local r = provider.exec(ctx, { argv = { "node", "-e", eater }, timeout_ms = 20000 })
    t.ok(not r.out:find "ate" and r.code ~= 0)
    local used = provider.usage(ctx)
    t.ok(used.cpu_ms > 0 and used.memory_mb > 1 and used.memory_mb <= 300 and used.disk_mb >= 0)
    t.ok(get(ctx, "/health") or provider.status(ctx).reason:find "memory limit")
  end,

  ["list pages what is here and narrows by installation"] = function(t)
    wanted(t)
    local ctx = context(t, { label = { installation = t.id() } })
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    local items, after = provider.list { installation = ctx.label.installation }
    t.eq({ #items, after }, { 1 })
    t.eq({ items[1].name, items[1].project_id, items[1].state }, { ctx.name, ctx.project_id, "created" })
    t.eq(#provider.list { installation = "other" }, 0)
    local stranger = context(t, { name = ctx.name, label = { installation = "other" } })
    t.fails("conflict", provider.create(stranger))
    t.fails("conflict", provider.destroy(stranger))
  end,

  ["names never become other paths"] = function(t)
    for _, name in ipairs { "", ".", "..", "../x", "a/b", "a\0b", ("x"):rep(200), "-x" } do
      t.fails("invalid", provider.create(context(t, { name = name })))
      t.fails("invalid", provider.destroy(context(t, { name = name })))
    end
    t.fails("invalid", provider.remove_workspace { _id = "../sandboxes" })
    wanted(t)
    t.fails("invalid", provider.create(context(t, { project_id = "../x" })))
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    t.fails("invalid", provider.start(ctx, { step = "../x", argv = { "true" } }))
    t.fails("invalid", provider.put(ctx, { { path = "/etc/passwd", text = "" } }))
    t.fails("denied", provider.put(ctx, { { path = "/workspace/../../x", text = "" } }))
  end,

  ["what local cannot do is said in a sentence"] = function(t)
    t.ok(t.fails("invalid", provider.create(context(t, { source = { type = "image", image = "x" } }))):find "image")
    t.ok(t.fails("invalid", provider.create(context(t, { source = { type = "snapshot" } }))):find "workspace")
    t.ok(t.fails("invalid", provider.snapshot(context(t))):find "no snapshots")
    t.ok(t.fails("invalid", provider.create(context(t, { settings = { egress = "maybe" } }))):find "maybe")
    t.ok(t.fails("invalid", provider.create(context(t, { settings = { egress = { allow = { "a b" } } } }))):find "a b")
  end,

  ["logs are two files whose start can be given back"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local logs = provider.logs(ctx, { ["main.out"] = 3 })
    t.eq(
      { logs[3].key, logs[3].source, logs[3].stream, logs[3].follow.offset },
      { "main.out", "goose-api", "stdout", 3 }
    )
    t.eq(fs.read(logs[3].follow.file), "up\n")
    t.ok(provider.logs_stored(ctx, "main.out", 3))
    t.eq(fs.size(logs[3].follow.file), 3)
    t.fails("invalid", provider.logs_stored(ctx, "../spec.json", 3))
  end,

  ["a sandbox outlives a killed host and is found again"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    local script = {
      'json = require "gander.json"',
      "ctx = json.decode " .. string.format("%q", json.encode(ctx)),
      'p = require "providers.local"',
      "p.create(ctx)",
      string.format("p.put(ctx, {{path='/opt/gander/server.mjs', text=json.decode %q}})", json.encode(SERVER)),
      "p.start(ctx, {step='start', argv={'node', '/opt/gander/server.mjs'}, cwd='/workspace'})",
      "while true do end",
    }
    local host <close> = must(process.spawn {
      argv = { sys.home .. "/gander", "repl", "--data", sys.data },
      fds = { [0] = { data = table.concat(script, "\n") .. "\n" } },
    })
    t.wait(function()
      return get(ctx, "/health")
    end)
    host:kill "KILL"
    must(host:wait(10000))
    t.eq(provider.status(ctx).state, "running")
    t.eq(get(ctx, "/health").status, 200)
    t.eq(sh(ctx, "echo still here").out, "still here\n")
    t.ok(provider.stop(ctx, { grace_ms = 1000 }))
    t.eq(provider.status(ctx).state, "stopped")
  end,

  ["a start that was cut short is made anew"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local file = sys.data .. "/local/sandboxes/" .. ctx.name .. "/steps/start/run.json"
    local run = json.decode(fs.read(file))
    run.phase = "starting"
    fs.write_atomic(file, json.encode(run))
    local before = provider.endpoint(ctx, 3001).netns
    local pid = before:pid()
    before:close()
    must(provider.start(ctx, { step = "start", argv = { "node", "/opt/gander/server.mjs" } }))
    t.wait(function()
      return get(ctx, "/health")
    end)
    local after = provider.endpoint(ctx, 3001).netns
    t.ok(after:pid() ~= pid)
    after:close()
    t.eq(process.adopt(pid, 0), nil)
  end,

  ["after a reboot nothing is taken for running"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local file = sys.data .. "/local/sandboxes/" .. ctx.name .. "/steps/start/run.json"
    local text = fs.read(file)
    local run = json.decode(text)
    run.boot_id = "another"
    fs.write_atomic(file, json.encode(run))
    local seen = provider.status(ctx)
    t.eq({ seen.state, seen.exit, seen.reason }, { "stopped", 137, "this machine was restarted" })
    t.fails("unavailable", provider.endpoint(ctx, 3001))
    fs.write_atomic(file, text)
  end,

  ["a killed sandbox is seen as killed"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local init = provider.endpoint(ctx, 3001).netns
    init:kill "KILL"
    init:close()
    local seen = t.wait(function()
      local now = provider.status(ctx)
      return now.exit and now
    end)
    t.eq(seen.exit, 137)
  end,

  ["what the server leaves behind does not keep the sandbox alive"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    must(provider.start(ctx, { step = "start", argv = { "sh", "-c", "sleep 600 & exit 5" } }))
    t.eq(
      t.wait(function()
        return provider.status(ctx).exit
      end),
      5
    )
    t.fails("unavailable", provider.endpoint(ctx, 3001))
  end,

  ["the model's socket is reached, also after a new one took its place"] = function(t)
    wanted(t)
    local dir = sys.data .. "/gateway"
    fs.mkdir(dir, { mode = 493 })
    local script = "const s=require('net').createServer(c=>c.end('model ' + process.argv[2])).listen(process.argv[1],()=>{"
      .. "require('fs').chmodSync(process.argv[1],0o666);console.log('up')})"
    local function gateway(which)
      fs.remove(dir .. "/model.sock")
      local out = t.tmpdir() .. "/out"
      local p = must(process.spawn {
        argv = { "node", "-e", script, dir .. "/model.sock", which },
        fds = { [1] = { append = out } },
      })
      t.wait(function()
        return fs.read(out) == "up\n"
      end)
      return p
    end
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    local ask = "node -e \"require('net').connect('/run/gander/model.sock').pipe(process.stdout)\""
    local first <close> = gateway "one"
    up(t, ctx)
    t.eq(sh(ctx, ask).out, "model one")
    first:kill "KILL"
    first:wait(5000)
    local second <close> = gateway "two"
    t.eq(sh(ctx, ask).out, "model two")
    t.ok(sh(ctx, "rm -f /run/gander/model.sock").code ~= 0)
    second:kill "KILL"
  end,

  ["the Goose API server answers with an engine"] = function(t)
    wanted(t)
    local ctx = context(t, { settings = { egress = "deny", memory_mb = 1024 } })
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    for _, name in ipairs { "goose-api.mjs", "demo-model.mjs" } do
      local text = must(fs.read(sys.home .. "/scripts/goose/" .. name))
      must(provider.put(ctx, { { path = "/opt/gander/" .. name, text = text } }))
    end
    local env = { GOOSE_API_TOKEN = "token", GOOSE_API_CWD = "/workspace" }
    must(provider.start(ctx, { step = "start", env = env }))
    local answer = t.wait(function()
      local got = get(ctx, "/health")
      local body = got and json.decode(got.body)
      return body and (body.can_chat or body.status ~= "starting") and body
    end, 30000)
    t.ok(answer.engine == "goose" or answer.engine == "echo")
    t.eq(answer.can_chat, true, json.encode(answer))
  end,

  ["figures grow with use, with control groups and without"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    local function check()
      local before = provider.usage(ctx)
      get(ctx, "/busy")
      local after = t.wait(function()
        local now = provider.usage(ctx)
        return now.cpu_ms >= before.cpu_ms + 100 and now
      end)
      t.ok(after.memory_mb > 1 and after.memory_mb < 300, "memory_mb " .. after.memory_mb)
      t.ok(after.processes >= 2 and after.memory_mb_ms > before.memory_mb_ms)
    end
    check()
    local file = sys.data .. "/local/sandboxes/" .. ctx.name .. "/spec.json"
    local spec = json.decode(fs.read(file))
    local text = fs.read(file)
    spec.limited = false
    fs.write_atomic(file, json.encode(spec))
    fs.remove(sys.data .. "/local/sandboxes/" .. ctx.name .. "/usage.json")
    check()
    fs.write_atomic(file, text)
  end,

  ["commands that ended do not count against the process limit"] = function(t)
    wanted(t)
    local ctx = context(t, { config = { processes = 24 } })
    local _ <close> = cleaner(ctx)
    up(t, ctx)
    for i = 1, 40 do
      t.eq(sh(ctx, "echo " .. i).out, i .. "\n")
    end
  end,

  ["a command inherits no descriptor but its three"] = function(t)
    wanted(t)
    local ctx = context(t)
    local _ <close> = cleaner(ctx)
    must(provider.create(ctx))
    must(provider.start(ctx, { step = "start", argv = { "sh", "-c", "ls /proc/self/fd; sleep 600" } }))
    local want = "0\n1\n2\n3\n" -- 3 is the directory that ls reads
    t.wait(function()
      return fs.read(provider.logs(ctx)[3].follow.file) == want
    end)
    t.eq(sh(ctx, "ls /proc/self/fd").out, want)
  end,
}
