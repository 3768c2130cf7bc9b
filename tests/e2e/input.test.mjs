// Bad input to the routes of projects, sessions, messages and logs: each is refused with a code, the field and the rule,
// and changes nothing. What the door refuses before any route is http.test.mjs; sources that fail are source.test.mjs.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost } from "./support/host.mjs";

const NOBODY = "01890000-0000-7000-8000-000000000000";
const LIST = "/api/users/ada/projects";

let host;
let project;
let session;
before(async () => {
  host = await startHost({ config: { goose: { engine: "echo" } } });
  project = await host.project("ada");
  session = (await host.post(`${project.path}/sessions`, { title: "first" })).body;
  session.path = `${project.path}/sessions/${session.id}`;
});
after(() => host?.close());

const show = (value) => JSON.stringify(value) ?? String(value);

// An error answer of this status; `field`, when given, is among its details.
function refused(answer, status, code, field) {
  assert.equal(answer.status, status, show(answer.body));
  const { error } = answer.body;
  assert.equal(error.code, code);
  assert.ok(error.message.length > 10, error.message);
  assert.equal(error.request_id, answer.headers.get("x-request-id"));
  if (field === undefined) return error;
  const fault = error.details?.find((detail) => detail.field === field);
  assert.ok(fault, `no detail names '${field}': ${show(error)}`);
  assert.ok(fault.rule && fault.message, show(fault));
  return error;
}

// Send each body and expect the field it names to be refused.
async function refuseEach(send, cases) {
  for (const [field, body] of cases) {
    const answer = await send(body);
    try {
      refused(answer, 400, "invalid", field);
    } catch (error) {
      error.message = `${show(body).slice(0, 200)}: ${error.message}`;
      throw error;
    }
  }
}

const bytes = (method, where, body) => fetch(new URL(where, host.url), { method, body, headers: { "Content-Type": "application/json" } })
  .then(async (response) => ({ status: response.status, headers: response.headers, body: await response.json() }));

test("fields of a new project: type, presence, length, characters, unknown names", async () => {
  const create = (body) => host.post(LIST, body);
  const long = "x".repeat(65);
  await refuseEach(create, [
    ["name", {}], ["name", { name: 5 }], ["name", { name: null }], ["name", { name: ["a"] }], ["name", { name: "" }], ["name", { name: " \t " }],
    ["name", { name: long }], ["name", { name: "a\u0000b" }], ["name", { name: "a\nb" }], ["name", { name: "\u3000\u00a0" }], ["description", { name: "d", description: "x".repeat(501) }],
    ["description", { name: "d", description: {} }], ["nmae", { name: "d", nmae: 1 }], ["state", { name: "d", state: "active" }], ["id", { name: "d", id: NOBODY }],
    ["provider", { name: "d", provider: "nowhere" }], ["provider", { name: "d", provider: 7 }], ["settings", { name: "d", settings: [1] }], ["settings", { name: "d", settings: "x" }],
    ["source.type", { name: "d", source: "git" }],
  ]);
  for (const whole of [[1], "text", 5, null, true]) refused(await create(JSON.stringify(whole)), 400, "invalid");
  assert.equal((await host.get(LIST)).body.items.length, 1);
});

test("every fault of a body is told at once", async () => {
  const { details } = refused(await host.post(LIST, { name: "", description: 1, extra: 2, settings: { vcpus: "two", egress: 3 } }), 400, "invalid");
  const fields = details.map((detail) => detail.field);
  for (const field of ["name", "description", "extra", "settings.vcpus", "settings.egress"]) assert.ok(fields.includes(field), `${field} of ${fields}`);
});

test("settings out of their range or choice", async () => {
  const settings = {
    vcpus: [0, -1, 3, 65, 1.5, "2", null], memory_mb: [0, 63, 1e12, "1g"], timeout_s: [59, 86401, "60"], idle_minutes: [-1, 525601, "ten"], workspace: ["maybe", 1],
    engine: ["gpt", ""], mode: ["root", 5], model: ["", "x".repeat(201), 5], env: ["A=1", ["A"]], runtime: [5, ""], image: [{}],
  };
  const cases = Object.entries(settings).flatMap(([name, values]) => values.map((value) => [`settings.${name}`, { name: "d", settings: { [name]: value } }]));
  await refuseEach((body) => host.post(LIST, body), [...cases, ["settings.colour", { name: "d", settings: { colour: 1 } }]]);
});

