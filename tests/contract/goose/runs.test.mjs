// SPDX-License-Identifier: Apache-2.0
//
// Contract of the Goose API server: the events of a run, attaching, busy, reset, cancel, permissions, death of the engine.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { eachEngine, gooseOf, lastOf, processes, startServer, textOf, until } from "./harness.mjs";

function assertOrder(events, sessionId) {
  assert.equal(events[0].type, "run_started");
  assert.equal(events[1].type, "message");
  assert.equal(events[1].data.message.role, "user");
  assert.equal(events.filter((event) => event.type === "run_finished").length, 1);
  assert.equal(lastOf(events).type, "run_finished");
  assert.equal(new Set(events.map((event) => event.data.run_id)).size, 1);
  events.forEach((event, i) => {
    assert.equal(event.id, event.data.seq);
    assert.equal(event.data.session_id, sessionId);
    assert.equal(event.data.seq, events[0].data.seq + i, "no gap, no double");
    assert.ok(Date.parse(event.data.ts) > 0);
  });
}

eachEngine("a run streams its events in order and its messages are kept", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session({ first_seq: 7 });
  const message_id = randomUUID();
  const stream = await api.send(id, words.say, message_id);
  const events = await stream.end();
  assertOrder(events, id);
  assert.equal(events[0].id, 7);
  assert.equal(events[0].data.message_id, message_id);
  const deltas = events.filter((event) => event.type === "message_delta");
  assert.ok(deltas.length > 1, "several deltas");
  const final = events.findLast((event) => event.type === "message").data.message;
  assert.equal(final.status, "complete");
  assert.equal(final.parts.filter((part) => part.type === "text").map((part) => part.text).join(""), textOf(events));
  assert.ok(deltas.every((event) => event.data.message_id === final.id));
  assert.equal(final.model.demo, true);
  assert.equal(lastOf(events).data.status, "completed");
  assert.ok(lastOf(events).data.usage.total_tokens > 0);
  const read = await api.read(id);
  assert.deepEqual(read.messages.map((message) => [message.id, message.role]), [[message_id, "user"], [final.id, "assistant"]]);
  assert.equal(read.title, words.say);
  assert.equal(read.seq, lastOf(events).id);
});

eachEngine("a message without a session starts one", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const stream = await api.stream("POST", "/messages", { message_id: randomUUID(), content: words.say });
  const events = await stream.end();
  const id = stream.headers.get("x-session-id");
  assertOrder(events, id);
  assert.equal((await api.read(id)).message_count, 2);
});

eachEngine("the same message_id attaches to its run, during it and after", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const message_id = randomUUID();
  const first = await api.send(id, words.slow, message_id);
  await first.next("message_delta", 1);
  const second = await api.send(id, words.slow, message_id);
  await second.next("message_delta", 1);
  await api.call("POST", `/sessions/${id}/cancel`, {});
  const [a, b] = [await first.end(), await second.end()];
  assert.deepEqual(b, a);
  const third = await (await api.send(id, words.slow, message_id)).end();
  assert.deepEqual(third, a);
  assert.equal((await api.read(id)).messages.filter((message) => message.role === "user").length, 1);
  const other = await api.session();
  for (const [session_id, content] of [[other.id, words.slow], [id, "something else"]]) {
    assert.equal((await api.call("POST", "/messages", { session_id, message_id, content })).body.error.code, "conflict");
  }
});

eachEngine("a second message during a run is refused as busy", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.slow);
  const started = await stream.next("run_started");
  await stream.next("message_delta");
  const { status, body } = await api.call("POST", "/messages", { session_id: id, message_id: randomUUID(), content: "more" });
  assert.deepEqual([status, body.error.code, body.error.run_id], [409, "session_busy", started.data.run_id]);
  await api.call("POST", `/sessions/${id}/cancel`, {});
  await stream.end();
});

eachEngine("a reader that leaves does not end the run, and resumes with no gap", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.slow);
  const seen = await stream.next("message_delta", 1);
  stream.close();
  const resumed = await api.stream("GET", `/sessions/${id}/events?after=${seen.id}`);
  await resumed.next("message_delta", 1);
  const byHeader = await api.stream("GET", `/sessions/${id}/events?after=0`, undefined, { "Last-Event-ID": String(seen.id) });
  assert.equal((await byHeader.at(0)).id, seen.id + 1, "the header wins");
  const read = await api.read(id);
  assert.equal(read.status, "running");
  assert.equal(read.messages.at(-1).status, "partial");
  await api.call("POST", `/sessions/${id}/cancel`, { run_id: read.run.run_id });
  await resumed.next("run_finished");
  resumed.events.forEach((event, i) => assert.equal(event.id, seen.id + 1 + i));
  resumed.close();
  byHeader.close();
});

