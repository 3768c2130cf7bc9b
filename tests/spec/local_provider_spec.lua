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
  r.end(JSON.stringify({ ok: true, env: process.env.SECRET, cwd: process.cwd() }));
}).listen(3001, "127.0.0.1");
]]

local function context(t, more)
  local ctx = {
    name = t.id(), project_id = t.id(), settings = { egress = "deny", memory_mb = 300, vcpus = 1 }, source = { type = "builtin" },
    label = { installation = "spec" }, config = { processes = 100 }, deadline_ms = sys.now() + 60000,
  }
  for key, value in pairs(more or {}) do
    ctx[key] = value
  end
  return ctx
end

local function wanted(t)
  local found = provider.probe()
  if found.tier == "none" then
    t.skip("no sandbox is possible here: " .. table.concat(found.reasons, "; "))
  end
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
  if not to then
    return nil
  end
  local netns <close> = to.netns
  return http.request { url = to.url .. path, netns = netns, timeout_ms = 5000 }
end

local function must(v, message)
  return v or error(message, 2)
end

local function up(t, ctx, step)
  must(provider.create(ctx))
  must(provider.put(ctx, { { path = "/opt/gander/server.mjs", text = SERVER } }))
  must(provider.start(ctx, { step = step or "start", argv = { "node", "/opt/gander/server.mjs" }, env = { SECRET = "s" }, cwd = "/workspace" }))
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
}
