-- What a sandbox may reach, by its egress setting. The world is played by a server on this machine's loopback, which
-- slirp4netns shows as 10.0.2.2 to sandboxes of a provider with `reach_private`.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"
local egress = require "providers.local.egress"
local provider = require "providers.local"

local WORLD = [[
import http from "node:http";
const server = http.createServer((q, r) => r.end("world")).listen(0, "127.0.0.1", () => console.log(server.address().port));
]]

local function possible(t)
  local found = provider.probe()
  if found.tier == "none" or found.unsafe then
    t.skip("no sandbox here: " .. found.tier)
  elseif process.run({ argv = { "sh", "-c", ": <>/dev/net/tun" } }).code ~= 0 then
    t.skip "no /dev/net/tun"
  end
end

local function world(t)
  local dir = t.tmpdir()
  fs.write_atomic(dir .. "/world.mjs", WORLD)
  local p = t.ok(process.spawn { argv = { "node", dir .. "/world.mjs" }, fds = { [1] = { append = dir .. "/out" } } })
  local port = t.wait(function()
    return tonumber((fs.read(dir .. "/out")))
  end)
  return port, setmetatable({}, {
    __close = function()
      p:kill "KILL"
      p:close()
    end,
  })
end

local function sandbox(t, setting, config)
  local ctx = {
    name = t.id(),
    project_id = t.id(),
    settings = { egress = setting },
    source = { type = "builtin" },
    label = { installation = "spec" },
    config = config or { reach_private = true },
  }
  local function gone()
    provider.destroy(ctx)
    provider.remove_workspace { _id = ctx.project_id }
  end
  t.ok(provider.create(ctx))
  local fine, ok, message = pcall(provider.start, ctx, { step = "start", argv = { "sleep", "600" } })
  if not fine or not ok then
    gone()
    error(message or ok)
  end
  return ctx, setmetatable({}, { __close = gone })
end

-- What a plain connection, or one through the proxy of the environment, gets: a body, a status or an error code.
local FETCH = [[
const [url, proxy] = process.argv.slice(1);
const http = require("node:http");
const to = proxy ? { host: "127.0.0.1", port: 3128, path: url, headers: { host: new URL(url).host } } : url;
http.get(to, (r) => { let t = ""; r.on("data", (d) => (t += d)).on("end", () => console.log(r.statusCode === 200 ? t : r.statusCode)); })
  .on("error", (e) => console.log(e.code)).setTimeout(4000, () => { console.log("silence"); process.exit(); });
]]

local function fetch(ctx, url, proxy)
  local r, message = provider.exec(ctx, { argv = { "node", "-e", FETCH, url, proxy }, timeout_ms = 20000 })
  return r and r.out:gsub("%s+$", "") or message
end

return {
  ["deny reaches nothing"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local ctx, gone = sandbox(t, "deny")
    local g <close> = gone -- luacheck: ignore
    t.eq(fetch(ctx, "http://10.0.2.2:" .. port), "ENETUNREACH")
    t.eq(fetch(ctx, "http://127.0.0.1:" .. port), "ECONNREFUSED")
  end,

  ["allow reaches out, but not into private networks"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local open, gone = sandbox(t, "allow")
    local g <close> = gone -- luacheck: ignore
    t.eq(fetch(open, "http://10.0.2.2:" .. port), "world")
    local used = provider.usage(open)
    t.ok(used.in_bytes > 100 and used.out_bytes > 100)
    local usual, usual_gone = sandbox(t, "allow", {})
    local u <close> = usual_gone -- luacheck: ignore
    t.ok(fetch(usual, "http://10.0.2.2:" .. port):find "^E")
    t.ok(fetch(usual, "http://169.254.169.254/"):find "^E")
  end,

  ["networks may be taken out of allow"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local ctx, gone = sandbox(t, { deny = { "10.0.2.2/32" } })
    local g <close> = gone -- luacheck: ignore
    t.ok(fetch(ctx, "http://10.0.2.2:" .. port):find "^E")
  end,

  ["a list of networks opens those alone"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local ctx, gone = sandbox(t, { allow = { "10.0.2.2" } })
    local g <close> = gone -- luacheck: ignore
    t.eq(fetch(ctx, "http://10.0.2.2:" .. port), "world")
    t.ok(fetch(ctx, "http://192.0.2.77/"):find "^E")
  end,

  ["a list of hosts goes through the proxy alone"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local ctx, gone = sandbox(t, { allow = { "localhost", "*.example.org" } })
    local g <close> = gone -- luacheck: ignore
    t.eq(fetch(ctx, "http://localhost:" .. port .. "/", "proxy"), "world")
    t.eq(fetch(ctx, "http://example.org/", "proxy"), "403")
    t.eq(fetch(ctx, "http://127.0.0.1:" .. port .. "/", "proxy"), "403")
    t.eq(fetch(ctx, "http://10.0.2.2:" .. port), "ENETUNREACH")
    local tunnel = [[node -e 'require("http").request({ port: 3128, method: "CONNECT", path: "%s" })
      .on("connect", (r) => { console.log(r.statusCode); process.exit(); }).end()']]
    local function connect(to)
      return provider.exec(ctx, { argv = { "sh", "-c", tunnel:format(to) } }).out
    end
    t.eq(connect("localhost:" .. port), "200\n")
    t.eq(connect "other.example.net:443", "403\n")
    local env = provider.exec(ctx, { argv = { "sh", "-c", "echo $HTTPS_PROXY" } })
    t.eq(env.out, "http://127.0.0.1:3128\n")
  end,

  ["a listed host that leads to this machine is refused"] = function(t)
    possible(t)
    local port, over = world(t)
    local _ <close> = over
    local ctx, gone = sandbox(t, { allow = { "localhost" } }, {})
    local g <close> = gone -- luacheck: ignore
    t.eq(fetch(ctx, "http://localhost:" .. port .. "/", "proxy"), "403")
  end,

  ["the programs outside end with the sandbox"] = function(t)
    possible(t)
    local ctx, gone = sandbox(t, { allow = { "localhost", "10.0.2.2" } })
    local g <close> = gone -- luacheck: ignore
    local run = json.decode(fs.read(sys.data .. "/local/sandboxes/" .. ctx.name .. "/steps/start/run.json"))
    local slirp <close> = t.ok(process.adopt(run.attached.slirp.pid, run.attached.slirp.start_time))
    local proxy <close> = t.ok(process.adopt(run.attached.proxy.pid, run.attached.proxy.start_time))
    local to = provider.endpoint(ctx, 3001)
    to.netns:kill "KILL"
    to.netns:close()
    t.ok(slirp:wait(10000))
    t.ok(proxy:wait(10000))
  end,

  ["settings are read strictly"] = function(t)
    t.eq(egress.plan("allow").mode, "allow")
    t.eq(egress.plan({ allow = {} }).mode, "deny")
    t.eq(egress.plan({ deny = { "1.2.3.4/8" } }).mode, "allow")
    for _, bad in ipairs { "10.0.0.256", "1.2.3.4/33", "-x", "a..b", "a b", "http://x", "", 5 } do
      t.fails("invalid", egress.plan { allow = { bad } })
    end
    t.fails("invalid", egress.plan { deny = { "example.org" } })
  end,
}