test("environment variables: names, values, what Gander sets itself", async () => {
  const env = (value) => ({ name: "d", settings: { env: value } });
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`V${i}`, "x"]));
  const large = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`V${i}`, "x".repeat(32000)]));
  await refuseEach((body) => host.post(LIST, body), [
    ["settings.env.A", env({ A: 5 })], ["settings.env.A", env({ A: "a\u0000b" })], ["settings.env.A", env({ A: "x".repeat(32769) })], ["settings.env.1A", env({ "1A": "x" })],
    ["settings.env.A=B", env({ "A=B": "x" })], ["settings.env.", env({ "": "x" })], ["settings.env.GOOSE_API_TOKEN", env({ GOOSE_API_TOKEN: "x" })],
    ["settings.env.A", env({ A: "***" })], ["settings.env", env(many)], ["settings.env", env(large)],
  ]);
});

test("egress: a word, or lists of hosts and networks", async () => {
  const at = (egress) => ({ name: "d", settings: { egress } });
  await refuseEach((body) => host.post(LIST, body), [
    ["settings.egress", at("open")], ["settings.egress", at(5)], ["settings.egress.allow", at({ allow: "example.org" })], ["settings.egress.hosts", at({ hosts: [] })],
    ["settings.egress.allow[0]", at({ allow: [5] })], ["settings.egress.allow[0]", at({ allow: ["http://example.org/"] })], ["settings.egress.allow[0]", at({ allow: ["10.0.0.0/33"] })],
    ["settings.egress.allow[0]", at({ allow: ["a b"] })], ["settings.egress.allow[0]", at({ allow: ["-x.example.org"] })], ["settings.egress.allow[0]", at({ allow: ["*"] })],
    ["settings.egress.deny[1]", at({ deny: ["192.0.2.0/24", "example.org"] })], ["settings.egress.allow[0]", at({ allow: ["300.1.1.1"] })],
  ]);
  for (const [i, egress] of ["allow", "deny", { allow: [] }, { allow: ["example.org", "*.example.org", "192.0.2.0/24"], deny: ["192.0.2.7"] }].entries()) {
    const made = await host.post(LIST, { name: `egress ${i}`, settings: { egress } });
    assert.equal(made.status, 201, show(made.body));
    assert.deepEqual(made.body.settings.egress, egress);
    assert.equal((await host.del(`${LIST}/${made.body.id}`)).status, 204);
  }
});

test("sources: only what is fetched safely, and never an option", async () => {
  const git = (more) => ({ name: "d", source: { type: "git", url: "https://example.org/a.git", ...more } });
  const urls = ["file:///etc", "/etc", "../x", "ext::sh -c id", "ext::sh%20-c%20id", "fd::17", "--upload-pack=touch /tmp/x", "-x", "http://example.org/a", "ssh://-oProxyCommand=id/x",
    "git@-oProxyCommand=id:x", "https://", "https:///a", "https://a b/", "https://u:p@example.org/a", "", 5, "https://example.org/'", "x".repeat(2001)];
  await refuseEach((body) => host.post(LIST, body), [
    ...urls.map((url) => ["source.url", git({ url })]), ["source.url", { name: "d", source: { type: "git" } }], ["source.url", { name: "d", source: { type: "tarball", url: "http://example.org/a.tgz" } }],
    ...["--x", "-b", "a b", "", "../x;", 5].map((revision) => ["source.revision", git({ revision })]),
    ...["../x", "/etc", "a/../../x", "-x", 5].map((directory) => ["source.directory", git({ directory })]),
    ["source.install", git({ install: "npm ci" })], ["source.install", git({ install: [] })], ["source.start[0]", git({ start: [""] })], ["source.start[1]", git({ start: ["a", "b\u0000"] })],
    ["source.type", { name: "d", source: { type: "svn", url: "x" } }], ["source.type", { name: "d", source: {} }], ["source.url", { name: "d", source: { type: "builtin", url: "x" } }],
    ["source.password", git({ password: "***" })], ["source.branch", git({ branch: "main" })], ["source.type", { name: "d", source: { type: "image", image: "x" } }],
    ["source.type", { name: "d", source: { type: "snapshot", snapshot_id: "x" } }],
  ]);
});

