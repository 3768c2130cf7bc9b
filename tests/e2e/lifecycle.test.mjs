// Trip B: the table of states. What activate, deactivate and delete answer in each state and what comes of it; admission,
// the queue, retries, the idle rule; and what is told of it on /api/events.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";
import { directories, nothingLeft, preload, processes, removed } from "./support/sandboxes.mjs";

const UP = ["queued", "creating", "installing", "starting", "healthy"];
const DOWN = ["draining", "saving", "collecting", "stopping", "stopped"];
// Servers that take their time, so that a state lasts long enough to be met.
const SLOW_START = preload("await new Promise((done) => setTimeout(done, 2500))");
const SLOW_STOP = preload("const on = process.on; process.on = (name, f) => on.call(process, name, name === 'SIGTERM' ? () => {} : f)");
const BROKEN = { NODE_OPTIONS: "--no-such-option" };
let host;

before(async () => {
  host = await startHost({ scripts: true, config: { goose: { engine: "echo" }, policy: { retry_base_ms: 100 } } });
});
after(() => host?.close());

const activate = (project) => host.post(`${project.path}/activate`);
const deactivate = (project) => host.post(`${project.path}/deactivate`, {});
const read = async (project) => (await host.get(project.path)).body;
const brief = ({ status, body }) => [status, body.state, body.desired];

async function activity(project) {
  const { body } = await host.get(`${project.path}/activity?limit=200`);
  return body.items.reverse();
}

async function phases(project) {
  return (await activity(project)).filter((row) => row.kind === "state").map((row) => row.phase);
}

// Edit a policy on disk and wait until the edit is live.
async function edit(file, change) {
  const where = path.join(host.scripts, file);
  const { generation } = (await host.get("/api/scripts")).body;
  const old = await readFile(where, "utf8");
  const text = change(old);
  assert.notEqual(text, old, `${file} was not changed`);
  await writeFile(where, text);
  await waitFor("the new generation", async () => {
    const { body } = await host.get("/api/scripts");
    assert.equal(body.error ?? null, null);
    return body.generation > generation;
  });
  return () => edit(file, () => old);
}

async function inState(state) {
  const env = { creating: SLOW_START, stopping: SLOW_STOP, error: BROKEN }[state];
  const project = await host.project("ada", env && { settings: { env } });
  if (state === "inactive") return project;
  await activate(project);
  if (state === "creating") {
    await waitFor("its sandbox", async () => (await read(project)).phase === "starting");
  } else if (state === "stopping") {
    await host.state(project, "active");
    await deactivate(project);
  } else {
    await host.state(project, state);
  }
  return project;
}

async function cleanInactive(project) {
  const now = await host.state(project, "inactive");
  assert.deepEqual([now.phase, now.sandbox, now.queue, now.retry], ["stopped", undefined, undefined, undefined]);
  await nothingLeft(host, project);
}

describe("inactive", () => {
  test("activate: 202, creating", async () => {
    const project = await inState("inactive");
    assert.equal(project.phase, undefined);
    assert.deepEqual(brief(await activate(project)), [202, "creating", "active"]);
    await host.state(project, "active");
    assert.deepEqual(await phases(project), UP);
  });
  test("deactivate: 200", async () => {
    const project = await inState("inactive");
    assert.deepEqual(brief(await deactivate(project)), [200, "inactive", "inactive"]);
    assert.deepEqual(await activity(project), []);
  });
  test("delete: 204, its name is free at once", async () => {
    const project = await inState("inactive");
    assert.equal((await host.del(project.path)).status, 204);
    assert.equal((await host.get(project.path)).status, 404);
    await host.project("ada", { name: project.name });
  });
});

describe("creating", () => {
  test("activate: 202, nothing new", async () => {
    const project = await inState("creating");
    const { revision } = await read(project);
    const again = await activate(project);
    assert.deepEqual([...brief(again), again.body.revision], [202, "creating", "active", revision]);
    await host.state(project, "active");
    assert.deepEqual(await phases(project), UP);
    assert.deepEqual((await directories(host, project)).length, 1);
  });
  test("deactivate: 202, it ends at the next recorded step and cleans up", async () => {
    const project = await inState("creating");
    const answer = await deactivate(project);
    assert.deepEqual([answer.status, answer.body.desired], [202, "inactive"]);
    await cleanInactive(project);
    assert.deepEqual(await phases(project), [...UP.slice(0, 4), "stopping", "stopped"]);
  });
  test("delete: 202, later 404", async () => {
    const project = await inState("creating");
    const answer = await host.del(project.path);
    assert.deepEqual([answer.status, answer.body.desired], [202, "deleted"]);
    await removed(host, project);
  });
});

