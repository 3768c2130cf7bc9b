// Recovery: the host killed by SIGKILL while a project is active, around each call to the provider, at random moments of
// activations (GANDER_KILLS, default 30), in a stop and in a delete; and the sandbox killed in the middle of an answer.
// What must hold: one sandbox a project, nothing left behind, no log line or event lost or doubled.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";
import { directories, nothingLeft, preload, processes, removed } from "./support/sandboxes.mjs";

const KILLS = Number(process.env.GANDER_KILLS ?? 30);
const TICKS = preload("let n = 0; setInterval(() => console.log('tick', n++), 10).unref()");
let host;

before(async () => {
  host = await startHost({ scripts: true, config: { goose: { engine: "echo" } } });
  await slowProvider();
});
after(() => host?.close());

const text = (message) => message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
const read = async (project) => (await host.get(project.path)).body;
const messages = async (project, session) => (await host.get(`${project.path}/sessions/${session}/messages`)).body.items;
const session = async (project, id) => (await host.get(`${project.path}/sessions/${id}`)).body;

async function say(project, content, more = {}, query = "") {
  const { status, body } = await host.post(`${project.path}/messages${query}`, { content, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function restart() {
  await host.kill();
  await host.start();
}

async function allLogs(project) {
  const lines = [];
  for (let from = 0; from !== null; ) {
    const { items, next } = (await host.get(`${project.path}/logs?limit=2000&after=${from}`)).body;
    lines.push(...items);
    from = next;
  }
  return lines;
}

const contiguous = (numbers, first) => assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => first + i));
const ticks = (lines) => lines.map((line) => /^tick (\d+)$/.exec(line.text)?.[1]).filter(Boolean).map(Number);

// In the copy of the scripts each act of the provider waits before and after when a file asks for it, and says so.
const HOOK = `
local hook_process = require "gander.process"
for _, name in ipairs { "create", "put", "start", "stop", "destroy", "remove_workspace" } do
  local act = M[name]
  local function pause(when)
    local wanted = fs.read(sys.data .. "/hook")
    if wanted ~= name .. " " .. when then return end
    fs.write_atomic(sys.data .. "/hooked", wanted)
    hook_process.run { argv = { "sleep", "10" }, timeout_ms = 20000 }
  end
  M[name] = function(...)
    pause "before"
    local results = table.pack(act(...))
    pause "after"
    return table.unpack(results, 1, results.n)
  end
end
`;

async function slowProvider() {
  const file = path.join(host.scripts, "providers/local.lua");
  const source = await readFile(file, "utf8");
  const { generation } = (await host.get("/api/scripts")).body;
  await writeFile(file, source.replace(/\nreturn M\n$/, `${HOOK}\nreturn M\n`).replace('local fs = require "gander.fs"', '$&\nlocal sys = require "gander.sys"'));
  await waitFor("the slow provider", async () => {
    const { body } = await host.get("/api/scripts");
    assert.equal(body.error ?? null, null);
    return body.generation > generation;
  });
}

// Kill the host within a call of the provider and start it again.
async function killAt(moment, act) {
  const hooked = path.join(host.data, "hooked");
  await writeFile(path.join(host.data, "hook"), moment);
  await act();
  await waitFor(`the provider ${moment}`, () => existsSync(hooked));
  await host.kill();
  await Promise.all([rm(hooked), rm(path.join(host.data, "hook"))]);
  await host.start();
}

async function oneSandbox(project) {
  const now = await host.state(project, "active");
  assert.deepEqual(await directories(host, project), [now.sandbox.id]);
  const servers = (await processes(host, project)).filter((one) => /^\S*node \/opt\/gander\/goose-api\.mjs/.test(one.command));
  assert.equal(servers.length, 1, JSON.stringify(servers));
  return now;
}

test("the sandbox outlives the host: same processes, same server, the chat goes on, no log line lost or doubled", async () => {
  const project = await host.project("ada", { settings: { env: TICKS } });
  const first = await host.activate(project);
  const { session_id } = await say(project, "my name is Wanda");
  const running = await processes(host, project);
  const stream = host.events(`/api/events?user=ada&logs=${project.id}`);
  await stream.until((e) => e.event === "log" && ticks([e.data]).length === 1);
  const seen = [];
  for (let i = 0; i < 3; i++) {
    const line = stream.all.length;
    const reader = i === 0 ? stream : host.events(`/api/events?user=ada&logs=${project.id}`, { lastEventId: seen.lastId });
    await reader.until((e) => e.event === "log" && reader.all.indexOf(e) > (i === 0 ? line : 0) + 20);
    await host.kill();
    assert.deepEqual(await processes(host, project), running, "a process of the sandbox went with the host");
    seen.push(...reader.all);
    seen.lastId = reader.lastId;
    await host.start();
  }
  const now = await oneSandbox(project);
  assert.deepEqual([now.sandbox.id, now.health.server_id], [first.sandbox.id, first.health.server_id]);
  assert.equal((await say(project, "/history", { session_id })).status, "completed");
  const answer = (await messages(project, session_id)).at(-1);
  assert.match(text(answer), /I remember 1 messages: my name is Wanda/);
  assert.equal((await session(project, session_id)).memory, "live");

  const last = host.events(`/api/events?user=ada&logs=${project.id}`, { lastEventId: seen.lastId });
  await last.until((e) => e.event === "log" && last.all.indexOf(e) > 50);
  last.close();
  const streamed = [...seen, ...last.all].filter((e) => e.event === "log").map((e) => e.data);
  contiguous(streamed.map((line) => line.seq), streamed[0].seq);
  contiguous(ticks(streamed), ticks(streamed)[0]);
  await host.deactivate(project);
  const lines = await allLogs(project);
  contiguous(lines.map((line) => line.seq), 1);
  contiguous(ticks(lines), 0);
  assert.ok(ticks(lines).length > 100);
});

for (const moment of ["create before", "create after", "put before", "put after", "start before", "start after"]) {
  test(`kill -9 with the provider's ${moment} its work: one sandbox, active, and nothing stays`, async () => {
    const project = await host.project("ada");
    await killAt(moment, () => host.post(`${project.path}/activate`));
    const now = await oneSandbox(project);
    assert.match(now.sandbox.id, /-1$/);
    assert.equal(now.retry, undefined, "a kill of the host is no failure of the activation");
    await host.deactivate(project);
    await nothingLeft(host, project);
  });
}

for (const moment of ["stop before", "stop after", "destroy before", "destroy after"]) {
  test(`kill -9 with the provider's ${moment} its work: the stop is ended, and the project starts again`, async () => {
    const project = await host.project("ada");
    await host.activate(project);
    await killAt(moment, () => host.post(`${project.path}/deactivate`, {}));
    await host.state(project, "inactive");
    await nothingLeft(host, project);
    await host.activate(project);
    assert.match((await oneSandbox(project)).sandbox.id, /-2$/);
  });
}

for (const moment of ["stop after", "destroy after", "remove_workspace before", "remove_workspace after"]) {
  test(`kill -9 in a delete with the provider's ${moment} its work: it ends with 404 and nothing left`, async () => {
    const project = await host.project("ada");
    await host.activate(project);
    await killAt(moment, () => host.del(project.path));
    await removed(host, project);
  });
}

test(`${KILLS} kills at random moments of activations: all end active with one sandbox each, and leave nothing`, async (t) => {
  const phases = {};
  const many = 5; // projects on their way at the same time
  for (let done = 0; done < KILLS; ) {
    const projects = [];
    for (let i = 0; i < many; i++) projects.push(await host.project(i % 2 ? "ada" : "grace"));
    for (const project of projects) assert.equal((await host.post(`${project.path}/activate`)).status, 202);
    for (; done < KILLS; done++) {
      const now = await Promise.all(projects.map(read));
      if (now.every((one) => one.state === "active")) break;
      await sleep(Math.random() * 500);
      for (const one of await Promise.all(projects.map(read))) phases[one.phase] = (phases[one.phase] ?? 0) + 1;
      await restart();
    }
    for (const project of projects) await oneSandbox(project);
    for (const project of projects) await host.del(project.path);
    for (const project of projects) await removed(host, project);
  }
  t.diagnostic(`phases at the kills: ${JSON.stringify(phases)}`);
});

test("kills at random moments of stops and deletes: all end as it was wished", async () => {
  for (let i = 0; i < Math.max(3, KILLS / 5); i++) {
    const [stopped, deleted] = [await host.project("ada"), await host.project("grace")];
    await Promise.all([host.activate(stopped), host.activate(deleted)]);
    await Promise.all([host.post(`${stopped.path}/deactivate`, {}), host.del(deleted.path)]);
    await sleep(Math.random() * 300);
    await restart();
    await Promise.all([host.state(stopped, "inactive"), removed(host, deleted)]);
    await nothingLeft(host, stopped);
  }
});

test("a page's stream over a restart: an id of before is told `reset` for what was not kept, and the log goes on", async () => {
  const project = await host.project("ada");
  await host.activate(project);
  const page = host.events(`/api/events?user=ada&logs=${project.id}`);
  await page.opened;
  await say(project, "one");
  await page.until((e) => e.event === "log" && /run finished/.test(e.data.text));
  const line = page.all.filter((e) => e.event === "log").at(-1).data.seq;
  await restart();
  const again = host.events(`/api/events?user=ada&logs=${project.id}`, { lastEventId: page.lastId });
  await again.until((e) => e.event === "reset");
  await say(project, "two");
  const finished = await again.until((e) => e.event === "log" && /run finished/.test(e.data.text));
  const seqs = again.all.filter((e) => e.event === "log").map((e) => e.data.seq);
  assert.equal(again.all.filter((e) => e.event === "reset").length, 1);
  assert.equal(again.all[0].event, "reset");
  contiguous(seqs.slice(0, seqs.indexOf(finished.data.seq) + 1), line + 1);
  again.close();
});

test("a sandbox killed in the middle of an answer: the part is kept, the session interrupted, then goes on with memory and mode", async () => {
  const project = await host.project("ada");
  const first = await host.activate(project);
  const made = (await host.post(`${project.path}/sessions`, { mode: "smart_approve" })).body;
  await say(project, "my name is Wanda", { session_id: made.id });
  await say(project, "/slow 2000", { session_id: made.id }, "?wait_s=0");
  await waitFor("some text", async () => text((await messages(project, made.id)).at(-1)).length > 20);
  for (const { pid } of await processes(host, project)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      assert.equal(error.code, "ESRCH");
    }
  }
  const replaced = await waitFor("a new sandbox", async () => {
    const now = await read(project);
    return now.state === "active" && now.sandbox.id !== first.sandbox.id && now;
  });
  assert.match(replaced.sandbox.id, /-2$/);
  const cut = await session(project, made.id);
  assert.deepEqual([cut.status, cut.run, cut.mode], ["interrupted", null, "smart_approve"]);
  const stored = await messages(project, made.id);
  const [, , , partial, notice] = stored;
  assert.deepEqual(stored.map((m) => [m.role, m.status]), [["user", "complete"], ["assistant", "complete"], ["user", "complete"], ["assistant", "partial"], ["notice", "complete"]]);
  assert.match(text(partial), /^1 2 3 4 /);
  assert.equal(notice.parts[0].kind, "interrupted");
  const next = await say(project, "/history", { session_id: made.id });
  assert.equal(next.status, "completed");
  assert.match(text(next.message), /my name is Wanda/);
  const now = await session(project, made.id);
  assert.deepEqual([now.status, now.memory, now.mode], ["idle", "restored", "smart_approve"]);
  await oneSandbox(project);
});
