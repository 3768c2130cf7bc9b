-- What a sandbox cannot reach, tried from inside one, with baits laid out on the host.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"
local provider = require "providers.local"

-- Baits: TCP on all addresses of the host, an abstract Unix socket, a file, a process with a name of its own.
local BAITS = [[
import http from "node:http";
import net from "node:net";
const [name] = process.argv.slice(2);
process.title = name;
const tcp = http.createServer((q, r) => r.end("bait")).listen(0, "0.0.0.0", () => {
  net.createServer((s) => s.end("bait")).listen("\0" + name, () => console.log(JSON.stringify({ port: tcp.address().port, pid: process.pid })));
});
]]

-- Each probe says what happened in a word or two; "yes" is an escape.
local PROBES = [[
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { spawnSync } from "node:child_process";
const bait = JSON.parse(fs.readFileSync(0, "utf8"));
const attempt = async (fn) => { try { return (await fn()) ?? "yes"; } catch (e) { return e.code ?? e.message; } };
const read = (path) => attempt(() => { fs.readFileSync(path); });
const list = (path) => attempt(() => { fs.readdirSync(path); });
const connect = (to) => new Promise((resolve) => {
  const s = net.connect(to, () => { resolve("yes"); s.destroy(); });
  s.on("error", (e) => resolve(e.code));
  s.setTimeout(3000, () => { resolve("silence"); s.destroy(); });
});
const run = (...argv) => {
  const r = spawnSync(argv[0], argv.slice(1), { encoding: "utf8", timeout: 5000 });
  return r.status === 0 ? "yes" : (r.error?.code ?? `exit ${r.status}: ${(r.stderr || "").trim().split("\n")[0].slice(0, 80)}`);
};
const status = fs.readFileSync("/proc/self/status", "utf8");
const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
const found = {
  shadow: await read("/etc/shadow"), home: await list(bait.home), data: await list(bait.data), other: await read(bait.other),
  root: await list("/root"), disk: await read("/dev/vda"), memory: await read("/dev/mem"), kernel: await read("/proc/kcore"),
  processes: pids.some((pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(bait.name); } catch { return false; } }) ? "yes" : "no",
  signal: await attempt(() => { process.kill(bait.pid, 0); }),
  loopback: await connect({ host: "127.0.0.1", port: bait.port }), abstract: await connect({ path: "\0" + bait.name }),
  internet: await connect({ host: "192.0.2.1", port: 80 }),
  dbus: await connect({ path: "/run/dbus/system_bus_socket" }), systemd: await connect({ path: "/run/systemd/private" }),
  userns: run("unshare", "-Ur", "true"), mount: run("mount", "-t", "tmpfs", "none", "/tmp"),
  setns: run("nsenter", "--net=/proc/1/ns/net", "true"), nft: run("/usr/sbin/nft", "flush", "ruleset"), link: run("ip", "link", "set", "lo", "down"),
  ptrace: run("strace", "-p", "1"), usr: await attempt(() => { fs.writeFileSync("/usr/x", ""); }),
  etc: await attempt(() => { fs.writeFileSync("/etc/x", ""); }),
  opt: await attempt(() => { fs.writeFileSync("/opt/gander/x", ""); }),
  sysctl: await attempt(() => { fs.writeFileSync("/proc/sys/kernel/hostname", "x"); }),
  sysrq: await attempt(() => { fs.writeFileSync("/proc/sysrq-trigger", "h"); }), device: run("mknod", "/tmp/d", "b", "8", "0"),
};
for (const [i, host] of bait.addresses.entries()) found[`lan${i}`] = await connect({ host, port: bait.port });
const field = (name) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
const caps = field("CapEff");
console.log(JSON.stringify({
  found, caps, bounding: field("CapBnd"), nnp: field("NoNewPrivs"), seccomp: field("Seccomp"), host: os.hostname(), uid: process.getuid(),
}));
]]