eachEngine("an event no longer held, or not yet made, answers with reset", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session({ first_seq: 1000 });
  const events = await api.say(id, words.say);
  for (const after of [10, 5000]) {
    const stream = await api.stream("GET", `/sessions/${id}/events?after=${after}`);
    const reset = await stream.at(0);
    assert.deepEqual([reset.type, reset.data.seq, reset.id], ["reset", lastOf(events).id, lastOf(events).id]);
    stream.close();
  }
});

eachEngine("cancel in a stream keeps the partial answer", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.slow);
  await stream.next("message_delta", 2);
  assert.deepEqual((await api.call("POST", `/sessions/${id}/cancel`, { run_id: randomUUID() })).body, { cancelled: false });
  const answer = await api.call("POST", `/sessions/${id}/cancel`, {});
  assert.deepEqual([answer.status, answer.body], [202, { cancelled: true }]);
  const events = await stream.end();
  assertOrder(events, id);
  assert.equal(lastOf(events).data.status, "cancelled");
  const partial = (await api.read(id)).messages.at(-1);
  assert.equal(partial.status, "partial");
  assert.ok(partial.parts[0].text.length > 0);
  assert.deepEqual((await api.call("POST", `/sessions/${id}/cancel`, {})).body, { cancelled: false });
  assert.equal(lastOf(await api.say(id, words.say)).data.status, "completed", "the session goes on");
});

eachEngine("cancel in a tool ends the tool", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.tool);
  const call = await stream.next("tool_call");
  if (words.toolAsks) {
    await api.decide((await stream.next("permission_request")).data, "allow_once");
    await until(() => processes("sleep 617").length > 0, "the tool's process");
  }
  await api.call("POST", `/sessions/${id}/cancel`, {});
  const events = await stream.end();
  assertOrder(events, id);
  assert.equal(lastOf(events).data.status, "cancelled");
  const ended = events.findLast((event) => event.type === "tool_update").data;
  assert.deepEqual([ended.tool_call_id, ended.status], [call.data.tool_call_id, "failed"]);
  await until(() => processes("sleep 617").length === 0, "the tool's process is gone");
});

eachEngine("cancel with an open question answers it", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.ask);
  const question = await stream.next("permission_request");
  await api.call("POST", `/sessions/${id}/cancel`, {});
  const events = await stream.end();
  assertOrder(events, id);
  assert.equal(lastOf(events).data.status, "cancelled");
  const resolved = events.find((event) => event.type === "permission_resolved").data;
  assert.deepEqual([resolved.permission_id, resolved.decision, resolved.by], [question.data.permission_id, "cancelled", "cancel"]);
  assert.equal((await api.decide(question.data, "allow_once")).status, 410);
  assert.equal(lastOf(await api.say(id, words.say)).data.status, "completed", "the session goes on");
});

eachEngine("a permission question is shown, allowed once, and not answered twice", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.ask);
  const { data } = await stream.next("permission_request");
  const call = (await stream.next("tool_call")).data;
  assert.equal(data.tool_call_id, call.tool_call_id);
  assert.deepEqual([data.name, data.title, data.input], [call.name, call.title, call.input]);
  assert.equal(data.cwd, api.work);
  assert.deepEqual(data.options, ["allow_once", "allow_always", "reject_once", "reject_always"]);
  assert.ok(Date.parse(data.expires_at) > Date.now() + 500_000);
  const waiting = await api.read(id);
  assert.equal(waiting.status, "waiting_permission");
  const { seq, session_id, run_id, ts, ...entry } = data;
  assert.deepEqual(waiting.pending_permissions, [entry]);
  assert.equal((await api.decide(data, "allow_once")).status, 200);
  const again = await api.decide(data, "reject_once");
  assert.deepEqual([again.status, again.body.error.code], [409, "already_decided"]);
  const events = await stream.end();
  assertOrder(events, id);
  const resolved = events.find((event) => event.type === "permission_resolved").data;
  assert.deepEqual([resolved.decision, resolved.by], ["allow_once", "user"]);
  const part = events.findLast((event) => event.type === "message").data.message.parts.find((one) => one.type === "tool");
  assert.equal(part.status, "completed");
  assert.deepEqual([part.permission.decision, part.permission.by, part.truncated], ["allow_once", "user", false]);
  assert.ok(part.title && Date.parse(part.started_at) <= Date.parse(part.ended_at));
  assert.deepEqual((await api.read(id)).pending_permissions, []);
});

