// SPDX-License-Identifier: Apache-2.0
//
// Contract of the Goose API server: permission questions, from the card to each way they end.

import assert from "node:assert/strict";
import { assertOrder, eachEngine, lastOf, startServer, textOf } from "./harness.mjs";

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
