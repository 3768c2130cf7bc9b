// Starting, and not starting: settings that are wrong, a place that is taken or cannot be written, a disk that fills up,
// and the command line's words and exit statuses. Each refusal is one sentence that names the thing.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { ROOT, startHost, waitFor } from "./support/host.mjs";

const GANDER = path.join(ROOT, "gander");

async function temporary(t) {
  const dir = await mkdtemp(path.join(os.tmpdir(), "gander-start-"));
  t.after(async () => {
    for (const mount of (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1])) {
      if (mount === dir || mount?.startsWith(`${dir}/`)) execFileSync("umount", ["-l", mount]);
    }
    await rm(dir, { recursive: true, force: true });
  });
  return dir;
}

// Run gander to its end: {status, out, err}.
async function run(args, { env = {}, input = "", ...options } = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MONGODB_URI|GOOSE_|OPENAI_|ANTHROPIC_|GANDER_)/.test(name)));
  const child = spawn(GANDER, args, { env: { ...clean, ...env }, stdio: "pipe", timeout: 100_000, ...options });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => { out += text; });
  child.stderr.setEncoding("utf8").on("data", (text) => { err += text; });
  child.stdin.on("error", () => {}).end(input);
  const [status, signal] = await once(child, "close");
  assert.equal(signal, null, `ended by ${signal}: ${out}${err}`);
  return { status, out, err };
}

// `gander serve` with this config.lua, which must end by itself.
async function serve(t, config, { args = [], ...options } = {}) {
  const dir = await temporary(t);
  await writeFile(path.join(dir, "config.lua"), config);
  const data = path.join(dir, "data");
  const all = ["serve", "--config", path.join(dir, "config.lua"), "--listen", "127.0.0.1:0", "--data", data, "--scripts", path.join(ROOT, "scripts"), ...args];
  return { dir, data, ...(await run(all, options)) };
}

const USERS = 'users = { { id = "ada", name = "Ada" } }';

test("a setting that is wrong stops the start with file:line and status 2", async (t) => {
  const cases = [
    [`return {\n  ${USERS},\n  lisen = "x",\n}\n`, /config\.lua:3: lisen: there is no such setting/],
    [`return {\n  ${USERS},\n  sandbox = { vcpus = "two" },\n}\n`, /config\.lua:3: sandbox\.vcpus: must be an integer from 1 to 64/],
    [`return {\n  ${USERS},\n  sandbox = {\n    timeout_s = 5,\n  },\n}\n`, /config\.lua:4: sandbox\.timeout_s: must be an integer from 60/],
    [`return {\n  log_level = "loud",\n}\n`, /config\.lua:2: log_level: must be one of debug\|info\|warn\|error, not 'loud'/],
    [`return {\n  trust_network = "yes",\n}\n`, /config\.lua:2: trust_network: must be true or false/],
    [`return {\n  users = { { id = "a b", name = "x" } },\n}\n`, /config\.lua:2: .*users.*id/],
    [`return {\n  users = { { id = "ada", name = "Ada" }, { id = "ada", name = "A" } },\n}\n`, /config\.lua:2: .*users.*ada/],
    [`return {\n  users = { "ada" },\n}\n`, /config\.lua:2: .*users/],
    [`return {\n  users = { { id = "ada", nmae = "Ada" } },\n}\n`, /config\.lua:2: users\.1\.nmae: there is no such setting/],
    [`return {\n  users = { { id = 5 } },\n}\n`, /config\.lua:2: users\.1\.id: must be a string/],
    [`return {\n  default_provider = "moon",\n}\n`, /config\.lua:2: default_provider: .*moon/],
    [`return {\n  users = {\n`, /config\.lua:3: unexpected symbol near <eof>/],
    [`return {\n  users = os.getenv("USER"),\n}\n`, /config\.lua:2: .*'os'/],
    ["return 5\n", /config\.lua:1: must return one table/],
    ["", /config\.lua:1: must return one table/],
    ["while true do end\n", /config\.lua:1: it runs too long/],
  ];
  for (const [config, wanted] of cases) {
    const { status, out, err, data } = await serve(t, config);
    assert.match(err, wanted, config);
    assert.equal(err.trim().split("\n").length, 1, err);
    assert.equal(status, 2, config);
    assert.equal(out, "");
    await assert.rejects(stat(data), "nothing is made before the settings are right");
  }
});

test("a config.lua that is named must be there", async (t) => {
  const dir = await temporary(t);
  const { status, err } = await run(["serve", "--config", path.join(dir, "none.lua")]);
  assert.notEqual(status, 0);
  assert.match(err, /none\.lua: No such file/);
});

