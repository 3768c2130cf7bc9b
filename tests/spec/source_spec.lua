-- Sources fetched in a jail: from a repository served on this machine's loopback (10.0.2.2 in the jail) to /health.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local http = require "gander.http"
local process = require "gander.process"
local sys = require "gander.sys"
local provider = require "providers.local"
local source = require "providers.local.source"

local DAEMON = [[
import net from "node:net";
import { spawn } from "node:child_process";
const server = net.createServer((s) => {
  const git = spawn("git", ["daemon", "--inetd", "--export-all", `--base-path=${process.argv[2]}`]);
  s.pipe(git.stdin).on("error", () => {}); git.stdout.pipe(s); s.on("error", () => git.kill());
}).listen(0, "127.0.0.1", () => console.log(server.address().port));
]]

local TREE = [[
set -e
export GIT_CONFIG_GLOBAL=/dev/null HOME=$1
mkdir repo && cd repo && git init -q -b main
mkdir agent
cat > agent/package.json <<'END'
{ "name": "agent", "version": "1.0.0", "scripts": { "start": "node server.mjs", "postinstall": "node post.mjs" } }
END
cat > agent/package-lock.json <<'END'
{ "name": "agent", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": { "name": "agent", "version": "1.0.0", "hasInstallScript": true } } }
END
cat > agent/post.mjs <<'END'
import fs from "node:fs";
fs.writeFileSync("installed", process.env.SECRET ?? "no secret");
fs.writeFileSync(process.env.HOME + "/.cache/kept", "cached");
END
cat > agent/server.mjs <<'END'
import fs from "node:fs"; import http from "node:http";
http.createServer((q, r) => r.end(fs.readFileSync("installed", "utf8") + "; " + process.env.SECRET)).listen(3001, "127.0.0.1");
END
git add -A && git -c user.name=a -c user.email=a@example.org commit -q -m first
]]

local function daemon(t)
  local found = provider.probe()
  if found.tier == "none" or found.unsafe then
    t.skip("no sandbox here: " .. found.tier)
  elseif process.run({ argv = { "sh", "-c", ": <>/dev/net/tun; npm --version" } }).code ~= 0 then
    t.skip "no /dev/net/tun, or no npm"
  end
  local dir = t.tmpdir()
  local made = process.run { argv = { "sh", "-c", TREE, "sh", dir }, cwd = dir }
  t.eq(made.code, 0, made.err)
  fs.write_atomic(dir .. "/daemon.mjs", DAEMON)
  local p = t.ok(process.spawn {
    argv = { "node", dir .. "/daemon.mjs", dir },
    setsid = true,
    fds = { [1] = { append = dir .. "/out" }, [2] = { append = dir .. "/err" } },
  })
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

local function context(t, from)
  return {
    name = t.id(),
    project_id = t.id(),
    settings = { egress = "deny" },
    source = from,
    label = { installation = "spec" },
    config = { reach_private = true },
  }
end

local function cleaner(ctx)
  return setmetatable({}, {
    __close = function()
      provider.destroy(ctx)
      provider.remove_workspace { _id = ctx.project_id }
    end,
  })
end

local function fetched(t, ctx)
  local answer
  t.wait(function()
    answer = { provider.create(ctx) }
    return not answer[1] or answer[1].state ~= "pending"
  end, 30000)
  return table.unpack(answer)
end

local function ended(t, ctx, step)
  return t.wait(function()
    local seen = provider.status(ctx, step)
    return seen and seen.exit and seen
  end, 60000)
end

return {
  ["a repository is cloned, installed and started by its own command"] = function(t)
    local port, over = daemon(t)
    local _ <close> = over
    local ctx =
      context(t, { type = "git", url = "git://10.0.2.2:" .. port .. "/repo", revision = "main", directory = "agent" })
    local gone <close> = cleaner(ctx) -- luacheck: ignore
    local made, message = fetched(t, ctx)
    t.ok(made, message)
    t.ok(provider.start(ctx, { step = "install", env = { SECRET = "s" } }))
    t.eq(ended(t, ctx, "install").exit, 0, fs.read(sys.data .. "/local/sandboxes/" .. ctx.name .. "/logs/setup.err"))
    local ok, why = provider.start(ctx, { step = "start", env = { SECRET = "s" } })
    t.ok(ok, why)
    local body = t.wait(function()
      local to = provider.endpoint(ctx, 3001)
      local netns <close> = to and to.netns
      local answer = to and http.request { url = to.url, netns = netns, timeout_ms = 5000 }
      return answer and answer.body
    end)
    t.eq(body, "no secret; s")
    t.eq(fs.read(sys.data .. "/local/workspaces/" .. ctx.project_id .. "/cache/kept"), "cached")
  end,

  ["a repository that is not there is named"] = function(t)
    local port, over = daemon(t)
    local _ <close> = over
    for _, from in ipairs {
      { type = "git", url = "git://10.0.2.2:" .. port .. "/none" },
      { type = "git", url = "git://10.0.2.2:" .. port .. "/repo", revision = "no-such-branch" },
    } do
      local ctx = context(t, from)
      local gone <close> = cleaner(ctx) -- luacheck: ignore
      local message = t.fails("unavailable", fetched(t, ctx))
      t.ok(message:find(from.url, 1, true) and message:find "fatal", message)
    end
  end,

  ["a command that fails is seen with its status"] = function(t)
    local port, over = daemon(t)
    local _ <close> = over
    local ctx = context(
      t,
      { type = "git", url = "git://10.0.2.2:" .. port .. "/repo", install = { "sh", "-c", "echo no way >&2; exit 9" } }
    )
    local gone <close> = cleaner(ctx) -- luacheck: ignore
    t.ok(fetched(t, ctx))
    t.ok(provider.start(ctx, { step = "install" }))
    t.eq(ended(t, ctx, "install").exit, 9)
    t.ok(fs.read(sys.data .. "/local/sandboxes/" .. ctx.name .. "/logs/setup.err"):find "no way")
  end,

  ["URLs that are none, options and local files are refused"] = function(t)
    for _, url in ipairs {
      "file:///etc",
      "/etc",
      "../x",
      "--upload-pack=x",
      "ext::sh -c x",
      "http://example.org/x",
      "ssh://-oProxyCommand=x/y",
      "git@-oProxyCommand=x:y",
      "https://user:password@example.org/x",
      "https://",
      "https://a b/",
      "fd::17",
      "",
      5,
    } do
      t.fails("invalid", source.check { type = "git", url = url })
    end
    for _, url in ipairs {
      "https://example.org/a/b.git",
      "ssh://git@example.org/a",
      "git@example.org:a/b",
      "git://example.org/a",
    } do
      t.ok(source.check { type = "git", url = url }, url)
    end
    t.fails("invalid", source.check { type = "git", url = "https://example.org/a", revision = "--x" })
    t.fails("invalid", source.check { type = "git", url = "https://example.org/a", directory = "../x" })
    t.fails("invalid", source.check { type = "tarball", url = "http://example.org/a.tgz" })
  end,
}
