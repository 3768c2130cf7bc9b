// The contract of the REST API, statement by statement: what each route answers fits what /api/openapi.json says of it, lists
// are whole and stable, events begin where a list ends, refusals have one shape. `call` checks every answer it brings.
// Bad input is input.test.mjs, the door http.test.mjs, what a chat does chat.test.mjs.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";
import { faults, operation } from "./support/shapes.mjs";

const NOBODY = "01890000-0000-7000-8000-000000000000";
const LIST = "/api/users/ada/projects";
const RULE = "/api/scripts/policies/idle/contract.lua";
const RULE_TEXT = 'return { doc = "Says nothing.", on = "idle", decide = function() end }\n';

let host;
let document; // /api/openapi.json
let project; // active
let chat; // a session with messages
const served = new Set(); // operations that were seen to answer well

before(async () => {
  host = await startHost({ scripts: true, config: { goose: { engine: "echo" }, policy: { max_active: 2, retries: 1, retry_base_ms: 200 } } });
  const answer = await host.get("/api/openapi.json");
  document = answer.body;
  fits(answer, "GET", "/api/openapi.json");
  project = await host.project("ada", { description: "of the contract", settings: { env: { SECRET: "a-secret-value" }, idle_minutes: 60 } });
  await host.activate(project);
  chat = (await call("POST", `${project.path}/messages`, { body: { content: "hello" } })).body.session_id;
});
after(() => host?.close());

const at = (schema, value, what) => assert.deepEqual(faults(document, { $ref: `#/components/schemas/${schema}` }, value), [], what);

function fits(answer, method, path) {
  const what = `${method} ${path} -> ${answer.status}`;
  const found = operation(document, method, path);
  const described = found.operation.responses[answer.status] ?? (answer.status >= 400 ? found.operation.responses.default : undefined);
  assert.ok(described, `${what} is not described`);
  assert.match(answer.headers.get("x-request-id") ?? "", /^[\w.-]{1,64}$/, what);
  assert.match(answer.headers.get("x-gander-generation") ?? "", /^\d+$/, what);
  if (answer.status < 400) served.add(`${method} ${found.template}`);
  if (answer.status === 204) return assert.equal(answer.body, "", what);
  const type = answer.headers.get("content-type").split(";")[0];
  assert.ok(described.content[type], `${what} is ${type}, which is not described`);
  if (type === "application/json") assert.deepEqual(faults(document, described.content[type].schema, answer.body), [], what);
  if (answer.status >= 400) assert.equal(answer.body.error.request_id, answer.headers.get("x-request-id"), what);
}

async function call(method, where, options = {}) {
  const answer = await host.request(method, where, options);
  fits(answer, method, where.split("?")[0]);
  return answer;
}

const get = (where, options) => call("GET", where, options);

function stream(where, options) {
  const opened = host.events(where, options);
  served.add(`GET ${operation(document, "GET", where.split("?")[0]).template}`);
  return opened;
}

// All items of a list, page by page; `between` runs after the first page.
async function walk(where, limit, between) {
  const items = [];
  for (let next = ""; next !== null; ) {
    const { body } = await get(`${where}${where.includes("?") ? "&" : "?"}limit=${limit}${next && `&after=${encodeURIComponent(next)}`}`);
    assert.ok(body.items.length <= limit);
    items.push(...body.items);
    if (next === "") await between?.();
    next = body.next;
  }
  return items;
}

// An address for each operation of the document, its names filled in.
const fill = (template, names = {}) => template
  .replace("{user}", names.user ?? "ada").replace("{project}", names.project ?? project.id).replace("{session}", names.session ?? chat)
  .replace("{permission}", "none").replace("{path}", "policies/idle/after_minutes.lua").replace("{decision}", "idle").replace("{name}", "after_minutes");

const operations = () => Object.entries(document.paths).flatMap(([template, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), template]));