test("malformed JSON, deep nesting and broken UTF-8 are refused on every route with a body", async () => {
  const routes = [["POST", LIST], ["PATCH", project.path], ["PUT", project.path], ["POST", `${project.path}/activate`], ["POST", `${project.path}/deactivate`], ["POST", `${project.path}/sessions`],
    ["PATCH", session.path], ["POST", `${project.path}/messages`], ["POST", `${session.path}/cancel`], ["POST", `${session.path}/permissions/x`]];
  const broken = [Buffer.from("{"), Buffer.from('{"name":"a",}'), Buffer.from("[".repeat(2048)), Buffer.from("{'name':1}"), Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    Buffer.from('{"name":"\\ud800"}'), Buffer.from('{"name":"a"} x'), Buffer.from("NaN")];
  for (const [method, where] of routes) {
    for (const body of broken) {
      const answer = await bytes(method, where, body);
      assert.equal(answer.status, 400, `${method} ${where} ${body.toString("latin1").slice(0, 30)}: ${show(answer.body)}`);
      assert.equal(answer.body.error.code, "invalid");
    }
  }
  assert.equal((await host.get(project.path)).body.name, project.name);
});

test("a name that is taken, in another case or width or with other blanks, is a conflict", async () => {
  const made = await host.post(LIST, { name: "Straße  Nr 1" });
  assert.equal(made.status, 201);
  for (const name of ["Straße  Nr 1", "STRASSE NR 1", " straße nr 1 ", "Ｓｔｒａｓｓｅ　Nr\u00a01"]) {
    const error = refused(await host.post(LIST, { name }), 409, "conflict", "name");
    assert.equal(error.details[0].reason, "name_taken", name);
    refused(await host.patch(project.path, { name }), 409, "conflict", "name");
  }
  assert.equal((await host.post("/api/users/grace/projects", { name: "straße nr 1" })).status, 201);
  assert.equal((await host.patch(`${LIST}/${made.body.id}`, { name: "STRASSE NR 1" })).status, 200, "its own name in another case");
  assert.equal((await host.del(`${LIST}/${made.body.id}`)).status, 204);
  assert.equal((await host.post(LIST, { name: "strasse nr 1" })).status, 201, "free again after the delete");
});

test("another user's project answers as one that does not exist", async () => {
  const routes = [["GET", ""], ["PUT", "", { name: "x" }], ["PATCH", "", { name: "x" }], ["DELETE", ""], ["POST", "/activate", {}], ["POST", "/deactivate", {}], ["POST", "/keepalive", {}], ["GET", "/status"],
    ["GET", "/activity"], ["GET", "/contents"], ["GET", "/logs"], ["POST", "/messages", { content: "x" }], ["GET", "/sessions"], ["POST", "/sessions", {}], ["GET", `/sessions/${session.id}`],
    ["PATCH", `/sessions/${session.id}`, { title: "x" }], ["DELETE", `/sessions/${session.id}`], ["GET", `/sessions/${session.id}/messages`], ["GET", `/sessions/${session.id}/events`],
    ["POST", `/sessions/${session.id}/cancel`, {}], ["POST", `/sessions/${session.id}/permissions/x`, { decision: "allow_once" }]];
  for (const [method, rest, body] of routes) {
    const ask = (base) => host.request(method, base + rest, { body });
    const other = refused(await ask(`/api/users/grace/projects/${project.id}`), 404, "not_found");
    for (const base of [`${LIST}/${NOBODY}`, `/api/users/grace/projects/${NOBODY}`, `/api/users/nobody/projects/${project.id}`, `${LIST}/x`, `${LIST}/${"9".repeat(300)}`]) {
      const none = refused(await ask(base), 404, "not_found");
      assert.equal(none.message, other.message, `${method} ${base}${rest}`);
    }
  }
  for (const where of ["/api/users/nobody/projects", "/api/users/nobody/sessions", "/api/events?user=nobody", `/api/events?user=grace&logs=${project.id}`, `/api/events?user=grace&session=${session.id}`]) refused(await host.get(where), 404, "not_found");
  assert.equal((await host.get(session.path)).body.title, "first");
});