test("another address than loopback wants trust_network", async (t) => {
  for (const listen of ["0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "127.evil.example:0"]) {
    const { status, err } = await serve(t, `return { ${USERS} }`, { args: ["--listen", listen] });
    assert.equal(status, 2, listen);
    assert.match(err, /can be reached from the network.*trust_network/, listen);
  }
  for (const listen of ["127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", "here"]) {
    const { status, err } = await serve(t, `return { ${USERS} }`, { args: ["--listen", listen] });
    assert.equal(status, 2, listen);
    assert.match(err, /is not ADDRESS:PORT/, listen);
  }
});

test("with trust_network it listens everywhere and says so", async () => {
  const host = await startHost({ config: { trust_network: true }, args: ["--listen", "0.0.0.0:0"] });
  try {
    assert.match(host.log.join("\n"), /everybody who reaches this address/);
    const { warnings } = (await host.get("/api/system")).body;
    assert.ok(JSON.stringify(warnings).includes("trust_network"), JSON.stringify(warnings));
  } finally {
    await host.close();
  }
});

test("MONGODB_URI stops the start with a sentence", async (t) => {
  const { status, err } = await serve(t, `return { ${USERS} }`, { env: { MONGODB_URI: "mongodb://127.0.0.1:1/" } });
  assert.notEqual(status, 0);
  assert.match(err, /MONGODB_URI is set, but this version keeps its state in SQLite only/);
});

test("a GANDER_KEY that is none is refused", async (t) => {
  for (const key of ["short", "g".repeat(64), "a".repeat(65)]) {
    const { status, err } = await serve(t, `return { ${USERS} }`, { env: { GANDER_KEY: key } });
    assert.notEqual(status, 0);
    assert.match(err, /GANDER_KEY must be 64 hex digits/);
    assert.ok(!err.includes(key));
  }
});

test("a port in use is named", async (t) => {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address();
  const { status, err } = await serve(t, `return { ${USERS} }`, { args: ["--listen", `127.0.0.1:${port}`] });
  assert.equal(status, 1);
  assert.match(err, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: .*(in use|bind)`, "i"));
});

test("a second host on the same data directory is refused, and the first goes on", async () => {
  const host = await startHost({});
  try {
    const { status, err } = await run(["serve", "--config", path.join(host.dir, "config.lua"), "--data", host.data, "--listen", "127.0.0.1:0"]);
    assert.equal(status, 1);
    assert.match(err, /another Gander runs on the data directory .*data/);
    assert.equal((await host.get("/api/users")).status, 200);
  } finally {
    await host.close();
  }
});

test("a data directory that cannot be used is named", async (t) => {
  const dir = await temporary(t);
  await writeFile(path.join(dir, "file"), "");
  const file = await serve(t, `return { ${USERS} }`, { args: ["--data", path.join(dir, "file")] });
  assert.equal(file.status, 1);
  assert.match(file.err, /file.*(Not a directory|is not a directory)/i);
  const missing = await serve(t, `return { ${USERS} }`, { args: ["--data", path.join(dir, "a/b/c")] });
  assert.equal(missing.status, 1);
  assert.match(missing.err, /a\/b\/c.*No such file/);
});

test("a data directory may have any name", async () => {
  const host = await startHost({ dataName: `v1s, 2r${"x".repeat(120)}` });
  try {
    assert.equal((await stat(path.join(host.data, "gateway/model.sock"))).mode & 0o777, 0o666);
  } finally {
    await host.close();
  }
});

test("the environment names the source of projects that have none; what the provider cannot start is said so", async () => {
  const host = await startHost({ env: { GOOSE_API_IMAGE: "goose:1", AZURE_CONTAINER_REGISTRY_URL: "https://registry.example/" } });
  try {
    const refused = await host.post("/api/users/ada/projects", { name: "x" });
    assert.equal(refused.status, 400);
    assert.match(refused.body.error.message, /'image' cannot be started by provider 'local'/);
    assert.equal((await host.post("/api/users/ada/projects", { name: "x", source: { type: "builtin" } })).status, 201);
  } finally {
    await host.close();
  }
});

// Mount a filesystem of its own on `dir`, which temporary() takes away; skips the test where that is not possible.
function mounted(t, dir, options) {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", dir], { stdio: "pipe" });
  } catch (error) {
    t.skip(`no tmpfs can be mounted here: ${String(error.stderr).trim()}`);
    return false;
  }
  return true;
}

test("a read-only data directory stops the start", async (t) => {
  const dir = await temporary(t);
  const data = path.join(dir, "data");
  await mkdir(data);
  if (process.getuid() !== 0) await chmod(data, 0o500);
  else if (!mounted(t, data, "ro,size=1m")) return;
  const { status, err } = await serve(t, `return { ${USERS} }`, { args: ["--data", data] });
  assert.equal(status, 1);
  assert.match(err, /data directory .*cannot be written: (Read-only file system|Permission denied)/);
});

test("a full disk: what was acknowledged is kept, what is refused says so, and room makes it well again", async (t) => {
  const disk = await temporary(t);
  if (!mounted(t, disk, "size=6m")) return;
  const host = await startHost({ args: ["--data", path.join(disk, "data")] });
  t.after(() => host.stop().then(() => rm(host.dir, { recursive: true, force: true })));
  const kept = new Map();
  let refusal;
  for (let i = 0; i < 2000 && !refusal; i++) {
    const name = `full ${i}`;
    const answer = await host.post("/api/users/ada/projects", { name, settings: { env: { FILL: "x".repeat(30000) } } });
    if (answer.status === 201) kept.set(answer.body.id, name);
    else refusal = answer;
  }
  assert.ok(kept.size > 5, `only ${kept.size} fitted`);
  assert.equal(refusal.status, 502, JSON.stringify(refusal.body));
  assert.equal(refusal.body.error.code, "unavailable");
  assert.match(refusal.body.error.message, /disk is full/);
  assert.equal((await host.get("/api/version")).status, 200);
  assert.match(JSON.stringify((await host.get("/api/system")).body.warnings), /The disk of .* has only 0 MiB free/);
  const check = async () => {
    for (const [id, name] of kept) {
      const found = await host.get(`/api/users/ada/projects/${id}`);
      assert.equal(found.status, 200, JSON.stringify(found.body));
      assert.equal(found.body.name, name);
    }
  };
  await check();
  execFileSync("mount", ["-o", "remount,size=64m", disk]);
  await waitFor("writes again", async () => (await host.post("/api/users/ada/projects", { name: "after" })).status === 201);
  await host.kill();
  await host.start();
  await check();
});

test("a disk that is full at the start is named", async (t) => {
  const disk = await temporary(t);
  if (!mounted(t, disk, "size=64k")) return;
  await writeFile(path.join(disk, "fill"), Buffer.alloc(60 * 1024));
  const { status, err } = await serve(t, `return { ${USERS} }`, { args: ["--data", path.join(disk, "data")] });
  assert.equal(status, 1);
  assert.match(err, /disk is full|No space left/);
});

test("a scripts directory that is missing or broken is named", async (t) => {
  const dir = await temporary(t);
  const missing = await serve(t, `return { ${USERS} }`, { args: ["--scripts", path.join(dir, "none")] });
  assert.equal(missing.status, 1);
  assert.match(missing.err, /none.*No such file/);
  await cp(path.join(ROOT, "scripts"), path.join(dir, "scripts"), { recursive: true });
  await writeFile(path.join(dir, "scripts/policies/idle/after_minutes.lua"), 'return {\n  doc = "x",\n  on = \n}\n');
  const broken = await serve(t, `return { ${USERS} }`, { args: ["--scripts", path.join(dir, "scripts")] });
  assert.equal(broken.status, 1);
  assert.match(broken.err, /policies\/idle\/after_minutes\.lua:4/);
  const check = await run(["check", "--scripts", path.join(dir, "scripts")]);
  assert.equal(check.status, 1);
  assert.match(check.out, /policies\/idle\/after_minutes\.lua:4: /);
});

test("the command line: help, version, check, repl", async () => {
  for (const flag of ["--help", "-h"]) {
    const { status, out, err } = await run([flag]);
    assert.deepEqual([status, err], [0, ""]);
    for (const word of ["serve", "check", "test", "repl", "version", "--config", "--listen", "--data", "--scripts", "--log-level", "--unsafe-no-isolation"]) assert.ok(out.includes(word), word);
  }
  const version = await run(["version"]);
  assert.equal(version.status, 0);
  assert.match(version.out, /^gander \d+\.\d+\.\d+ \(\w+\)\n$/);
  const check = await run(["check"]);
  assert.equal(check.status, 0, check.out);
  assert.match(check.out, /^\d+ scripts, 0 faults\n$/);
  const repl = await run(["repl"], { input: '1 + 1\nrequire("gander.json").encode { a = 1 }\nnonsense(\n' });
  assert.equal(repl.status, 0);
  assert.match(repl.out, /> 2\n> {"a":1}\n> repl:\d+:/s);
});

test("misuse ends with status 2 and says what", async () => {
  const cases = [[["brew"], /there is no command 'brew'/], [["serve", "now"], /unexpected argument 'now'/], [["--nonsense"], /nonsense/], [["serve", "--listen"], /requires an argument/],
    [["version", "x"], /unexpected argument 'x'/], [["--log-level", "loud", "check"], /log level 'loud'/]];
  for (const [args, wanted] of cases) {
    const { status, err } = await run(args);
    assert.equal(status, 2, args.join(" "));
    assert.match(err, wanted);
  }
  const none = await run(["check", "no/such/file.lua"]);
  assert.notEqual(none.status, 0, none.out);
  assert.match(none.out + none.err, /no\/such\/file\.lua/);
});

test("the data directory and the key are the owner's alone", async () => {
  const host = await startHost({});
  try {
    assert.equal((await stat(host.data)).mode & 0o077, 0);
    for (const name of ["key", "gander.db"]) assert.equal((await stat(path.join(host.data, name))).mode & 0o077, 0, name);
    assert.match(await readFile(path.join(host.data, "key"), "utf8"), /^[0-9a-f]{64}\n$/);
  } finally {
    await host.close();
  }
});