test("a project on its way up and down is a Project and a Status at each moment", async () => {
  const { body: made, headers } = await call("POST", LIST, { body: { name: "  On its way ", settings: { vcpus: 1 } } });
  assert.equal(made.name, "On its way");
  assert.deepEqual([made.state, made.desired, made.revision, "phase" in made, "sandbox" in made], ["inactive", "inactive", 1, false, false]);
  assert.deepEqual([headers.get("location"), headers.get("etag")], [`${LIST}/${made.id}`, '"1"']);
  const path = headers.get("location");
  const reach = (state) => waitFor(state, async () => {
    const [{ body: whole }, { body: status }] = [await get(path), await get(`${path}/status`)];
    if (whole.phase === status.phase && whole.state === status.state) for (const name of Object.keys(status)) assert.ok(name in whole, name);
    return status.state === state;
  });
  assert.equal((await call("POST", `${path}/activate`)).status, 202);
  await reach("active");
  assert.equal((await call("POST", `${path}/activate`, { body: {} })).status, 200);
  const active = await waitFor("what comes next", async () => {
    const { body } = await get(path);
    return body.next && body;
  });
  assert.equal(active.next.act, "stop");
  assert.deepEqual([active.progress.step, active.progress.of, active.progress.steps.length], [5, 5, 5]);
  assert.equal((await call("POST", `${path}/deactivate`, { body: { force: false } })).status, 202);
  await reach("inactive");
  assert.equal((await call("POST", `${path}/deactivate`)).status, 200);
  const { body: rest } = await get(path);
  assert.deepEqual(["sandbox" in rest, "next" in rest, "health" in rest, rest.phase, "stopped_at" in rest], [false, false, false, "stopped", true]);
  assert.equal((await call("DELETE", path)).status, 204);
  assert.equal((await get(path)).status, 404);
});

test("so is one that waits for a place, and one whose start fails", async () => {
  const [second, third, broken] = [await host.project("ada"), await host.project("ada"), await host.project("grace", { source: { type: "git", url: "https://127.0.0.1:1/a.git" } })];
  const see = (one, fit) => waitFor(`${one.name}`, async () => {
    const [{ body: whole }] = [await get(one.path), await get(`${one.path}/status`)];
    return fit(whole) && whole;
  });
  await host.activate(second);
  await call("POST", `${third.path}/activate`);
  const waiting = await see(third, (one) => one.queue);
  assert.deepEqual([waiting.phase, waiting.queue.position, waiting.reason.policy], ["queued", 1, "admission/cap_total"]);
  await host.deactivate(second);
  await see(third, (one) => one.state === "active" && !one.queue);
  await host.deactivate(third);
  await call("POST", `${broken.path}/activate`);
  const failed = await see(broken, (one) => one.state === "error");
  assert.deepEqual([failed.phase, failed.last_error.step, failed.last_error.retryable, failed.retry.count, failed.retry.max], ["creating", "creating", false, 1, 1]);
  assert.deepEqual([failed.reason.policy, failed.progress.steps.at(-1).error], ["retry/backoff", failed.last_error.message]);
  const { body: activity } = await get(`${broken.path}/activity?limit=200`);
  const again = activity.items.find((row) => row.phase === "waiting_retry");
  assert.deepEqual([again.by, again.decision.verdict], ["retry/backoff", "retry"]);
  assert.equal((await call("DELETE", broken.path)).status, 202);
  await waitFor("it is gone", async () => (await get(broken.path)).status === 404);
});

test("each list goes through all its items once, in one order, though others come meanwhile", async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.push(await host.project("grace"));
  const projects = "/api/users/grace/projects";
  const paged = await walk(projects, 2, () => host.project("grace"));
  assert.deepEqual(paged.map((one) => one.id), made.map((one) => one.id).reverse());
  for (let i = 0; i < 3; i++) await call("POST", `${project.path}/sessions`, { body: { title: `s ${i}`, mode: "auto" } });
  for (const where of [projects, "/api/users", "/api/users/ada/sessions", `${project.path}/sessions`, `${project.path}/activity`, "/api/decisions", `${project.path}/sessions/${chat}/messages`]) {
    const whole = (await get(`${where}?limit=200`)).body;
    assert.ok(whole.items.length >= 1 && whole.next === null, where);
    assert.deepEqual(await walk(where, 1), whole.items, where);
    assert.deepEqual(await walk(where, whole.items.length), whole.items, where);
    for (const query of ["after=no-cursor", "limit=0", "limit=201", "limit=x"]) assert.equal((await get(`${where}?${query}`)).status, 400, `${where}?${query}`);
  }
  assert.equal((await get(`${projects}?q=${made[2].name.toUpperCase()}&state=inactive`)).body.items[0].id, made[2].id);
  assert.deepEqual((await get(`${projects}?state=error`)).body, { items: [], next: null });
});

