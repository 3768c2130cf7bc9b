// SPDX-License-Identifier: Apache-2.0
//
// What only the scripted engine can show: a failing model, long outputs, long answers, a ring that has turned.

import assert from "node:assert/strict";
import test from "node:test";
import { lastOf, startServer, textOf } from "./harness.mjs";

test("echo streams the text back", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  assert.equal(textOf(await api.say(id, "grüße, 你好 🦆 and so on")), "grüße, 你好 🦆 and so on");
});

test("half a surrogate pair becomes a replacement character", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  assert.equal(textOf(await api.say(id, "a \ud800 b")), "a \ufffd b");
});

test("a run that takes too long is ended as failed", async (t) => {
  const api = await startServer(t, "echo", { GOOSE_API_RUN_S: "1" });
  const { id } = await api.session();
  const events = await api.say(id, "/slow 400");
  assert.deepEqual([events.at(-2).data.code, lastOf(events).data.status], ["run_timeout", "failed"]);
});

test("a failing model is an error event, then a failed run", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  const events = await api.say(id, "/fail");
  assert.deepEqual(events.slice(-2).map((event) => [event.type, event.data.code ?? event.data.status]), [["error", "model_error"], ["run_finished", "failed"]]);
});

test("a long tool output keeps its start and end, in whole characters", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  const events = await api.say(id, "/big 300001");
  const { output, truncated } = events.find((event) => event.type === "tool_update").data;
  assert.equal(truncated, true);
  assert.ok(Buffer.byteLength(output) <= 64 * 1024);
  assert.match(output, /^é+\n\[\d+ bytes left out\]\né+$/);
  const short = await api.say(id, "/big 60000");
  assert.equal(short.find((event) => event.type === "tool_update").data.truncated, false);
});

test("a long answer is continued in a further message", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  const long = "word ".repeat(150_000);
  const events = await api.say(id, long);
  const parts = events.filter((event) => event.type === "message" && event.data.message.role === "assistant").flatMap((event) => event.data.message.parts);
  assert.ok(parts.length > 1);
  assert.equal(parts.map((part) => part.text).join(""), long);
  assert.equal(lastOf(events).data.status, "completed");
});

test("the ring of events is bounded, and what left it is a reset", async (t) => {
  const api = await startServer(t, "echo");
  const { id } = await api.session();
  const long = "x".repeat(700_000);
  let last;
  for (let i = 0; i < 7; i++) last = lastOf(await api.say(id, long));
  const stream = await api.stream("GET", `/sessions/${id}/events?after=1`);
  assert.equal((await stream.at(0)).type, "reset");
  stream.close();
  const held = await api.stream("GET", `/sessions/${id}/events?after=${last.id - 2}`);
  assert.deepEqual([(await held.at(0)).id, (await held.at(1)).id], [last.id - 1, last.id]);
  held.close();
});
