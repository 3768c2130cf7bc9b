// Trip D with the real goose on the demo model: a tool call that asks first and leaves a file, and a conversation that a new
// sandbox is given again.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { ROOT, startHost, waitFor } from "./support/host.mjs";

const GOOSE = path.join(ROOT, "vendor/goose/node_modules/@aaif/goose-binary-linux-x64/bin/goose");
const need = (process.env.REQUIRE ?? "").split(",").includes("goose");
const skip = !existsSync(GOOSE) && !need && "the goose binary is not set up";

let host;
let project;
let chat; // the session that the tests go on with

before(async () => {
  if (skip) return;
  host = await startHost();
  project = await host.project();
  await host.activate(project);
});

after(async () => {
  await host?.close();
});

const say = async (content, more = {}) => (await host.post(`${project.path}/messages`, { content, ...more })).body;
const words = (message) => message.parts.map((part) => part.text ?? "").join("");

test("a tool call asks, is allowed, and leaves a file in the workspace", { skip }, async () => {
  const asked = await say("write hello.txt saying hi");
  assert.equal(asked.status, "waiting_permission", JSON.stringify(asked));
  chat = asked.session_id;
  assert.deepEqual(asked.permission.input, { path: "hello.txt", content: "hi" });
  assert.equal(asked.permission.cwd, "/workspace");
  const answered = await host.post(`${project.path}/sessions/${chat}/permissions/${asked.permission.permission_id}`, { decision: "allow_once" });
  assert.equal(answered.status, 200);
  const { status, message } = await say("write hello.txt saying hi", { session_id: chat, message_id: asked.message_id });
  assert.equal(status, "completed");
  assert.deepEqual(message.model, { name: "demo", demo: true });
  const tool = message.parts.find((part) => part.type === "tool");
  assert.equal(tool.status, "completed");
  assert.equal(readFileSync(path.join(host.data, "local/workspaces", project.id, "files/hello.txt"), "utf8").trim(), "hi");
});

test("a rejected tool call does nothing, and the run goes on to its end", { skip }, async () => {
  const asked = await say("write no.txt saying no", { session_id: chat });
  assert.equal(asked.status, "waiting_permission");
  await host.post(`${project.path}/sessions/${chat}/permissions/${asked.permission.permission_id}`, { decision: "reject_once" });
  const { status } = await say("write no.txt saying no", { session_id: chat, message_id: asked.message_id });
  assert.equal(status, "completed");
  assert.ok(!existsSync(path.join(host.data, "local/workspaces", project.id, "files/no.txt")));
});

test("cancel ends a run that waits for an answer", { skip }, async () => {
  const asked = await say("run `sleep 60`", { session_id: chat });
  assert.equal(asked.status, "waiting_permission");
  await host.post(`${project.path}/sessions/${chat}/cancel`);
  const now = await waitFor("the session is idle", async () => {
    const { body } = await host.get(`${project.path}/sessions/${chat}`);
    return body.status === "idle" && body;
  });
  assert.deepEqual(now.pending_permissions, []);
});

test("after deactivate and activate goose has the conversation, the mode and the file", { skip }, async () => {
  await host.deactivate(project);
  await host.activate(project);
  const { status, message } = await say("what did I say before?", { session_id: chat });
  assert.equal(status, "completed");
  assert.match(words(message), /hello\.txt/);
  const { body } = await host.get(`${project.path}/sessions/${chat}`);
  assert.deepEqual([body.memory, body.mode], ["restored", "approve"]);
  const { body: history } = await host.get(`${project.path}/sessions/${chat}/messages?limit=200`);
  assert.ok(history.items.some((m) => m.role === "notice" && m.parts[0].kind === "memory_restored"));
  const asked = await say("list the files", { session_id: chat });
  if (asked.status === "waiting_permission") {
    await host.post(`${project.path}/sessions/${chat}/permissions/${asked.permission.permission_id}`, { decision: "allow_once" });
  }
  const listed = await say("list the files", { session_id: chat, message_id: asked.message_id });
  assert.match(JSON.stringify(listed.message.parts), /hello\.txt/);
});
