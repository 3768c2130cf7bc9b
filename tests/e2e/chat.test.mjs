// Trip D: a chat message, over REST and event streams alone. The echo engine answers in a real sandbox.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

let host;
let project;

before(async () => {
  host = await startHost({ config: { goose: { engine: "echo" } } });
  project = await host.project("ada", { settings: { env: { MY_TOKEN: "sk-e2e-very-secret-value" } } });
  await host.activate(project);
});

after(async () => {
  await host?.close();
});

const text = (message) => message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
const say = (content, more = {}, query = "") => host.post(`${project.path}/messages${query}`, { content, ...more });
const session = async (id) => (await host.get(`${project.path}/sessions/${id}`)).body;
const messages = async (id) => (await host.get(`${project.path}/sessions/${id}/messages`)).body.items;
const idle = (id) => waitFor("the session is idle", async () => (await session(id)).status === "idle");
const textOf = (stream, role = "message_delta") => stream.all.filter((e) => e.event === role).map((e) => e.data.text).join("");

test("waits for the whole answer and stores question and answer", async () => {
  const { status, body } = await say("hello from the test");
  assert.equal(status, 200);
  assert.equal(body.status, "completed");
  assert.match(body.run_id, /^[0-9a-f-]{36}$/);
  assert.equal(text(body.message), "hello from the test");
  const stored = await messages(body.session_id);
  assert.deepEqual(stored.map((m) => [m.seq, m.role, text(m), m.status]), [
    [1, "user", "hello from the test", "complete"],
    [2, "assistant", "hello from the test", "complete"],
  ]);
  const now = await session(body.session_id);
  assert.equal(now.status, "idle");
  assert.equal(now.run, null);
  assert.equal(now.message_count, 2);
  assert.equal(now.memory, "live");
  assert.equal(now.engine, "echo");
});

test("streams the answer when asked to, and ends with the run", async () => {
  const stream = host.events(`${project.path}/messages`, { body: { content: "one two three four" } });
  const finished = await stream.until((e) => e.event === "run_finished");
  assert.equal(finished.data.status, "completed");
  await stream.ended;
  const names = stream.all.map((e) => e.event);
  assert.equal(names[0], "run_started");
  assert.equal(names.at(-1), "run_finished");
  assert.equal(textOf(stream), "one two three four");
  const seqs = stream.all.map((e) => e.data.seq);
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
  assert.equal(new Set(seqs).size, seqs.length);
});

test("wait_s=0 answers at once and the events come by /api/events", async () => {
  const made = (await host.post(`${project.path}/sessions`, { title: "by events" })).body;
  const page = host.events(`/api/events?user=ada&session=${made.id}`);
  await page.opened;
  const { body } = await say("/slow 20", { session_id: made.id }, "?wait_s=0");
  assert.equal(body.status, "running");
  assert.equal(body.session_id, made.id);
  await page.until((e) => e.event === "run_finished");
  assert.equal(textOf(page).trim().split(" ").length, 20);
  assert.ok(page.all.some((e) => e.event === "session" && e.data.id === made.id && e.data.status === "running"));
  await page.until((e) => e.event === "session" && e.data.id === made.id && e.data.status === "idle");
  page.close();
});

test("the same message_id joins the run and never makes a second one", async () => {
  const message_id = randomUUID();
  const first = say("/slow 20", { message_id });
  const { body: running } = await waitFor("the first is taken on", async () => {
    const answer = await say("/slow 20", { message_id }, "?wait_s=0");
    return answer.status === 200 && answer;
  });
  const [a, b] = await Promise.all([first, say("/slow 20", { message_id })]);
  assert.equal(a.body.run_id, b.body.run_id);
  assert.equal(a.body.message.id, b.body.message.id);
  assert.equal(running.session_id, a.body.session_id);
  assert.equal((await messages(a.body.session_id)).length, 2);
  const late = host.events(`${project.path}/messages`, { body: { message_id, content: "/slow 20" } });
  await late.until((e) => e.event === "run_finished");
  assert.equal((await say("another text", { message_id })).status, 409);
});

test("a second message is refused while the first runs, and says with what", async () => {
  const { body } = await say("/slow 40", {}, "?wait_s=0");
  const refused = await say("too early", { session_id: body.session_id });
  assert.equal(refused.status, 409);
  assert.equal(refused.body.error.code, "conflict");
  assert.equal(refused.body.error.details[0].reason, "session_busy");
  assert.equal(refused.body.error.details[0].run_id, body.run_id);
  await idle(body.session_id);
});