test("the event stream begins where a list ends, with a log and a session beside it too", async () => {
  const watched = await host.project("ada");
  const lists = { [LIST]: "?user=ada", "/api/users": "", [`${project.path}/activity`]: "?user=ada", "/api/users/ada/sessions": `?user=ada&logs=${project.id}&session=${chat}`,
    [`${project.path}/sessions`]: "?user=ada", [watched.path]: "?user=ada", [`${project.path}/logs`]: `?user=ada&logs=${project.id}`,
    [`${project.path}/sessions/${chat}/messages`]: `?user=ada&session=${chat}`, "/api/scripts": "" };
  for (const [list, query] of Object.entries(lists)) {
    const lastEventId = (await get(list)).headers.get("x-gander-event-id");
    assert.ok(lastEventId, `${list} names no event`);
    const description = `seen after ${list}`;
    const { body } = await call("PATCH", watched.path, { body: { description } });
    const events = stream(`/api/events${query}`, { lastEventId });
    const change = await events.until((e) => e.event === "project" && e.data.id === watched.id);
    assert.deepEqual([change.data.description, change.data.revision], [description, body.revision], list);
    assert.ok(!events.all.some((e) => e.event === "reset"), `${list}: reset`);
    events.close();
  }
  const unknown = stream("/api/events?user=ada&after=nothing-known");
  assert.equal((await unknown.until(() => true)).event, "reset");
  unknown.close();
});

test("HEAD and OPTIONS work on each route, as its GET and its methods say", async () => {
  for (const template of Object.keys(document.paths)) {
    const path = fill(template);
    const methods = Object.keys(document.paths[template]).map((method) => method.toUpperCase());
    const options = await host.request("OPTIONS", path);
    assert.equal(options.status, 204, path);
    for (const method of [...methods, "OPTIONS"]) assert.ok(options.headers.get("allow").split(", ").includes(method), `${method} of ${path}`);
    if (!methods.includes("GET")) continue;
    const head = await host.request("HEAD", path);
    assert.deepEqual([head.status, head.body], [200, ""], path);
    assert.ok(Object.keys(document.paths[template].get.responses["200"].content).includes(head.headers.get("content-type").split(";")[0]), path);
  }
});

test("what is another user's, or nobody's, is not found, in the same words", async () => {
  for (const [method, template] of operations().filter(([, template]) => template.includes("{project}"))) {
    const body = document.paths[template][method.toLowerCase()].requestBody && {
      ...(template.endsWith("/messages") && { content: "x" }), ...(template.includes("/permissions/") && { decision: "allow_once" }),
    };
    for (const names of [{ project: NOBODY }, { user: "grace" }, { user: "nobody" }, ...(template.includes("{session}") ? [{ session: NOBODY }] : [])]) {
      const { status, body: answer } = await call(method, fill(template, names), { body });
      assert.equal(status, 404, `${method} ${template} of ${JSON.stringify(names)}`);
      assert.deepEqual([answer.error.code, answer.error.message], ["not_found", "There is nothing at this address"]);
    }
  }
  for (const where of ["/api/users/nobody/projects", "/api/users/nobody/sessions", "/api/events?user=nobody", `/api/events?user=grace&logs=${project.id}`]) assert.equal((await get(where)).status, 404, where);
});

test("a parameter and a field that a route does not know are refused by name", async () => {
  for (const [method, template] of operations().filter(([, one]) => !one.includes("/scripts/{path}"))) {
    const asked = await call(method, `${fill(template)}?nonsense=1`, { body: method === "GET" || method === "DELETE" ? undefined : {} });
    assert.deepEqual([asked.status, asked.body.error.details[0].field], [400, "nonsense"], `${method} ${template}`);
    if (!document.paths[template][method.toLowerCase()].requestBody) continue;
    const sent = await call(method, fill(template), { body: { nonsense: 1 } });
    assert.ok(sent.status === 400 && sent.body.error.details.some((detail) => detail.field === "nonsense" && detail.rule && detail.message), `${method} ${template}`);
  }
});

test("PATCH merges, PUT replaces, *** is what it was, and a stale tag changes nothing", async () => {
  const { path } = await host.project("ada", { description: "old", settings: { vcpus: 2, env: { A: "first-value", B: "other-value" } } });
  const change = async (method, body, headers) => call(method, path, { body, headers });
  const patched = await change("PATCH", { description: null, settings: { env: { B: null, C: "third-value" }, memory_mb: 512 } }, { "Content-Type": "application/merge-patch+json" });
  assert.deepEqual(patched.body.settings, { vcpus: 2, memory_mb: 512, env: { A: "***", C: "***" } });
  assert.deepEqual(["description" in patched.body, patched.body.revision, patched.headers.get("etag")], [false, 2, '"2"']);
  const replaced = await change("PUT", { settings: { env: { A: "***" } }, source: { type: "git", url: "https://example.org/a.git", username: "u", password: "a-password" } }, { "If-Match": '"2"' });
  assert.deepEqual([replaced.body.settings, replaced.body.source.password, replaced.body.revision], [{ env: { A: "***" } }, "***", 3]);
  assert.equal((await change("PUT", { settings: { env: { C: "***" } } })).status, 400, "there is no C any more");
  assert.equal((await change("PATCH", { source: { url: "https://example.org/b.git" } })).body.source.password, "***");
  assert.ok(!("password" in (await change("PATCH", { source: { url: "https://example.net/b.git" } })).body.source), "another host was given the password");
  const same = await change("PATCH", { settings: {} });
  assert.deepEqual([same.status, same.body.revision], [200, 5]);
  for (const tag of ['"4"', 'W/"4"', '"5-5"', '"5x", "15"']) {
    const stale = await change("PATCH", { name: "never" }, { "If-Match": tag });
    assert.deepEqual([stale.status, stale.body.error.code], [412, "conflict"], tag);
    assert.equal((await call("DELETE", path, { headers: { "If-Match": tag } })).status, 412, tag);
  }
  for (const tag of ['"5"', '"1", "5"', 'W/"5"', "*"]) assert.equal((await change("PATCH", { settings: {} }, { "If-Match": tag })).status, 200, tag);
  assert.equal((await call("DELETE", path, { headers: { "If-Match": '"5"' } })).status, 204);
});