test("ids with %2F, %00 or stray percent signs reach nothing", async () => {
  refused(await host.get(`${LIST}/${project.id}%2Fstatus`), 404, "not_found");
  refused(await host.get(`${LIST}/..%2F..%2Fsystem`), 404, "not_found");
  refused(await host.get(`${LIST}/${project.id}%00`), 400, "invalid");
  refused(await host.get(`${project.path}/sessions/%00`), 400, "invalid");
  refused(await host.get(`${project.path}/sessions/${session.id}%2Fmessages`), 404, "not_found");
  refused(await host.post(`${session.path}/permissions/a%2Fb`, { decision: "allow_once" }), 404, "not_found");
  refused(await host.get(`${project.path}/sessions/%zz`), 400, "invalid");
  refused(await host.get(`${LIST}/%ff%fe`), 400, "invalid");
});

test("page parameters: limit, after, before, order, filters, unknown ones", async () => {
  const lists = [LIST, `${project.path}/activity`, `${project.path}/sessions`, "/api/users/ada/sessions", "/api/decisions"];
  for (const where of lists) {
    for (const limit of ["0", "201", "-1", "1.5", "ten", "", "1e1x", "99999999999999999999"]) refused(await host.get(`${where}?limit=${limit}`), 400, "invalid", "limit");
    for (const cursor of ["nonsense", "%7B%7D", "W10", "bnVsbA", "x".repeat(2001)]) refused(await host.get(`${where}?after=${cursor}`), 400, "invalid");
    refused(await host.get(`${where}?page=2`), 400, "invalid", "page");
  }
  for (const where of [`${project.path}/logs`, `${session.path}/messages`]) {
    for (const [name, values] of Object.entries({ limit: ["0", "2001", "x"], after: ["-1", "x", "1.5", "99999999999999999999"], before: ["0", "x"], order: ["up", ""], seq: ["1"] })) {
      for (const value of values) refused(await host.get(`${where}?${name}=${value}`), 400, "invalid", name);
    }
  }
  for (const [name, value] of [["source", "kernel"], ["level", "loud"], ["q", ""], ["q", "x".repeat(201)]]) refused(await host.get(`${project.path}/logs?${name}=${value}`), 400, "invalid", name);
  refused(await host.get(`${project.path}/logs?q=x`, { headers: { Accept: "text/event-stream" } }), 400, "invalid", "q");
  for (const query of ["q=%ff", "q=%00", "%ff=1", "state=%ff", "after=%ff"]) refused(await host.get(`${LIST}?${query}`), 400, "invalid");
  refused(await host.get(`${LIST}?state=asleep`), 400, "invalid", "state");
  for (const [name, value] of [["project", "x"], ["since", "yesterday"], ["user", "x".repeat(65)]]) refused(await host.get(`/api/decisions?${name}=${value}`), 400, "invalid", name);
  refused(await host.get("/api/events?logs=x"), 400, "invalid", "logs");
});

test("a cursor of one list is not taken by another", async () => {
  await host.project("ada");
  const { next } = (await host.get(`${LIST}?limit=1`)).body;
  assert.ok(next);
  refused(await host.get(`/api/decisions?after=${encodeURIComponent(next)}`), 400, "invalid");
});

test("PATCH merges, null removes, *** keeps, and a revision that changes nothing stays", async () => {
  const made = await host.project("ada", { description: "one", settings: { vcpus: 2, env: { TOKEN: "hush-hush-hush", PLAIN: "x" } } });
  assert.deepEqual(made.settings.env, { TOKEN: "***", PLAIN: "***" });
  const changed = (await host.patch(made.path, { settings: { env: { TOKEN: "***", PLAIN: null, MORE: "y" }, vcpus: null, memory_mb: 512 }, description: null })).body;
  assert.deepEqual(changed.settings, { env: { TOKEN: "***", MORE: "***" }, memory_mb: 512 });
  assert.equal(changed.description, undefined);
  assert.equal(changed.revision, made.revision + 1);
  const same = await host.patch(made.path, { settings: { memory_mb: 512, env: { TOKEN: "***" } } });
  assert.equal(same.body.revision, changed.revision);
  await refuseEach((body) => host.patch(made.path, body), [
    ["name", { name: null }], ["name", { name: 5 }], ["settings.env.NEW", { settings: { env: { NEW: "***" } } }], ["settings.vcpus", { settings: { vcpus: 3 } }], ["state", { state: "active" }],
    ["desired", { desired: "active" }], ["source.url", { source: { type: "git", url: "file:///etc" } }], ["settings", { settings: 5 }], ["settings.env", { settings: { env: "x" } }],
  ]);
  const put = (await host.put(made.path, { settings: { env: { TOKEN: "***" } } })).body;
  assert.deepEqual(put.settings, { env: { TOKEN: "***" } });
  assert.equal(put.name, made.name);
});