describe("active", () => {
  test("activate: 200; deactivate: 202, stopping", async () => {
    const project = await inState("active");
    assert.deepEqual(brief(await activate(project)), [200, "active", "active"]);
    assert.deepEqual(brief(await deactivate(project)), [202, "stopping", "inactive"]);
    await cleanInactive(project);
    assert.deepEqual(await phases(project), [...UP, ...DOWN]);
  });
  test("delete: 202, stops first, then leaves nothing", async () => {
    const project = await inState("active");
    const stream = host.events("/api/events?user=ada");
    await stream.opened;
    assert.notDeepEqual(await processes(host, project), []);
    assert.deepEqual(brief(await host.del(project.path)), [202, "stopping", "deleted"]);
    await removed(host, project);
    await stream.until((e) => e.event === "project_deleted" && e.data.id === project.id);
    const told = stream.all.filter((e) => e.event === "activity" && e.data.project_id === project.id).map((e) => e.data.phase);
    assert.deepEqual(told, DOWN);
    for (const more of ["/logs", "/activity", "/sessions", "/status"]) assert.equal((await host.get(project.path + more)).status, 404, more);
    stream.close();
  });
});

describe("stopping", () => {
  test("activate: 202, desired = active; one stop, then one start", async () => {
    const project = await inState("stopping");
    assert.deepEqual(brief(await activate(project)), [202, "stopping", "active"]);
    const now = await host.state(project, "active");
    assert.match(now.sandbox.id, /-2$/);
    assert.deepEqual(await phases(project), [...UP, ...DOWN, ...UP]);
    assert.deepEqual(await directories(host, project), [now.sandbox.id]);
  });
  test("deactivate: 202, also after an activate", async () => {
    const project = await inState("stopping");
    assert.deepEqual(brief(await deactivate(project)), [202, "stopping", "inactive"]);
    await activate(project);
    assert.deepEqual(brief(await deactivate(project)), [202, "stopping", "inactive"]);
    await cleanInactive(project);
    assert.deepEqual(await phases(project), [...UP, ...DOWN]);
  });
  test("delete: 202, later 404", async () => {
    const project = await inState("stopping");
    assert.deepEqual(brief(await host.del(project.path)), [202, "stopping", "deleted"]);
    await removed(host, project);
  });
});

describe("error", () => {
  test("after 3 retries, with its cause; activate: 202, counters reset, and well once it is mended", async () => {
    const project = await inState("error");
    const failed = await read(project);
    assert.deepEqual([failed.retry.count, failed.retry.max, failed.desired], [3, 3, "active"]);
    assert.deepEqual([failed.last_error.code, failed.last_error.step, failed.last_error.retryable], ["unavailable", "starting", false]);
    assert.match(failed.last_error.message, /the agent's server ended with status 9/);
    assert.deepEqual([failed.reason.policy, failed.reason.file], ["retry/backoff", "policies/retry/backoff.lua"]);
    const rows = await activity(project);
    assert.equal(rows.filter((row) => row.phase === "waiting_retry").length, 3);
    assert.deepEqual(rows.filter((row) => row.decision?.policy === "retry/backoff").map((row) => row.decision.verdict).filter((v, i, all) => v !== all[i - 1]), ["retry", "give_up"]);
    await nothingLeft(host, project);
    const logs = (await host.get(`${project.path}/logs?q=is%20not%20allowed%20in%20NODE_OPTIONS`)).body.items;
    assert.ok(logs.length > 0, "the server's own words are in the log");

    await host.patch(project.path, { settings: { env: null } });
    const again = await activate(project);
    assert.deepEqual([...brief(again), again.body.last_error, again.body.retry], [202, "creating", "active", undefined, undefined]);
    assert.match((await host.state(project, "active")).sandbox.id, /-5$/);
  });
  test("deactivate: 202, cleans up, inactive", async () => {
    const project = await inState("error");
    const answer = await deactivate(project);
    assert.deepEqual([answer.status, answer.body.desired], [202, "inactive"]);
    await cleanInactive(project);
  });
  test("delete: 202, later 404", async () => {
    const project = await inState("error");
    assert.equal((await host.del(project.path)).status, 202);
    await removed(host, project);
  });
});

test("desired = deleted: activate and deactivate 409, delete 202", async () => {
  const project = await inState("stopping");
  await host.del(project.path);
  for (const answer of [await activate(project), await deactivate(project)]) {
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.details[0].reason], [409, "conflict", "deleted"]);
  }
  assert.equal((await host.del(project.path)).status, 202);
  await removed(host, project);
});