test("a wish and a change at the same time both count in the revision", async () => {
  const { path, revision } = await host.project("ada");
  const changes = [["POST", `${path}/activate`, {}], ["PATCH", path, { description: "a" }], ["PATCH", path, { settings: { vcpus: 1 } }], ["POST", `${path}/deactivate`, {}], ["PATCH", path, { description: "b" }]];
  const answers = await Promise.all(changes.map(([method, where, body]) => call(method, where, { body })));
  const grown = answers.filter((answer, i) => changes[i][0] === "PATCH").map((answer) => answer.body.revision);
  assert.equal(new Set(grown).size, grown.length, `one revision for two changes: ${grown}`);
  assert.ok((await get(path)).body.revision >= revision + grown.length);
  await call("POST", `${path}/deactivate`);
  await waitFor("inactive", async () => (await get(path)).body.state === "inactive");
});

test("/api/events tells of projects, sessions, activity and scripts, and pings", async () => {
  const events = stream("/api/events");
  const { headers } = await events.opened;
  assert.deepEqual(["content-type", "cache-control", "x-accel-buffering"].map((name) => headers.get(name)), ["text/event-stream", "no-store", "no"]);
  const made = await host.project("grace");
  await host.activate(made);
  await call("POST", `${made.path}/messages?wait_s=0`, { body: { content: "/permission look" } });
  const asking = await events.until((e) => e.event === "session" && e.data.status === "waiting_permission" && e.data.project_id === made.id);
  const question = (await get(`${made.path}/sessions/${asking.data.id}`)).body.pending_permissions[0];
  await call("POST", `${made.path}/sessions/${asking.data.id}/permissions/${question.permission_id}`, { body: { decision: "allow_once" } });
  await call("POST", `${made.path}/sessions/${asking.data.id}/cancel`);
  assert.equal((await call("DELETE", `${made.path}?force=true`)).status, 202);
  const gone = await events.until((e) => e.event === "project_deleted" && e.data.id === made.id);
  assert.deepEqual(gone.data, { id: made.id, user_id: "grace" });
  assert.equal((await call("PUT", RULE, { body: RULE_TEXT, headers: { "If-None-Match": "*", "Content-Type": "text/x-lua" } })).status, 201);
  const script = await events.until((e) => e.event === "script");
  assert.deepEqual(script.data, { generation: (await get("/api/scripts")).body.generation, error: null });
  const shapes = { project: "Project", session: "Session", activity: "Activity" };
  for (const e of events.all.filter((one) => shapes[one.event])) at(shapes[e.event], e.data, e.event);
  assert.ok(events.all.every((e) => e.id), "an event without id");
  assert.ok(events.all.filter((e) => e.event === "session").every((e) => e.data.pending_permissions.every((one) => !("input" in one))));
  await waitFor("a ping", () => events.comments > 0, 30_000);
  events.close();
});

test("keepalive is activity, contents counts, a log is read in each form", async () => {
  const before = (await get(project.path)).body;
  const kept = await waitFor("activity", async () => {
    assert.equal((await call("POST", `${project.path}/keepalive`)).status, 204);
    const now = (await get(project.path)).body;
    return now.last_activity_at > (before.last_activity_at ?? "") && now;
  });
  assert.equal(kept.revision, before.revision);
  const { body: contents } = await get(`${project.path}/contents`);
  assert.ok(contents.running && contents.sessions >= 1 && contents.messages >= 2 && contents.log_lines >= 5, JSON.stringify(contents));
  const log = (Accept, query = "") => get(`${project.path}/logs${query}`, { headers: { Accept } });
  const type = async (accept) => (await log(accept)).headers.get("content-type").split(";")[0];
  assert.deepEqual(await Promise.all(["*/*", "application/json, text/plain, */*", "text/plain", "application/x-ndjson"].map(type)), ["application/json", "application/json", "text/plain", "application/x-ndjson"]);
  const lines = (await log("application/x-ndjson", "?source=lifecycle")).body.trim().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) at("Log", line);
  assert.ok(lines.some((line) => line.text.includes("active: healthy")));
});

