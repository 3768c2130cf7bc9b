// Trip B: a project's life over REST and events alone: activation, deactivation, delete, failures, rules, and kill -9 of
// the host at each recorded phase. The table of states is in lifecycle.test.mjs, more kills in recovery.test.mjs.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

const UP = ["queued", "creating", "installing", "starting", "healthy"];
const DOWN = ["draining", "saving", "collecting", "stopping", "stopped"];
let host;

before(async () => {
  host = await startHost({ config: { goose: { engine: "echo" }, policy: { retry_base_ms: 100 } } });
});
after(() => host?.close());

async function activity(project) {
  const { body } = await host.get(`${project.path}/activity?limit=200`);
  return body.items.reverse();
}

async function phases(project) {
  const rows = await activity(project);
  return rows.filter((row) => row.kind === "state").map((row) => row.phase);
}

async function gone(project) {
  await waitFor("the project's end", async () => (await host.get(project.path)).status === 404);
}

test("an activation is seen phase by phase, a deactivation too, and a delete ends it", async () => {
  const stream = host.events("/api/events?user=ada");
  await stream.opened;
  const project = await host.project("ada");
  const asked = await host.post(`${project.path}/activate`, undefined, { headers: { "X-Gander-User": "kim" } });
  assert.deepEqual([asked.status, asked.body.state, asked.body.phase], [202, "creating", "queued"]);
  const active = await host.state(project, "active");
  assert.equal(active.health.engine, "echo");
  assert.ok(active.sandbox.isolation.statement);
  assert.equal((await host.post(`${project.path}/activate`)).status, 200);
  assert.equal((await host.post(`${project.path}/deactivate`, {})).status, 202);
  await host.state(project, "inactive");
  assert.deepEqual(await phases(project), [...UP, ...DOWN]);
  const first = (await activity(project))[0];
  assert.deepEqual([first.by, first.request_id], ["kim", asked.headers.get("x-request-id")]);
  for (const phase of [...UP, ...DOWN]) await stream.until((e) => e.event === "project" && e.data.id === project.id && e.data.phase === phase);
  const log = (await host.get(`${project.path}/logs?limit=200`)).body.items;
  assert.ok(log.some((line) => line.source === "lifecycle" && line.text.includes("creating -> active")));
  assert.ok(log.some((line) => line.source === "goose-api"));

  await host.activate(project);
  const removal = await host.del(project.path);
  assert.deepEqual([removal.status, removal.body.desired], [202, "deleted"]);
  await gone(project);
  await stream.until((e) => e.event === "project_deleted" && e.data.id === project.id);
  const other = await host.project("ada");
  assert.equal((await host.del(other.path)).status, 204);
  assert.equal((await host.get(other.path)).status, 404);
  stream.close();
});

for (const phase of [...UP, ...DOWN.slice(0, 4)]) {
  test(`kill -9 once ${phase} is recorded: the next start ends what was begun`, async () => {
    const project = await host.project("ada");
    const stream = host.events("/api/events?user=ada");
    await stream.opened;
    const seen = stream.until((e) => e.event === "project" && e.data.id === project.id && e.data.phase === phase);
    if (DOWN.includes(phase)) {
      await host.activate(project);
      await host.post(`${project.path}/deactivate`, {});
    } else {
      await host.post(`${project.path}/activate`);
    }
    await seen;
    await host.kill();
    await host.start();
    if (UP.includes(phase)) {
      const active = await host.state(project, "active");
      assert.match(active.sandbox.id, /-1$/, "the sandbox that was begun is the one that runs");
      await host.deactivate(project);
    }
    await host.state(project, "inactive");
    assert.deepEqual(await phases(project), [...UP, ...DOWN], "each phase is recorded once");
  });
}

