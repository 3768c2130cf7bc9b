// SPDX-License-Identifier: Apache-2.0
//
// Contract of the Goose API server: what a session keeps over the death of its engine, its server, its sandbox.

import assert from "node:assert/strict";
import { assertOrder, eachEngine, gooseOf, lastOf, startServer, textOf } from "./harness.mjs";

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