eachEngine("a rejected tool does not run and the run goes on", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const events = await api.say(id, words.ask, "reject_once");
  assert.equal(lastOf(events).data.status, "completed");
  const ended = events.find((event) => event.type === "tool_update").data;
  assert.equal(ended.status, "failed");
  assert.match(ended.output, /declined/);
  assert.match(textOf(events), /declined/);
});

eachEngine("an unanswered question is rejected when its time is over", async (t, engine, words) => {
  const api = await startServer(t, engine, { GOOSE_API_PERMISSION_S: "0.5" });
  const { id } = await api.session();
  const stream = await api.send(id, words.ask);
  const events = await stream.end();
  const resolved = events.find((event) => event.type === "permission_resolved").data;
  assert.deepEqual([resolved.decision, resolved.by], ["reject_once", "timeout"]);
  assert.equal(lastOf(events).data.status, "completed");
  const late = await api.decide(resolved, "allow_once");
  assert.deepEqual([late.status, late.body.error.code], [410, "expired"]);
});

eachEngine("a history that is given is remembered, and a notice says so", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const history = [{ role: "user", parts: [{ type: "text", text: "my cat is called Mia" }] }, { role: "assistant", parts: [{ type: "text", text: "noted" }] }];
  const session = await api.session({ history, first_seq: 50 });
  assert.deepEqual([session.memory, session.message_count, session.seq], ["restored", 3, 50]);
  const notice = (await api.read(session.id)).messages[2];
  assert.deepEqual([notice.role, notice.parts[0].type, notice.parts[0].kind], ["notice", "notice", "memory_restored"]);
  assert.match(textOf(await api.say(session.id, words.recall)), /my cat is called Mia/);
});

eachEngine("the engine's death in mid-run fails the run and the session goes on", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.die ?? words.slow);
  await stream.next("message_delta");
  if (!words.die) process.kill(gooseOf(api), "SIGKILL");
  const events = await stream.end();
  assertOrder(events, id);
  assert.deepEqual([lastOf(events).data.status, events.at(-2).type, events.at(-2).data.code, events.at(-2).data.retryable], ["failed", "error", "engine_restarted", true]);
  assert.equal((await api.read(id)).messages.at(-1).status, "failed");
  assert.equal(lastOf(await api.say(id, words.say)).data.status, "completed");
});

eachEngine("SIGTERM ends the runs, keeps the sessions and exits 0", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session({ title: "kept" });
  const stream = await api.send(id, words.slow);
  await stream.next("message_delta");
  const began = Date.now();
  assert.equal(await api.stop(), 0);
  assert.ok(Date.now() - began < 5_000);
  const events = await stream.end();
  assert.equal(lastOf(events).data.status, "cancelled");
  await api.start();
  const kept = await api.read(id);
  assert.deepEqual([kept.title, kept.status, kept.seq, kept.messages.length], ["kept", "idle", lastOf(events).id, 2]);
  const again = await (await api.send(id, words.slow, events[0].data.message_id)).end();
  assert.deepEqual(again.map((event) => event.type), ["reset"], "a known message is not run again");
  const next = await api.say(id, words.say);
  assert.equal(next[0].id, lastOf(events).id + 1);
  assert.equal(lastOf(next).data.status, "completed");
});

eachEngine("a server killed in mid-run says so and never uses an event number twice", async (t, engine, words) => {
  const api = await startServer(t, engine);
  const { id } = await api.session();
  const stream = await api.send(id, words.slow);
  const { id: seen } = await stream.next("message_delta", 2);
  await api.stop("SIGKILL");
  await api.start();
  const read = await api.read(id);
  assert.equal(read.status, "interrupted");
  assert.ok(read.seq > seen);
  assert.deepEqual(read.messages.map((message) => message.role), ["user", "notice"]);
  assert.equal(read.messages[1].parts[0].kind, "interrupted");
  assert.equal(lastOf(await api.say(id, words.say)).data.status, "completed");
});
