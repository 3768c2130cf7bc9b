// SPDX-License-Identifier: Apache-2.0
//
// Contract of the Goose API server: health, token, sessions, bad input.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import test from "node:test";
import { eachEngine, startServer, TOKEN, until } from "./harness.mjs";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

eachEngine("health is open and says engine, model and instance", async (t, engine) => {
  const api = await startServer(t, engine);
  const { status, body } = await api.call("GET", "/health", undefined, { Authorization: "" });
  assert.equal(status, 200);
  assert.equal(body.status, "ok");
  assert.equal(body.api, 1);
  assert.equal(body.engine, engine);
  assert.equal(body.can_chat, true);
  assert.deepEqual(body.model, engine === "goose" ? { name: "demo", demo: true } : { name: "echo", demo: true });
  assert.match(body.instance_id, /^[0-9a-f-]{36}$/);
  assert.equal(body.active_runs, 0);
  assert.equal(typeof body.uptime_s, "number");
});

eachEngine("a session is made, listed, changed and deleted", async (t, engine) => {
  const api = await startServer(t, engine);
  const id = randomUUID();
  const made = await api.session({ id, title: "first", mode: "approve", first_seq: 100 });
  assert.equal(made.id, id);
  assert.equal(made.status, "idle");
  assert.equal(made.memory, "live");
  assert.match(made.created_at, ISO);
  const again = await api.call("POST", "/sessions", { id });
  assert.equal(again.status, 200);
  assert.equal(again.body.title, "first");
  await api.session({});
  const list = (await api.call("GET", "/sessions")).body;
  assert.equal(list.total, 2);
  assert.ok(list.sessions.some((session) => session.id === id));
  const changed = await api.call("PATCH", `/sessions/${id}`, { title: "second", mode: "chat" });
  assert.equal(changed.status, 200);
  const read = await api.read(id);
  assert.deepEqual([read.title, read.mode, read.messages, read.pending_permissions, read.run], ["second", "chat", [], [], null]);
  assert.equal(read.seq, 100, "the change was event first_seq");
  assert.equal((await api.call("DELETE", `/sessions/${id}`)).status, 204);
  assert.equal((await api.call("GET", `/sessions/${id}`)).status, 404);
});

eachEngine("deleting a session that runs cancels its run", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.slow);
  await stream.next("message_delta");
  assert.equal((await api.call("DELETE", `/sessions/${id}`)).status, 204);
  assert.equal((await stream.end()).at(-1).data.status, "cancelled");
});

eachEngine("every route but health wants the token", async (t, engine) => {
  const api = await startServer(t, engine);
  const id = randomUUID();
  const routes = [
    ["GET", "/sessions"], ["POST", "/sessions"], ["GET", `/sessions/${id}`], ["PATCH", `/sessions/${id}`], ["DELETE", `/sessions/${id}`], ["GET", `/sessions/${id}/events`],
    ["POST", `/sessions/${id}/cancel`], ["POST", `/sessions/${id}/permissions/${id}`], ["POST", "/messages"], ["GET", "/log"], ["GET", "/nothing"],
  ];
  for (const [method, route] of routes) {
    for (const Authorization of ["", "Bearer wrong", `Basic ${TOKEN}`, "Bearer "]) {
      const { status, body } = await api.call(method, route, undefined, { Authorization });
      assert.equal(status, 401, `${method} ${route} with "${Authorization}"`);
      assert.equal(body.error.code, "denied");
    }
  }
});

test("the SHA-256 of the token is enough", async (t) => {
  const api = await startServer(t, "echo", { GOOSE_API_TOKEN: undefined, GOOSE_API_TOKEN_SHA256: createHash("sha256").update(TOKEN).digest("hex") });
  assert.equal((await api.call("GET", "/sessions")).status, 200);
  assert.equal((await api.call("GET", "/sessions", undefined, { Authorization: "Bearer x" })).status, 401);
});

test("without a token, or with rubbish in its environment, it does not start", async (t) => {
  for (const variables of [{ GOOSE_API_TOKEN: undefined }, { GOOSE_API_TOKEN_SHA256: "abc" }, { GOOSE_API_PORT: "ten" }, { GOOSE_API_MODE: "yolo" }, { GOOSE_API_ENGINE: "goose", GOOSE_BIN: "/nonexistent" }]) {
    const api = await startServer(t, "echo", variables);
    assert.equal(await api.exited, 2, JSON.stringify(variables));
    assert.match(api.output, /goose-api: /);
  }
});

test("GOOSE_API_UNSAFE_NO_TOKEN serves without one", async (t) => {
  const api = await startServer(t, "echo", { GOOSE_API_TOKEN: undefined, GOOSE_API_UNSAFE_NO_TOKEN: "1" });
  assert.equal((await api.call("GET", "/sessions", undefined, { Authorization: "" })).status, 200);
});

