// A project's files: what the real agent wrote to /workspace outlives its sandboxes, failed activations, an orphan sweep and
// a store that was switched by mistake; it goes with `discard` and with a delete.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";
import { directories, hasWorkspace, nothingLeft, removed, workspace } from "./support/sandboxes.mjs";

const SETTINGS = { mode: "auto" };
const BROKEN = { NODE_OPTIONS: "--no-such-option" };
let host;

before(async () => {
  host = await startHost({ scripts: true, config: { goose: { engine: "goose" }, policy: { retries: 0, orphan_minutes: 0.02 } } });
});
after(() => host?.close());

async function ask(project, content) {
  const { status, body } = await host.post(`${project.path}/messages`, { content });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, "completed", JSON.stringify(body));
  return body.message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
}

const kept = (project) => readFile(path.join(workspace(host, project), "kept.txt"), "utf8").then((text) => text.trim());
const write = (project) => ask(project, "write kept.txt saying still here");

async function withFile(fields = {}) {
  const project = await host.project("ada", { settings: { ...SETTINGS, ...fields } });
  await host.activate(project);
  await write(project);
  assert.equal(await kept(project), "still here");
  return project;
}

// The store's files, moved or copied as a whole while no host has them open.
const STORE = /^gander\.db(-wal|-shm)?$/;
async function store(from, to, act = cp) {
  await mkdir(to, { recursive: true });
  const files = (await readdir(from)).filter((name) => STORE.test(name));
  assert.ok(files.includes("gander.db"), `no store in ${from}`);
  for (const name of files) await act(path.join(from, name), path.join(to, name));
}

async function removeStore(dir) {
  for (const name of (await readdir(dir)).filter((one) => STORE.test(one))) await rm(path.join(dir, name));
}

test("a file of the agent is there in the next sandbox", async () => {
  const project = await withFile();
  await host.deactivate(project);
  await nothingLeft(host, project);
  assert.equal(await kept(project), "still here");
  assert.ok((await host.get(`${project.path}/contents`)).body.file_bytes >= "still here".length);
  await host.activate(project);
  assert.match(await ask(project, "read kept.txt"), /still here/);
  await host.deactivate(project);
});

test("ten activations that fail leave it as it was", async () => {
  const project = await withFile();
  await host.deactivate(project);
  await host.patch(project.path, { settings: { env: BROKEN } });
  for (let i = 1; i <= 10; i++) {
    const { status } = await host.post(`${project.path}/activate`);
    assert.equal(status, 202);
    const failed = await host.state(project, "error");
    assert.equal(failed.last_error.step, "starting");
  }
  await nothingLeft(host, project);
  await host.patch(project.path, { settings: { env: null } });
  const now = await host.activate(project);
  assert.match(now.sandbox.id, /-12$/);
  assert.match(await ask(project, "read kept.txt"), /still here/);
  await host.deactivate(project);
});

test("workspace = discard: it goes with the sandbox", async () => {
  const project = await withFile({ workspace: "discard" });
  await host.deactivate(project);
  await nothingLeft(host, project);
  assert.equal(await hasWorkspace(host, project), false);
  await host.activate(project);
  assert.doesNotMatch(await ask(project, "read kept.txt"), /still here/);
});

test("a delete removes it", async () => {
  const project = await withFile();
  assert.equal((await host.del(project.path)).status, 202);
  await removed(host, project);
});

test("another installation's store is refused at the start, both named; with the right one all is as it was", async () => {
  const project = await withFile();
  await host.stop();
  const other = await startHost({ config: { goose: { engine: "echo" } } });
  const aside = path.join(host.dir, "aside");
  try {
    await other.stop();
    const [mine, theirs] = await Promise.all([host, other].map((one) => readFile(path.join(one.data, "installation"), "utf8").then((text) => text.trim())));
    await store(host.data, aside, rename);
    await store(other.data, host.data);
    await assert.rejects(host.start(), (error) => error.message.includes(mine) && error.message.includes(theirs));
    assert.equal(await kept(project), "still here");
    await removeStore(host.data);
    await store(aside, host.data, rename);
  } finally {
    await other.close();
  }
  await host.start();
  await host.state(project, "active");
  assert.match(await ask(project, "read kept.txt"), /still here/);
});

test("an orphan sweep stops a sandbox that the store does not know, and lists its files without touching them", async () => {
  for (const [file, from, to] of [
    ["lib/clean/instance.lua", "local CALM_MS = 180000", "local CALM_MS = 2000"],
    ["jobs/clean.lua", "local EVERY_S = 20", "local EVERY_S = 1"],
    ["cleanup/orphans.lua", "every_s = 60", "every_s = 1"],
  ]) {
    const text = await readFile(path.join(host.scripts, file), "utf8");
    assert.ok(text.includes(from), `${file} has no ${from}`);
    await writeFile(path.join(host.scripts, file), text.replace(from, to));
  }
  await host.stop();
  const early = path.join(host.dir, "early");
  await store(host.data, early);
  await host.start();
  const project = await withFile();
  const claimed = await host.project("ada");
  await host.kill();
  await removeStore(host.data);
  await store(early, host.data);
  await host.start();
  assert.equal((await host.get(project.path)).status, 404);
  assert.equal((await directories(host, project)).length, 1);
  await nothingLeft(host, project);
  assert.equal(await kept(project), "still here");
  const warning = await waitFor("the warning", async () => (await host.get("/api/system")).body.warnings.map((one) => one.text ?? one).find((text) => text.includes(project.id)));
  assert.match(warning, /files/);
  assert.ok(!JSON.stringify((await host.get("/api/system")).body.warnings).includes(claimed.id));
  const rows = (await host.get(`/api/decisions?policy=cleanup/orphans`)).body.items;
  assert.deepEqual([rows[0].verdict, rows[0].file], ["remove", "cleanup/orphans.lua"]);
});