test("cancel ends a run; its partial answer stays", async () => {
  const { body } = await say("/slow 400", {}, "?wait_s=0");
  await waitFor("some text", async () => (await messages(body.session_id)).some((m) => m.role === "assistant" && text(m).length > 5));
  const cancelled = await host.post(`${project.path}/sessions/${body.session_id}/cancel`);
  assert.equal(cancelled.status, 202);
  assert.equal(cancelled.body.cancelled, true);
  await idle(body.session_id);
  const [, answer] = await messages(body.session_id);
  assert.equal(answer.status, "partial");
  assert.ok(text(answer).length < 1500);
  assert.equal((await host.post(`${project.path}/sessions/${body.session_id}/cancel`)).body.cancelled, false);
});

test("a permission question is answered once, by whom is kept", async () => {
  const { body } = await say("/permission write a file");
  assert.equal(body.status, "waiting_permission");
  const question = body.permission;
  assert.equal(question.name, "pretend");
  assert.deepEqual(question.input, { argument: "write a file" });
  const shown = await session(body.session_id);
  assert.equal(shown.status, "waiting_permission");
  assert.equal(shown.pending_permissions[0].permission_id, question.permission_id);
  const where = `${project.path}/sessions/${body.session_id}/permissions/${question.permission_id}`;
  assert.equal((await host.post(where, { decision: "perhaps" })).status, 400);
  const answers = await Promise.all([1, 2, 3].map(() => host.post(where, { decision: "allow_once" }, { headers: { "X-Gander-User": "grace" } })));
  assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409, 409]);
  await idle(body.session_id);
  const stored = await messages(body.session_id);
  const tool = stored[1].parts.find((part) => part.type === "tool");
  assert.equal(tool.status, "completed");
  assert.equal(tool.permission.decision, "allow_once");
  assert.equal(tool.permission.who, "grace");
  const again = await host.post(where, { decision: "reject_once" });
  assert.equal(again.status, 409);
  assert.equal(again.body.error.details[0].reason, "already_decided");
});

test("a question whose run was cancelled has expired", async () => {
  const { body } = await say("/permission x");
  const where = `${project.path}/sessions/${body.session_id}/permissions/${body.permission.permission_id}`;
  await host.post(`${project.path}/sessions/${body.session_id}/cancel`);
  await idle(body.session_id);
  assert.equal((await host.post(where, { decision: "allow_once" })).status, 410);
  assert.equal((await host.post(where.slice(0, -2) + "zz", { decision: "allow_once" })).status, 404);
});

test("a failed run says why, in the answer and in the history", async () => {
  const { body } = await say("/fail");
  assert.equal(body.status, "failed");
  assert.equal(body.error.code, "model_error");
  const stored = await messages(body.session_id);
  assert.ok(stored.some((m) => m.role === "notice" && m.parts[0].kind === "error"));
});

test("a secret of the project shows nowhere, not even in pieces", async () => {
  const secret = "sk-e2e-very-secret-value";
  const stream = host.events(`${project.path}/messages`, { body: { content: `please echo ${secret} back to me` } });
  await stream.until((e) => e.event === "run_finished");
  assert.ok(!JSON.stringify(stream.all).includes("very-secret"), "the stream shows it");
  const whole = "please echo *** back to me";
  assert.ok(whole.startsWith(textOf(stream)), textOf(stream)); // a held end comes with the message alone
  const said = stream.all.find((e) => e.event === "message" && e.data.message.role === "assistant");
  assert.equal(text(said.data.message), whole);
  const id = stream.all[0].data.session_id;
  const answer = (await messages(id)).find((m) => m.role === "assistant");
  assert.equal(text(answer), whole);
});

test("history and stream fit together: nothing missed, nothing twice", async () => {
  const { body } = await say("/slow 100", {}, "?wait_s=0");
  await waitFor("some text", async () => (await messages(body.session_id)).some((m) => m.role === "assistant" && text(m).length > 20));
  const page = await host.get(`${project.path}/sessions/${body.session_id}/messages`);
  const soFar = text(page.body.items.find((m) => m.role === "assistant"));
  const stream = host.events(`/api/events?user=ada&session=${body.session_id}`, { lastEventId: page.headers.get("x-gander-event-id") });
  await stream.until((e) => e.event === "run_finished" && e.data.session_id === body.session_id);
  assert.ok(!stream.all.some((e) => e.event === "reset"), "reset");
  const whole = text((await messages(body.session_id)).find((m) => m.role === "assistant"));
  assert.equal(soFar + textOf(stream), whole);
  stream.close();
});