test("bad input gets 400 with a code and a sentence, on each route", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  const message_id = randomUUID();
  const bad = [
    ["POST", "/sessions", "{"], ["POST", "/sessions", "[]"], ["POST", "/sessions", "[".repeat(2048)], ["POST", "/sessions", new Uint8Array([0x22, 0xff, 0x22])], ["POST", "/sessions", "null"],
    ["POST", "/sessions", { id: "x" }], ["POST", "/sessions", { id: 7 }], ["POST", "/sessions", { title: 7 }], ["POST", "/sessions", { title: "x".repeat(201) }], ["POST", "/sessions", { mode: "yolo" }],
    ["POST", "/sessions", { cwd: "relative" }], ["POST", "/sessions", { cwd: "/nonexistent" }], ["POST", "/sessions", { first_seq: 0 }], ["POST", "/sessions", { first_seq: "1" }], ["POST", "/sessions", { colour: "red" }],
    ["POST", "/sessions", { history: {} }], ["POST", "/sessions", { history: [7] }], ["POST", "/sessions", { history: [{ role: "root", parts: [] }] }], ["POST", "/sessions", { history: [{ role: "user", parts: [{ type: "text" }] }] }],
    ["POST", "/sessions", { history: [{ role: "user", parts: [{ type: "toString" }] }] }], ["POST", "/sessions", { history: [{ role: "user", parts: [null] }] }], ["POST", "/sessions", '{"__proto__": {}}'],
    ["PATCH", `/sessions/${id}`, { title: "" }], ["PATCH", `/sessions/${id}`, { mode: 1 }], ["PATCH", `/sessions/${id}`, { id }],
    ["POST", "/messages", {}], ["POST", "/messages", { message_id }], ["POST", "/messages", { message_id, content: "" }], ["POST", "/messages", { message_id, content: "  " }], ["POST", "/messages", { message_id: 1, content: "x" }],
    ["POST", "/messages", { message_id, content: ["x"] }], ["POST", "/messages", { message_id, content: "x", session_id: "../x" }], ["POST", "/messages", { message_id, content: "x", more: 1 }],
    ["POST", `/sessions/${id}/cancel`, { run_id: 1 }], ["POST", `/sessions/${id}/permissions/${id}`, { decision: "maybe" }], ["POST", `/sessions/${id}/permissions/${id}`, {}],
    ["GET", `/sessions/${id}/events?after=-1`], ["GET", `/sessions/${id}/events?after=x`], ["GET", "/log?after=1.5"],
  ];
  for (const [method, route, body] of bad) {
    const answer = await api.call(method, route, body);
    assert.equal(answer.status, 400, `${method} ${route} ${JSON.stringify(body)}`);
    assert.equal(answer.body.error.code, "invalid");
    assert.match(answer.body.error.message, /\w.*\.$|JSON/);
  }
  assert.equal((await api.call("GET", `/sessions/${id}/events`, undefined, { "Last-Event-ID": "soon" })).status, 400);
  assert.equal((await api.call("GET", "/sessions")).body.total, 1, "nothing was made on the way");
});

test("unknown ids, paths and methods are told apart", async (t) => {
  const api = await startServer(t, "echo");
  const id = randomUUID();
  const { id: known } = await api.session();
  for (const [method, route, body] of [
    ["GET", `/sessions/${id}`], ["PATCH", `/sessions/${id}`, {}], ["DELETE", `/sessions/${id}`], ["GET", `/sessions/${id}/events`], ["POST", `/sessions/${id}/cancel`, {}], ["GET", "/nothing"], ["GET", "/sessions/%00"],
    ["POST", `/sessions/${known}/permissions/${id}`, { decision: "allow_once" }], ["POST", "/messages", { session_id: id, message_id: id, content: "x" }],
  ]) {
    assert.equal((await api.call(method, route, body)).status, 404, `${method} ${route}`);
  }
  const wrong = await api.call("PUT", "/sessions", {});
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, POST"]);
});

test("a body over 1 MiB gets 413", async (t) => {
  const api = await startServer(t, "echo");
  const { status } = await api.call("POST", "/messages", { message_id: randomUUID(), content: "x".repeat(1024 * 1024) });
  assert.equal(status, 413);
});

test("sessions and runs are bounded", async (t) => {
  const api = await startServer(t, "echo", { GOOSE_API_MAX_SESSIONS: "2", GOOSE_API_MAX_RUNS: "1" });
  const [one, two] = [await api.session(), await api.session()];
  assert.equal((await api.call("POST", "/sessions", {})).status, 429);
  const stream = await api.send(one.id, "/slow 400");
  await stream.next("message_delta");
  assert.equal((await api.call("POST", "/messages", { session_id: two.id, message_id: randomUUID(), content: "x" })).status, 429);
  await api.call("POST", `/sessions/${one.id}/cancel`, {});
  await stream.end();
});

test("its log is followed from an offset", async (t) => {
  const api = await startServer(t, "echo", { SOME_API_KEY: "the-secret-value" });
  const abort = new AbortController();
  const response = await fetch(`${api.url}/log?after=0`, { headers: { Authorization: `Bearer ${TOKEN}` }, signal: abort.signal });
  assert.match(response.headers.get("content-type"), /x-ndjson/);
  let text = "";
  const reading = (async () => {
    for await (const bytes of response.body) text += Buffer.from(bytes).toString();
  })().catch(() => {});
  await api.call("GET", "/the-secret-value");
  await until(() => text.includes("/***"), "the request's line");
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.offset), lines.map((_, i) => i + 1));
  assert.ok(lines.every((line) => ISO.test(line.at) && line.stream === "stdout"));
  assert.ok(!api.output.includes("the-secret-value"));
  abort.abort();
  await reading;
});