local function addresses()
  local all = json.array {}
  for address in (fs.read "/proc/net/fib_trie" or ""):gmatch "|%-%- (%S+)\n[^\n]-/32 host LOCAL" do
    if not address:find "^127%." then all[#all + 1] = address end
  end
  return all
end

local function sandbox(t, egress)
  local found = provider.probe()
  if found.tier ~= "isolated+limits" and found.tier ~= "isolated" then
    t.skip("no whole isolation here: " .. found.tier)
  end
  local ctx = {
    name = t.id(),
    project_id = t.id(),
    settings = { egress = egress, memory_mb = 400 },
    source = { type = "builtin" },
    label = { installation = "spec" },
    config = {},
    deadline_ms = sys.now() + 60000,
  }
  local function gone()
    provider.destroy(ctx)
    provider.remove_workspace { _id = ctx.project_id }
  end
  t.ok(provider.create(ctx))
  t.ok(provider.put(ctx, { { path = "/opt/gander/probes.mjs", text = PROBES } }))
  local fine, ok, message = pcall(provider.start, ctx, { step = "start", argv = { "sleep", "600" } })
  if not fine or not ok then
    gone()
    error(message or ok)
  end
  return ctx, setmetatable({}, { __close = gone })
end

local function probe(t, egress)
  local ctx, gone = sandbox(t, egress)
  local _ <close> = gone
  local name, dir = "bait-" .. t.id(), t.tmpdir()
  fs.write_atomic(dir .. "/baits.mjs", BAITS)
  local other = sys.data .. "/local/workspaces/other/files/secret"
  fs.mkdir(sys.data .. "/local/workspaces/other/files", { mode = 511 })
  fs.write_atomic(other, "secret", { mode = 420 })
  local baits <close> = t.ok(process.spawn {
    argv = { "node", dir .. "/baits.mjs", name },
    fds = { [1] = { append = dir .. "/out" }, [2] = { append = dir .. "/err" } },
  })
  local bait = t.wait(function()
    return json.decode(fs.read(dir .. "/out") or "")
  end)
  bait.name, bait.other, bait.data, bait.home, bait.addresses = name, other, sys.data, sys.home, addresses()
  local r, message =
    provider.exec(ctx, { argv = { "node", "/opt/gander/probes.mjs" }, stdin = json.encode(bait), timeout_ms = 60000 })
  baits:kill "KILL"
  t.ok(r, message)
  t.eq(r.code, 0, r.err)
  return json.decode(r.out), bait
end

local function no_escape(t, seen)
  local escapes = {}
  for name, what in pairs(seen.found) do
    if what == "yes" then escapes[#escapes + 1] = name end
  end
  table.sort(escapes)
  t.eq(escapes, {}, json.encode(seen.found))
end

return {
  ["nothing of the host is in reach without network"] = function(t)
    local seen = probe(t, "deny")
    no_escape(t, seen)
    t.eq({ seen.caps, seen.bounding, seen.nnp, seen.seccomp }, { "0000000000000000", "0000000000000000", "1", "2" })
    t.eq({ seen.host, seen.uid }, { "sandbox", 1000 })
    t.eq(seen.found.internet, "ENETUNREACH")
  end,

  ["nothing of the host is in reach with the network open"] = function(t)
    if
      not process.run { argv = { "sh", "-c", ": <>/dev/net/tun" } }
      or process.run({ argv = { "sh", "-c", ": <>/dev/net/tun" } }).code ~= 0
    then
      t.skip "no /dev/net/tun"
    end
    no_escape(t, (probe(t, "allow")))
  end,

  ["two sandboxes do not see each other"] = function(t)
    local first, first_gone = sandbox(t, "deny")
    local _ <close> = first_gone
    local second, second_gone = sandbox(t, "deny")
    local gone <close> = second_gone -- luacheck: ignore
    t.eq(provider.exec(first, { argv = { "sh", "-c", "echo one > /workspace/f; echo one > /tmp/f" } }).code, 0)
    local r = provider.exec(second, { argv = { "sh", "-c", "ls /workspace /tmp; ls /proc | grep -c '^[0-9]'" } })
    t.ok(not r.out:find "f\n", r.out)
    t.ok(tonumber(r.out:match "(%d+)\n$") < 6, r.out)
  end,
}
