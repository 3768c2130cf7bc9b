// SPDX-License-Identifier: Apache-2.0
//
// What holds for the goose engine: its environment, its model, memory over deaths of processes, and that no session sees another's.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { FakeModel } from "./fake-openai.mjs";
import { gooseOf, gooseTest, lastOf, processes, startServer, textOf, until } from "./harness.mjs";

async function withFake(t, variables = {}) {
  const model = await new FakeModel().listen(t);
  const api = await startServer(t, "goose", { OPENAI_API_KEY: "sk-of-the-tests", OPENAI_HOST: model.url, GOOSE_MODEL: "fake", ...variables });
  return { api, model };
}

const text = (role, words) => ({ role, parts: [{ type: "text", text: words }] });

gooseTest("the demo model makes a file after a permission question, and lists it", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session();
  const events = await api.say(id, "write hello.txt saying hi");
  assert.equal(readFileSync(path.join(api.work, "hello.txt"), "utf8"), "hi");
  assert.deepEqual(events.find((event) => event.type === "tool_call").data.name, "write");
  assert.deepEqual(events.find((event) => event.type === "permission_request").data.input, { path: "hello.txt", content: "hi" });
  assert.match(textOf(events), /I wrote `hello\.txt`/);
  assert.match(textOf(await api.say(id, "list the files")), /hello\.txt/);
  assert.match(textOf(await api.say(id, "run `uname -a`")), /I ran `uname -a`[^]*Linux/);
  assert.match(textOf(await api.say(id, "what did I say before?")), /You said 3 things before/);
});

gooseTest("a rejected write leaves no file", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session();
  const events = await api.say(id, "write hello.txt saying hi", "reject_once");
  assert.equal(existsSync(path.join(api.work, "hello.txt")), false);
  assert.match(textOf(events), /You declined/);
});

gooseTest("the mode of a session is goose's", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session({ mode: "auto" });
  const events = await api.say(id, "run `echo no question`");
  assert.ok(!events.some((event) => event.type === "permission_request"));
  assert.equal((await api.call("PATCH", `/sessions/${id}`, { mode: "approve" })).status, 200);
  assert.ok((await api.say(id, "run `echo asked`")).some((event) => event.type === "permission_request"));
  assert.equal((await api.call("PATCH", `/sessions/${id}`, { mode: "chat" })).status, 200);
  const chat = await api.say(id, "write never.txt saying no");
  assert.deepEqual(chat.filter((event) => event.type === "tool_update").map((event) => [event.data.status, event.data.output]), [["failed", "Not run: this session is in chat mode."]]);
  assert.equal(existsSync(path.join(api.work, "never.txt")), false);
  assert.match(textOf(chat), /in chat mode/);
});

gooseTest("allow_always is not asked again", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session();
  await api.say(id, "run `echo one`", "allow_always");
  const events = await api.say(id, "run `echo two`");
  assert.ok(events.some((event) => event.type === "tool_call") && !events.some((event) => event.type === "permission_request"));
});

gooseTest("tools see the sandbox's environment, but nothing of this server", async (t) => {
  const api = await startServer(t, "goose", { SETTING_OF_THE_USER: "seen" });
  const { id } = await api.session({ mode: "auto" });
  const events = await api.say(id, "run `env`");
  const { output } = events.findLast((event) => event.type === "tool_update").data;
  assert.match(output, /SETTING_OF_THE_USER=seen/);
  assert.doesNotMatch(output, /GOOSE_API_/);
});

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

gooseTest("a refused key fails the run, and health says so", async (t) => {
  const { api, model } = await withFake(t);
  model.status = 401;
  const { id } = await api.session();
  const events = await api.say(id, "hello");
  assert.deepEqual([events.at(-2).data.code, events.at(-2).data.retryable, lastOf(events).data.status], ["provider_auth", false, "failed"]);
  const health = await api.health();
  assert.deepEqual([health.can_chat, health.reason], [false, "the model provider refused the key"]);
  model.status = 200;
  assert.equal(lastOf(await api.say(id, "again")).data.status, "completed");
  assert.equal((await api.health()).can_chat, true);
});

gooseTest("a failing model fails the run, with its words", async (t) => {
  const { api, model } = await withFake(t);
  model.status = 500;
  const { id } = await api.session();
  const events = await api.say(id, "hello");
  assert.deepEqual([events.at(-2).data.code, lastOf(events).data.status], ["model_error", "failed"]);
  assert.match(events.at(-2).data.message, /500.*told to fail/);
  assert.equal(textOf(events), "");
});

gooseTest("a provider without a model cannot chat and says why", async (t) => {
  const { api } = await withFake(t, { GOOSE_MODEL: undefined });
  const health = await api.health();
  assert.equal(health.can_chat, false);
  assert.match(health.reason, /GOOSE_MODEL is not set/);
  const events = await api.say((await api.session()).id, "hello");
  assert.equal(events.at(-2).data.code, "provider_not_configured");
});

gooseTest("an unknown provider cannot chat and says why", async (t) => {
  const { api } = await withFake(t, { GOOSE_PROVIDER: "no-such-provider" });
  const health = await api.health();
  assert.equal(health.can_chat, false);
  assert.match(health.reason, /no-such-provider/);
  const events = await api.say((await api.session()).id, "hello");
  assert.equal(lastOf(events).data.status, "failed");
});

for (const [provider, key, host] of [["openai", "OPENAI_API_KEY", "/model/openai/v1/chat/completions"], ["anthropic", "ANTHROPIC_API_KEY", "/model/anthropic/v1/messages"]]) {
  gooseTest(`the model gateway's socket carries ${provider}`, async (t) => {
    const model = new FakeModel();
    const api = await startServer(t, "goose", { [key]: "gateway-token", GOOSE_MODEL: "fake", GOOSE_MODEL_SOCKET: path.join("/tmp", `gateway-${randomUUID()}.sock`) });
    await model.listen(t, { path: api.variables.GOOSE_MODEL_SOCKET });
    const { id } = await api.session();
    const events = await api.say(id, "hello");
    assert.equal(textOf(events), "fine");
    const { path: asked, headers } = model.requests[0];
    assert.equal(asked, host);
    assert.match(headers.authorization ?? headers["x-api-key"], /gateway-token/);
    assert.deepEqual((await api.health()).model, { name: "fake", demo: false });
  });
}

gooseTest("a goose that does not end its run is killed, and other sessions go on", async (t) => {
  const { api, model } = await withFake(t);
  const [one, other] = [await api.session(), await api.session()];
  await api.say(other.id, "remember me");
  model.stall = true;
  const stream = await api.send(one.id, "hello");
  await until(() => model.requests.length === 2, "the model is asked");
  process.kill(gooseOf(api), "SIGSTOP");
  await api.call("POST", `/sessions/${one.id}/cancel`, {});
  assert.equal(lastOf(await stream.end()).data.status, "cancelled");
  model.stall = false;
  assert.equal(lastOf(await api.say(other.id, "still there?")).data.status, "completed");
  assert.deepEqual(model.conversation(), ["user: remember me", "assistant: fine", "user: still there?"]);
});

gooseTest("killing this server's goose in a tool leaves no tool behind", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session({ mode: "auto" });
  const stream = await api.send(id, "run `sleep 618`");
  await until(() => processes("sleep 618").length > 0, "the tool's process");
  process.kill(gooseOf(api), "SIGSTOP");
  await api.call("POST", `/sessions/${id}/cancel`, {});
  await stream.end();
  await until(() => processes("sleep 618").length === 0, "the tool's process is gone");
});