test("what the host says of itself", async () => {
  const [{ body: version }, { body: system }, { body: ready }] = [await get("/api/version"), await get("/api/system"), await get("/readyz")];
  assert.deepEqual([system.version, system.commit, system.generation], [version.version, version.commit, version.generation]);
  assert.deepEqual([system.users.map((user) => user.id), system.store, system.goose.engine], [["ada", "grace"], { kind: "sqlite", ok: true }, "echo"]);
  assert.deepEqual([ready.ready, ready.checks.map((check) => check.name)], [true, ["store", "scripts", "provider"]]);
  assert.equal((await get("/healthz")).body, "ok\n");
  const { body: metrics } = await get("/metrics");
  for (const line of metrics.trimEnd().split("\n")) assert.match(line, /^(# (HELP|TYPE) gander_\w+ .+|gander_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?\d+(\.\d+)?)$/);
  assert.match(metrics, /^gander_projects\{state="active"\} [1-9]/m);
});

test("scripts and decisions are what the document says", async () => {
  const rule = await get("/api/scripts/policies/idle/after_minutes.lua");
  const { body: list } = await get("/api/scripts");
  assert.equal(`"${list.items.find((item) => item.path === "policies/idle/after_minutes.lua").etag}"`, rule.headers.get("etag"));
  const history = (await get("/api/scripts/policies/idle/after_minutes.lua?history")).body;
  assert.equal((await get(`/api/scripts/policies/idle/after_minutes.lua?generation=${history.items[0].generation}`)).body, rule.body);
  assert.deepEqual((await call("POST", "/api/scripts/check", { body: { files: { "policies/idle/x.lua": "return {" } } })).body.ok, false);
  await call("POST", "/api/scripts", { body: { files: { "policies/idle/contract.lua": `${RULE_TEXT}\n` } } });
  const versions = `${RULE}?history`;
  assert.deepEqual(await walk(versions, 1), (await get(versions)).body.items);
  assert.equal((await get(versions)).body.items.length, 2);
  assert.equal((await call("PUT", RULE, { body: "return {", headers: { "Content-Type": "text/x-lua" } })).status, 400);
  assert.equal((await call("PUT", RULE, { body: RULE_TEXT, headers: { "If-Match": '"0"', "Content-Type": "text/x-lua" } })).status, 412);
  assert.equal((await call("PUT", "/api/scripts/routes/users.lua", { body: RULE_TEXT, headers: { "Content-Type": "text/x-lua" } })).status, 403);
  assert.equal((await call("DELETE", RULE)).status, 204);
  assert.equal((await get("/api/reference")).status, 200);
  const { body: tried } = await call("POST", "/api/policies/idle/after_minutes/dry-run", { body: { project: project.id } });
  assert.deepEqual(tried.items.map((one) => [one.project_id, one.differs]), [[project.id, false]]);
  const { body: decisions } = await get(`/api/decisions?user=ada&project=${project.id}&since=2026-01-01T00:00:00Z`);
  assert.ok(decisions.items.every((one) => one.project_id === project.id) && decisions.items.some((one) => one.decision === "admission" && one.verdict === "allow"));
});

test("a session is made, read, changed and deleted; its events are told", async () => {
  const { body: made, headers } = await call("POST", `${project.path}/sessions`, { body: {} });
  const path = headers.get("location");
  assert.deepEqual([made.title, made.status, made.run, made.message_count, made.memory], ["", "idle", null, 0, "live"]);
  assert.equal((await call("PATCH", path, { body: { title: " named " } })).body.title, "named");
  const events = stream(`${path}/events?after=0`);
  await call("POST", `${project.path}/messages`, { body: { session_id: made.id, content: "hi" } });
  await events.until((e) => e.event === "run_finished");
  events.close();
  assert.equal((await get(path)).body.last_message, "hi");
  assert.equal((await call("DELETE", path)).status, 204);
  assert.equal((await get(path)).status, 404);
});

test("every route of the document was seen to answer as it says", () => {
  const missing = operations().map(([method, template]) => `${method} ${template}`).filter((one) => !served.has(one));
  assert.deepEqual(missing, []);
});
