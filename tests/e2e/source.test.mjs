// Projects from a Git source: cloned in a jail, installed without secrets, started by its own command under the project's
// egress; and each way in which that fails, with the step and the reason where the reader looks.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { ROOT, startHost, waitFor } from "./support/host.mjs";
import { serveRepository } from "./support/repository.mjs";

const skip = !existsSync("/dev/net/tun") && "no /dev/net/tun: nothing can be fetched here";
const RETRIES = 1;
const ANSWER_S = 3; // how long a silent server is waited for in this file's copy of the scripts

// Says on its standard output what can be seen of the environment and the network, then runs a server that honours the contract.
const SERVER = `
import net from "node:net";
const { REPO_PORT, OWN_SECRET, GOOSE_API_TOKEN } = process.env;
const socket = net.connect({ host: "10.0.2.2", port: Number(REPO_PORT ?? 9) });
const told = (what) => console.log("start: egress " + what + ", own " + (OWN_SECRET ? "there" : "missing") + ", token " + (GOOSE_API_TOKEN ? "there" : "missing"));
socket.on("connect", () => { told("open"); socket.destroy(); }).on("error", (error) => told(error.code));
await import("./goose-api.mjs");
`;
const POST = `
import fs from "node:fs";
import net from "node:net";
const seen = ["OWN_SECRET", "GOOSE_API_TOKEN", "OPENAI_API_KEY"].filter((name) => process.env[name]);
const cache = process.env.HOME + "/.cache/runs";
fs.appendFileSync(cache, "x");
const socket = net.connect({ host: "10.0.2.2", port: Number(process.argv[2]) });
const told = (what) => { console.log("install: egress " + what + ", secrets [" + seen + "], run " + fs.readFileSync(cache, "utf8").length); socket.destroy(); };
socket.on("connect", () => told("open")).on("error", (error) => told(error.code));
`;
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

let dir;
let host;
let repo;

before(async () => {
  if (skip) return;
  dir = await mkdtemp(path.join(os.tmpdir(), "gander-source-"));
  repo = await serveRepository(dir, { README: "empty" });
  repo.commit({
    "agent/package.json": json({ name: "agent", version: "1.0.0", type: "module", scripts: { start: "node server.mjs", postinstall: `node post.mjs ${repo.port}` } }),
    "agent/package-lock.json": json({ name: "agent", version: "1.0.0", lockfileVersion: 3, packages: { "": { name: "agent", version: "1.0.0", hasInstallScript: true } } }),
    "agent/server.mjs": SERVER, "agent/post.mjs": POST, "agent/goose-api.mjs": readFileSync(path.join(ROOT, "scripts/goose/goose-api.mjs"), "utf8"),
  });
  host = await startHost({
    scripts: true,
    config: { goose: { engine: "echo" }, providers: { local: { kind: "local", reach_private: true } }, policy: { retries: RETRIES, retry_base_ms: 50 }, sandbox: { egress: "deny" } },
  });
  const start = path.join(host.scripts, "lib/reconcile/start.lua");
  const text = readFileSync(start, "utf8");
  assert.match(text, /900000, 120000 --/);
  writeFileSync(start, text.replace("900000, 120000 --", `900000, ${1000 * ANSWER_S} --`));
  await waitFor("the changed script", async () => (await host.get("/api/version")).body.generation > 1);
});

