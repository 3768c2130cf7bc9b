// SPDX-License-Identifier: Apache-2.0
//
// The goose engine: the demo model at work, modes, the environment of tools, processes that must not stay.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { withFake } from "./fake-openai.mjs";
import { gooseOf, gooseTest, lastOf, processes, startServer, textOf, until } from "./harness.mjs";

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

gooseTest("a goose that is killed in a tool leaves no tool behind", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session({ mode: "auto" });
  const stream = await api.send(id, "run `sleep 619`");
  await until(() => processes("sleep 619").length > 0, "the tool's process");
  process.kill(gooseOf(api), "SIGKILL");
  const events = await stream.end();
  assert.equal(events.findLast((event) => event.type === "tool_update").data.status, "failed");
  assert.equal(lastOf(events).data.status, "failed");
  await until(() => processes("sleep 619").length === 0, "the tool's process is gone");
});

gooseTest("a tool's output is seen while it runs", async (t) => {
  const api = await startServer(t, "goose");
  const { id } = await api.session({ mode: "auto" });
  const slow = await api.say(id, "run `echo first; sleep 1; echo second`");
  const updates = slow.filter((event) => event.type === "tool_update").map((event) => event.data);
  assert.deepEqual([updates[0].status, updates[0].output], ["in_progress", "first\n"]);
  assert.deepEqual([updates.at(-1).status, updates.at(-1).output], ["completed", "first\nsecond"]);
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