test("a session's stream resumes where it stopped", async () => {
  const { body } = await say("/slow 100", {}, "?wait_s=0");
  const where = `${project.path}/sessions/${body.session_id}/events`;
  const first = host.events(`${where}?after=0`);
  await first.until((e) => e.event === "message_delta");
  first.close();
  const second = host.events(where, { lastEventId: first.lastId });
  await second.until((e) => e.event === "run_finished");
  const whole = text((await messages(body.session_id)).find((m) => m.role === "assistant"));
  assert.equal(textOf(first) + textOf(second), whole);
  second.close();
});

test("sessions are listed, renamed and deleted", async () => {
  const made = await host.post(`${project.path}/sessions`, { title: "A title", mode: "smart_approve" });
  assert.equal(made.status, 201);
  assert.equal(made.body.mode, "smart_approve");
  const where = `${project.path}/sessions/${made.body.id}`;
  const changed = await host.patch(where, { title: "Another", mode: "chat" });
  assert.equal(changed.body.title, "Another");
  await say("hi", { session_id: made.body.id });
  const kept = await session(made.body.id);
  assert.deepEqual([kept.title, kept.mode], ["Another", "chat"]);
  const mine = (await host.get("/api/users/ada/sessions")).body.items;
  assert.ok(mine.some((s) => s.id === made.body.id));
  assert.equal((await host.get(`/api/users/grace/projects/${project.id}/sessions`)).status, 404);
  assert.equal((await host.del(where)).status, 204);
  assert.equal((await host.get(where)).status, 404);
  assert.equal((await host.get(`${where}/messages`)).status, 404);
});

test("bad input is refused with the field and the rule", async () => {
  const cases = [
    [{}, "content"],
    [{ content: "" }, "content"],
    [{ content: "   " }, "content"],
    [{ content: 5 }, "content"],
    [{ content: "x".repeat(200_001) }, "content"],
    [{ content: "x", message_id: "abc" }, "message_id"],
    [{ content: "x", session_id: "../x" }, "session_id"],
    [{ content: "x", colour: "red" }, "colour"],
  ];
  for (const [body, field] of cases) {
    const answer = await host.post(`${project.path}/messages`, body);
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 80));
    assert.equal(answer.body.error.code, "invalid");
    assert.ok(answer.body.error.details.some((d) => d.field === field), JSON.stringify(answer.body));
  }
  assert.equal((await say("x", { session_id: randomUUID() })).status, 404);
  assert.equal((await say("x", {}, "?wait_s=601")).status, 400);
  assert.equal((await host.post(`${project.path}/messages`, '{"content": "x"')).status, 400);
});

test("kill -9 in the middle of an answer: it goes on, and is stored whole", async () => {
  const { body } = await say("/slow 150", {}, "?wait_s=0");
  await waitFor("some text", async () => (await messages(body.session_id)).some((m) => m.role === "assistant" && text(m).length > 20));
  await host.kill();
  await host.start();
  await idle(body.session_id);
  const stored = await messages(body.session_id);
  assert.deepEqual(stored.map((m) => [m.seq, m.role, m.status]), [[1, "user", "complete"], [2, "assistant", "complete"]]);
  assert.equal(text(stored[1]).trim(), Array.from({ length: 150 }, (_, i) => i + 1).join(" "));
});

test("a new sandbox is given the conversation again, and events count on", async () => {
  const first = (await say("my name is Wanda")).body;
  const before = (await messages(first.session_id)).at(-1).event_seq;
  await host.deactivate(project);
  const closed = await say("are you there?", { session_id: first.session_id });
  assert.equal(closed.status, 409);
  assert.match(closed.body.error.message, /activate/);
  assert.equal((await messages(first.session_id)).length, 2);
  await host.activate(project);
  const second = (await say("/history", { session_id: first.session_id })).body;
  assert.equal(second.status, "completed");
  assert.match(text(second.message), /I remember 1 messages: my name is Wanda/);
  assert.ok(second.message.event_seq > before);
  assert.equal((await session(first.session_id)).memory, "restored");
});

test("deactivating in the middle of an answer keeps what came and says so", async () => {
  const { body } = await say("/slow 2000", {}, "?wait_s=0");
  await waitFor("some text", async () => (await messages(body.session_id)).some((m) => m.role === "assistant" && text(m).length > 20));
  await host.deactivate(project);
  const now = await session(body.session_id);
  assert.ok(["idle", "interrupted"].includes(now.status), now.status);
  assert.equal(now.run, null);
  const stored = await messages(body.session_id);
  assert.equal(stored[1].status, "partial");
  await host.activate(project);
  assert.equal((await say("still there?", { session_id: body.session_id })).body.status, "completed");
});