after(async () => {
  await host?.close();
  repo?.close();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

const git = (more = {}) => ({ type: "git", url: repo.url, revision: "main", ...more });
const lines = async (project, query) => (await host.get(`${project.path}/logs?${query}`)).body.items;
const line = (project, source, text) => waitFor(`'${text}' in the log`, async () => (await lines(project, `limit=50&source=${source}&q=${encodeURIComponent(text)}`))[0]);

test("a repository is cloned, installed, started by its own command, and talks", { skip }, async () => {
  const env = { OWN_SECRET: "a-secret-of-the-project", REPO_PORT: String(repo.port) };
  const project = await host.project("ada", { source: git({ directory: "agent" }), settings: { env, egress: "deny" } });
  const active = await host.activate(project);
  assert.equal(active.health.engine, "echo");
  const answer = await host.post(`${project.path}/messages`, { content: "hello" });
  assert.equal(answer.body.status, "completed", JSON.stringify(answer.body));
  const install = await line(project, "setup", "install: ");
  assert.equal(install.text, "install: egress open, secrets [], run 1");
  const start = await line(project, "goose-api", "start: ");
  assert.equal(start.text, "start: egress ENETUNREACH, own there, token there");
  const names = active.progress.steps.map((step) => step.name);
  assert.deepEqual(names, ["queued", "creating", "installing", "starting", "healthy"]);

  await host.deactivate(project);
  const clones = repo.clones();
  await host.activate(project);
  assert.ok(repo.clones() > clones, "cloned anew");
  await line(project, "setup", "install: egress open, secrets [], run 2");
  await host.deactivate(project);
});

test("a start command and a revision of the project's own", { skip }, async () => {
  const revision = repo.commit({ "agent/other.mjs": 'console.log("the other one");\nawait import("./goose-api.mjs");\n' });
  const project = await host.project("ada", { source: git({ directory: "agent", revision, install: ["sh", "-c", "echo installed by hand"], start: ["sh", "-c", "exec node other.mjs"] }) });
  await host.activate(project);
  await line(project, "setup", "installed by hand");
  await line(project, "goose-api", "the other one");
  await host.deactivate(project);
});

// Activate, which must end in `error` after its retries: the project as it then is.
async function fails(project, step, message) {
  const answer = await host.post(`${project.path}/activate`);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const seen = await host.state(project, "error");
  assert.equal(seen.last_error.step, step);
  assert.match(seen.last_error.message, message);
  assert.equal(seen.last_error.retryable, false);
  assert.equal(seen.phase, step);
  assert.equal(seen.desired, "active");
  assert.equal(seen.retry.count, RETRIES, JSON.stringify(seen.retry));
  assert.match(seen.reason.file, /^policies\/retry\/backoff\.lua$/);
  assert.match(seen.reason.text, /failed 2 times/);
  const broken = seen.progress.steps.at(-1);
  assert.equal(broken.name, step);
  assert.match(broken.error, message);
  assert.ok(broken.ended_at);
  return seen;
}

test("a source that is not there is named, and the project can be mended and tried again", { skip }, async () => {
  const project = await host.project("ada", { source: git({ url: `git://10.0.2.2:${repo.port}/none` }) });
  await fails(project, "creating", new RegExp(`could not be fetched from git://10\\.0\\.2\\.2:${repo.port}/none: .*fatal`));
  const changed = await host.patch(project.path, { source: { url: repo.url, revision: "no-such-branch" } });
  assert.equal(changed.status, 200);
  await fails(project, "creating", /could not be fetched from .*\/repo: .*no-such-branch/);
  await host.patch(project.path, { source: { revision: "main", directory: "agent" } });
  await host.post(`${project.path}/activate`);
  await waitFor("it leaves error", async () => (await host.get(project.path)).body.state !== "error");
  const active = await host.state(project, "active");
  assert.equal(active.last_error, undefined);
  assert.equal(active.retry, undefined);
  await host.deactivate(project);
});

test("a host that does not exist", { skip }, async () => {
  const project = await host.project("ada", { source: git({ url: "git://127.0.0.1:1/none" }) });
  await fails(project, "creating", /could not be fetched from git:\/\/127\.0\.0\.1:1\/none: /);
});

test("an install command that fails", { skip }, async () => {
  const project = await host.project("ada", { source: git({ directory: "agent", install: ["sh", "-c", "echo no way >&2; exit 9"] }) });
  await fails(project, "installing", /the install command ended with status 9/);
  const said = await line(project, "setup", "no way");
  assert.equal(said.stream, "stderr");
});

test("an install command that is no program", { skip }, async () => {
  const project = await host.project("ada", { source: git({ install: ["no-such-program"] }) });
  await fails(project, "installing", /the install command ended with status (1|127)/);
  await line(project, "setup", "no-such-program");
});

test("a start command that ends, and one that is missing", { skip }, async () => {
  const project = await host.project("ada", { source: git({ start: ["sh", "-c", "echo broken config; exit 7"] }) });
  await fails(project, "starting", /the agent's server ended with status 7/);
  await line(project, "goose-api", "broken config");
  const none = await host.project("ada", { source: git() });
  await host.post(`${none.path}/activate`);
  const seen = await host.state(none, "error");
  assert.equal(seen.last_error.step, "starting");
  assert.match(seen.last_error.message, /says no `start` command/);
  const after = await host.deactivate(none);
  assert.equal(after.state, "inactive");
});

test("a port 3001 that never answers, and one that answers nonsense", { skip }, async () => {
  const silent = await host.project("ada", { source: git({ start: ["sleep", "1000"] }) });
  await fails(silent, "starting", new RegExp(`did not answer within ${ANSWER_S} s`));
  const script = 'require("http").createServer((q, r) => r.end("hello")).listen(3001, "127.0.0.1")';
  const nonsense = await host.project("ada", { source: git({ start: ["node", "-e", script] }) });
  await fails(nonsense, "starting", /did not answer within .* its \/health answered no JSON object/);
});

test("a server that floods its log fills neither disk nor memory, and can be stopped", { skip }, async () => {
  const start = ["sh", "-c", "yes a-line-of-a-flood-that-nobody-will-ever-read & exec node agent/goose-api.mjs"];
  const project = await host.project("ada", { source: git({ install: ["true"], start }) });
  await host.activate(project);
  await line(project, "goose-api", "left out: they came faster than they could be stored");
  const blocks = Number(execFileSync("du", ["-sm", path.join(host.data, "local/sandboxes")], { encoding: "utf8" }).split("\t")[0]);
  assert.ok(blocks < 4096, `${blocks} MiB of logs`);
  assert.equal((await host.get(project.path)).status, 200);
  await host.deactivate(project);
});

test("nothing is left running after failures", { skip }, async () => {
  const { items } = (await host.get("/api/users/ada/projects?limit=200")).body;
  for (const project of items.filter((one) => one.state === "error")) await host.deactivate({ ...project, path: `/api/users/ada/projects/${project.id}` });
  const left = await waitFor("no sandbox", async () => {
    const now = (await host.get("/api/users/ada/projects?limit=200")).body.items;
    return now.every((one) => one.state === "inactive" && !one.sandbox) && now;
  });
  assert.ok(left.length >= 7);
});