test("a source that cannot be fetched is an error with its cause; activate tries again, deactivate clears it", async () => {
  const project = await host.project("ada", { source: { type: "git", url: "https://127.0.0.1:1/none.git" } });
  await host.post(`${project.path}/activate`);
  const failed = await host.state(project, "error");
  assert.match(failed.last_error.message, /could not be fetched from https:\/\/127\.0\.0\.1:1\/none\.git/);
  assert.deepEqual([failed.retry.count, failed.phase, failed.last_error.retryable], [3, "creating", false]);
  assert.equal(failed.reason.file, "policies/retry/backoff.lua");
  assert.ok(failed.progress.steps.at(-1).error);
  const again = await host.post(`${project.path}/activate`);
  assert.deepEqual([again.status, again.body.last_error, again.body.retry], [202, undefined, undefined]);
  await host.state(project, "error");
  await host.post(`${project.path}/deactivate`, {});
  await host.state(project, "inactive");
});

test("a project nobody uses stops by policy, and says which line decided", async () => {
  const project = await host.project("ada", { settings: { idle_minutes: 0.02 } });
  await host.post(`${project.path}/activate`);
  await waitFor("the idle stop", async () => (await host.get(project.path)).body.reason?.policy === "idle/after_minutes");
  const stopped = await host.state(project, "inactive");
  assert.match(stopped.reason.text, /^idle for/);
  const { body } = await host.get(`/api/decisions?project=${project.id}`);
  assert.deepEqual([body.items[0].id, body.items[0].verdict, body.items[0].facts.settings.idle_minutes], [stopped.reason.decision_id, "stop", 0.02]);
});

test("a sandbox that died with the host away is replaced", async () => {
  const project = await host.project("ada");
  const before_ = await host.activate(project);
  await host.kill();
  await killSandbox(before_.sandbox.id);
  await host.start();
  const now = await waitFor("a new sandbox", async () => {
    const { body } = await host.get(project.path);
    return body.state === "active" && body.sandbox.id !== before_.sandbox.id && body;
  });
  assert.match(now.sandbox.id, /-2$/);
  assert.equal(now.reason.policy, "health/three_strikes");
});

test("wishes at random, with kills among them, end as the last ones say, and nothing is left over", async () => {
  const projects = await Promise.all([1, 2, 3, 4].map(() => host.project("grace")));
  const any = (list) => list[Math.floor(Math.random() * list.length)];
  const wish = (verb, body) => (project) => host.post(`${project.path}/${verb}`, body);
  const acts = [wish("activate"), wish("deactivate", {}), wish("deactivate", { force: true }), (p) => host.patch(p.path, { description: `${Math.random()}` })];
  for (let i = 0; i < 60; i++) {
    const answers = await Promise.all([1, 2, 3].map(() => any(acts)(any(projects))));
    for (const answer of answers) assert.ok([200, 202].includes(answer.status), JSON.stringify(answer.body));
    await sleep(Math.random() * 100);
    if (i % 20 === 10) {
      await host.kill();
      await host.start();
    }
  }
  const [wanted, unwanted] = [projects.slice(0, 2), projects.slice(2)];
  await Promise.all(wanted.map((project) => host.post(`${project.path}/activate`)));
  await Promise.all(unwanted.map((project) => host.post(`${project.path}/deactivate`, {})));
  for (const project of wanted) await host.state(project, "active");
  for (const project of unwanted) await host.state(project, "inactive");
  for (const project of projects) await host.del(project.path);
  for (const project of projects) await gone(project);
  const left = await readdir(`${host.data}/local/sandboxes`);
  for (const project of projects) assert.ok(!left.some((name) => name.includes(project.id)), "no sandbox is left");
});

// The processes whose environment or command line name the sandbox, seen from outside.
async function killSandbox(id) {
  let killed = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const group = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
    const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    if (!group.includes(id) && !mounts.includes(id)) continue;
    try {
      process.kill(Number(pid), "SIGKILL");
      killed++;
    } catch {}
  }
  assert.ok(killed > 0, "the sandbox ran");
}