test("admission denies by an edited rule: 403 with the stored decision, the project unchanged", async () => {
  const undo = await edit("policies/admission/cap_per_user.lua", (text) => text.replace("max_active_per_user or 10", "max_active_per_user or 1")
    .replace('{ name = "below the limit it has no opinion", facts = { counts = { user = 9 } } },', ""));
  const first = await host.project("grace");
  const second = await host.project("grace");
  await host.activate(first);
  const before_ = await read(second);
  const answer = await activate(second);
  assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.details[0].reason], [403, "denied", "admission"]);
  assert.match(answer.body.error.message, /Grace has 1 active projects; the limit is 1/);
  const { decision } = answer.body.error.details[0];
  assert.deepEqual([decision.policy, decision.verdict, decision.file], ["admission/cap_per_user", "deny", "policies/admission/cap_per_user.lua"]);
  const stored = (await host.get(`/api/decisions?project=${second.id}`)).body.items;
  assert.deepEqual(stored.map((row) => [row.id, row.line, row.generation]), [[decision.id, decision.line, decision.generation]]);
  assert.equal(stored[0].facts.counts.user, 1);
  assert.deepEqual(await read(second), before_);
  await host.deactivate(first);
  await host.activate(second);
  await host.deactivate(second);
  await undo();
});

test("the queue: who finds no place waits, says so, and takes the first that is free", async () => {
  for (const { id } of (await host.get("/api/users/ada/projects?limit=200")).body.items) await host.del(`/api/users/ada/projects/${id}?force=true`);
  await waitFor("all of ada's projects to go", async () => (await host.get("/api/users")).body.items.every((user) => user.projects.active === 0));
  const undo = await edit("policies/admission/cap_total.lua", (text) => text.replace("max_active or 20", "max_active or 1").replace("total = 19", "total = 0"));
  const [first, second, third] = [await host.project("ada"), await host.project("grace"), await host.project("ada")];
  await host.activate(first);
  for (const [project, position] of [[second, 1], [third, 2]]) {
    assert.equal((await activate(project)).status, 202);
    const waits = await waitFor("its place in the queue", async () => {
      const now = await read(project);
      return now.queue && now;
    });
    assert.deepEqual([waits.state, waits.phase, waits.queue.position, waits.reason.policy], ["creating", "queued", position, "admission/cap_total"]);
  }
  await deactivate(first);
  await host.state(second, "active");
  assert.equal((await read(second)).queue, undefined);
  assert.equal((await read(third)).phase, "queued");
  await deactivate(third);
  await cleanInactive(third);
  assert.deepEqual(await phases(third), ["queued", "stopping", "stopped"]);
  await host.deactivate(second);
  await undo();
});

test("an idle rule that is edited to seconds stops an active project, and Activity says which line decided", async () => {
  const project = await host.project("ada");
  await host.activate(project);
  const undo = await edit("policies/idle/after_minutes.lua", (text) => text.replace("minutes * 60000", "minutes * 100").replace(/tests = \{.*\n  \},\n\}/s, "}"));
  const { generation } = (await host.get("/api/scripts")).body;
  const stopped = await host.state(project, "inactive");
  assert.deepEqual([stopped.reason.policy, stopped.reason.file, stopped.reason.generation], ["idle/after_minutes", "policies/idle/after_minutes.lua", generation]);
  const row = (await activity(project)).find((one) => one.phase === "draining");
  assert.deepEqual([row.by, row.decision.id, row.decision.line], ["idle/after_minutes", stopped.reason.decision_id, stopped.reason.line]);
  await undo();
});

test("each change of state is told once, in order, with who asked", async () => {
  const stream = host.events("/api/events?user=ada");
  await stream.opened;
  const project = await host.project("ada");
  const headers = { "X-Gander-User": "kim", "X-Request-Id": "trip-b-1" };
  await host.post(`${project.path}/activate`, undefined, { headers });
  await host.state(project, "active");
  await host.deactivate(project);
  await host.del(project.path);
  await stream.until((e) => e.event === "project_deleted" && e.data.id === project.id);
  const of = (event, id) => stream.all.filter((e) => e.event === event && e.data[id] === project.id).map((e) => e.data);
  const told = of("activity", "project_id").filter((row) => row.kind === "state");
  assert.deepEqual(told.map((row) => row.phase), [...UP, ...DOWN]);
  assert.equal(new Set(told.map((row) => row.id)).size, told.length);
  assert.deepEqual([told[0].by, told[0].request_id], ["kim", "trip-b-1"]);
  const seen = of("project", "id").map((one) => one.phase ?? "new");
  assert.deepEqual(seen.filter((phase, i) => phase !== seen[i - 1]), ["new", ...UP, ...DOWN]);
  assert.equal(of("project_deleted", "id").length, 1);
  const ids = stream.all.map((e) => e.id);
  assert.equal(new Set(ids).size, ids.length, "an event came twice");
  stream.close();
});
