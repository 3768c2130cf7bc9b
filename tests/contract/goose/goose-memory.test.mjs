// SPDX-License-Identifier: Apache-2.0
//
// The goose engine: what the model is told of earlier talk, over deaths of processes, and that no session sees another's.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import path from "node:path";
import { withFake } from "./fake-openai.mjs";
import { gooseOf, gooseTest, startServer, textOf, until } from "./harness.mjs";

const text = (role, words) => ({ role, parts: [{ type: "text", text: words }] });

gooseTest("a restored session has its history, mode and tools", async (t) => {
  const { api, model } = await withFake(t);
  const history = [
    text("user", "my cat is called Mia"),
    { role: "assistant", parts: [{ type: "thought", text: "hidden" }, { type: "text", text: "I note it." }, { type: "tool", tool_call_id: "a", name: "shell", input: { command: "echo Mia" }, output: "Mia", status: "completed" }, { type: "text", text: "Done." }] },
    { role: "notice", parts: [{ type: "notice", kind: "interrupted", text: "not for the model" }] },
    text("user", "and my dog Rex"),
    { ...text("assistant", "I was say"), status: "partial" },
  ];
  const session = await api.session({ id: randomUUID(), mode: "smart_approve", history, first_seq: 500 });
  assert.deepEqual([session.memory, session.mode, session.message_count], ["restored", "smart_approve", 6]);
  const events = await api.say(session.id, "what are they called?");
  assert.ok(events[0].id > 500);
  assert.equal(textOf(events), "fine", "the replay of the load is not streamed");
  assert.deepEqual(model.conversation(), [
    "user: my cat is called Mia", "assistant: I note it.", 'assistant: shell({"command":"echo Mia"})', "tool: Mia", "assistant: Done.", "user: and my dog Rex", "assistant: I was say\n[interrupted]", "user: what are they called?",
  ]);
  for (const tool of ["shell", "write", "edit", "tree"]) assert.ok(model.tools().includes(tool), tool);
  const read = await api.read(session.id);
  assert.equal(read.messages[5].parts[0].kind, "memory_restored");
  const fresh = await api.session();
  const restoredTools = model.tools();
  await api.say(fresh.id, "hello");
  assert.deepEqual(restoredTools, model.tools(), "as many tools as a new session");
});

gooseTest("a restored session in approve mode asks before tools run", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session({ history: [text("user", "hello"), text("assistant", "hi")] });
  const events = await api.say(id, "run `echo asked`");
  assert.ok(events.some((event) => event.type === "permission_request"));
});

gooseTest("delete then create does not mix histories", async (t) => {
  const { api, model } = await withFake(t);
  const first = await api.session();
  await api.say(first.id, "the secret is 42");
  assert.equal((await api.call("DELETE", `/sessions/${first.id}`)).status, 204);
  const second = await api.session();
  await api.say(second.id, "what is the secret?");
  assert.deepEqual(model.conversation(), ["user: what is the secret?"]);
  assert.equal((await api.read(second.id)).messages.length, 2);
});

gooseTest("memory outlives goose's process and this server's", async (t) => {
  const { api, model } = await withFake(t);
  const { id } = await api.session();
  await api.say(id, "one");
  process.kill(gooseOf(api), "SIGKILL");
  await until(async () => (await api.health()).status === "degraded", "health says degraded");
  await until(async () => (await api.health()).status === "ok", "goose is back");
  await api.say(id, "two");
  assert.deepEqual(model.conversation(), ["user: one", "assistant: fine", "user: two"]);
  await api.stop();
  await api.start();
  const events = await api.say(id, "three");
  assert.deepEqual(model.conversation(), ["user: one", "assistant: fine", "user: two", "assistant: fine", "user: three"]);
  assert.equal(textOf(events), "fine");
  assert.equal((await api.read(id)).memory, "live");
});

gooseTest("a lost database is filled again, and no session gets another's", async (t) => {
  const { api, model } = await withFake(t);
  const [one, two] = [await api.session(), await api.session()];
  await api.say(one.id, "I am one");
  await api.say(two.id, "I am two");
  await api.stop();
  rmSync(path.join(api.home, "goose/data"), { recursive: true });
  await api.start();
  for (const [session, name] of [[two, "two"], [one, "one"]]) {
    await api.say(session.id, "who am I?");
    assert.deepEqual(model.conversation(), [`user: I am ${name}`, "assistant: fine", "user: who am I?"]);
    const read = await api.read(session.id);
    assert.equal(read.memory, "restored");
    assert.deepEqual(read.messages.map((message) => message.role), ["user", "assistant", "user", "notice", "assistant"]);
  }
});
