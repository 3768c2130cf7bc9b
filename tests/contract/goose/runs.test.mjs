// SPDX-License-Identifier: Apache-2.0
//
// Contract of the Goose API server: the events of a run, attaching, busy, reset, cancel.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { assertOrder, eachEngine, lastOf, processes, startServer, textOf, until } from "./harness.mjs";

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