test("If-Match: a stale revision is 412 and writes nothing", async () => {
  const made = await host.project("ada");
  const etag = (await host.get(made.path)).headers.get("etag");
  assert.equal(etag, `"${made.revision}"`);
  for (const method of ["patch", "put"]) {
    const error = refused(await host[method](made.path, { description: "x" }, { headers: { "If-Match": '"999"' } }), 412, "conflict");
    assert.equal(error.details[0].reason, "stale");
  }
  assert.equal((await host.get(made.path)).body.description, undefined);
  const fine = await host.patch(made.path, { description: "x" }, { headers: { "If-Match": etag } });
  assert.equal(fine.status, 200);
  assert.notEqual(fine.headers.get("etag"), etag);
  refused(await host.patch(made.path, { description: "y" }, { headers: { "If-Match": etag } }), 412, "conflict");
  assert.equal((await host.patch(made.path, { description: "y" }, { headers: { "If-Match": "*" } })).status, 200);
});

test("a password stays with its host", async () => {
  const url = "https://git.example.org/a.git";
  const made = await host.project("ada", { source: { type: "git", url, username: "u", password: "a-long-password" } });
  assert.equal(made.source.password, "***");
  assert.equal((await host.patch(made.path, { source: { url: "https://git.example.org/b.git" } })).body.source.password, "***");
  const moved = (await host.patch(made.path, { source: { url: "https://elsewhere.example.org/a.git" } })).body;
  assert.equal(moved.source.password, undefined);
  refused(await host.patch(made.path, { source: { password: "***" } }), 400, "invalid", "source.password");
});

test("sessions, messages and permissions: bodies", async () => {
  const sessions = `${project.path}/sessions`;
  await refuseEach((body) => host.post(sessions, body), [["title", { title: "" }], ["title", { title: "x".repeat(201) }], ["title", { title: 5 }], ["mode", { mode: "root" }], ["id", { id: NOBODY }]]);
  await refuseEach((body) => host.patch(session.path, body), [["title", { title: null }], ["title", { title: "  " }], ["mode", { mode: 1 }], ["status", { status: "idle" }]]);
  await refuseEach((body) => host.post(`${project.path}/messages`, body), [
    ["content", {}], ["content", { content: "" }], ["content", { content: 5 }], ["content", { content: "x".repeat(200001) }], ["session_id", { content: "x", session_id: "x" }],
    ["message_id", { content: "x", message_id: "x" }], ["role", { content: "x", role: "system" }],
  ]);
  for (const wait of ["-1", "x", "100000"]) refused(await host.post(`${project.path}/messages?wait_s=${wait}`, { content: "x" }), 400, "invalid", "wait_s");
  refused(await host.post(`${project.path}/messages`, { content: "x", session_id: NOBODY }), 404, "not_found");
  const inactive = refused(await host.post(`${project.path}/messages`, { content: "x" }), 409, "conflict");
  assert.match(inactive.message, /activate it/);
  assert.equal(inactive.details[0].reason, "not_active");
  await refuseEach((body) => host.post(`${session.path}/permissions/x`, body), [["decision", {}], ["decision", { decision: "maybe" }], ["decision", { decision: true }]]);
  refused(await host.post(`${session.path}/permissions/x`, { decision: "allow_once" }), 404, "not_found");
});

test("commands take only what they know", async () => {
  await refuseEach((body) => host.post(`${project.path}/activate`, body), [["force", { force: true }]]);
  await refuseEach((body) => host.post(`${project.path}/deactivate`, body), [["force", { force: "yes" }], ["now", { now: true }]]);
  refused(await host.del(`${project.path}?force=maybe`), 400, "invalid", "force");
  refused(await host.del(`${project.path}?now=1`), 400, "invalid", "now");
  refused(await host.request("GET", `${project.path}/status?x=1`), 400, "invalid", "x");
  refused(await host.post(`${session.path}/cancel`, { run_id: "x" }), 400, "invalid", "run_id");
  assert.equal((await host.get(project.path)).body.state, "inactive");
});
