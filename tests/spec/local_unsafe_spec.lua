-- The local provider where no sandbox is possible: refused, or plain processes where the operator asked for them.
-- The machine's answer is put in place of the canary's.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local http = require "gander.http"
local json = require "gander.json"
local sys = require "gander.sys"
local provider = require "providers.local"
local tier = require "providers.local.tier"

local SERVER = [[
import http from "node:http";
http.createServer((q, r) => { if (q.url === "/exit") process.exit(4); r.end(process.cwd()); }).listen(Number(process.env.PORT), "127.0.0.1");
]]

local function pretend(name)
  local real = tier.probe
  local answer = {
    tier = name,
    statement = tier.STATEMENTS[name],
    cgroup = false,
    unsafe = name == "unsafe",
    reasons = { "a reason" },
  }
  tier.probe = function()
    return answer
  end
  return setmetatable({}, {
    __close = function()
      tier.probe = real
    end,
  })
end

local function context(t)
  return {
    name = t.id(),
    project_id = t.id(),
    settings = { egress = "deny" },
    source = { type = "builtin" },
    label = { installation = "spec" },
    config = {},
  }
end

return {
  ["no isolation, no sandbox: refused with the reasons"] = function(t)
    local _ <close> = pretend("none")
    local message = t.fails("unavailable", provider.create(context(t)))
    t.ok(message:find "a reason" and message:find "unsafe%-no%-isolation", message)
  end,

  ["asked for, it runs plain processes and says so"] = function(t)
    local _ <close> = pretend("unsafe")
    local ctx = context(t)
    t.ok(provider.create(ctx).isolation.statement:find "NO ISOLATION")
    t.ok(provider.put(ctx, { { path = "/opt/gander/server.mjs", text = SERVER } }))
    local ok, message =
      provider.start(ctx, { step = "start", argv = { "node", "/opt/gander/server.mjs" }, cwd = "/workspace" })
    t.ok(ok, message)
    local url
    local answer = t.wait(function()
      local to = t.ok(provider.endpoint(ctx, 3001))
      url = to.url
      return http.request { url = url, timeout_ms = 5000 }
    end)
    t.eq(answer.body, sys.data .. "/local/workspaces/" .. ctx.project_id .. "/files")
    t.eq(
      provider.exec(ctx, { argv = { "sh", "-c", "echo x > f; cat; pwd" }, stdin = "in " }).out,
      "in " .. answer.body .. "\n"
    )
    http.request { url = url .. "/exit", timeout_ms = 5000 }
    t.eq(
      t.wait(function()
        return provider.status(ctx).exit
      end),
      4
    )
    t.ok(provider.start(ctx, { step = "start-2", argv = { "sh", "-c", "sleep 600; true" } }))
    t.ok(provider.stop(ctx, { grace_ms = 100 }))
    t.eq(provider.status(ctx).state, "stopped")
    t.ok(provider.destroy(ctx))
    t.ok(fs.read(sys.data .. "/local/workspaces/" .. ctx.project_id .. "/files/f"))
    provider.remove_workspace { _id = ctx.project_id }
    t.eq(json.encode(provider.list()), "[]")
  end,
}
