// The model gateway: the real goose in its sandbox talks to a model provider on this machine, without network and without
// the key. The provider here is a fake one on loopback that notes what it was asked.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";

import { ROOT, startHost, waitFor } from "./support/host.mjs";

const KEY = "sk-real-key-0123456789abcdef";
const GOOSE = path.join(ROOT, "vendor/goose/node_modules/@aaif/goose-binary-linux-x64/bin/goose");
const need = (process.env.REQUIRE ?? "").split(",").includes("goose");
const skip = !existsSync(GOOSE) && !need && "the goose binary is not set up";

let host;
let provider;
const asked = [];

// Chat completions as OpenAI streams them; the last chunk has the usage.
function answer(req, res) {
  let text = "";
  req.setEncoding("utf8").on("data", (piece) => (text += piece));
  req.on("end", () => {
    asked.push({ path: req.url, authorization: req.headers.authorization, body: text });
    if (!req.url.endsWith("/chat/completions")) return res.writeHead(200, { "Content-Type": "application/json" }).end('{"object":"list","data":[{"id":"fake-model"}]}');
    const usage = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 };
    if (!JSON.parse(text).stream) {
      const choices = [{ index: 0, message: { role: "assistant", content: "A title" }, finish_reason: "stop" }];
      return res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ id: "x", object: "chat.completion", model: "fake-model", choices, usage }));
    }
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    const chunk = (delta, more = {}) => res.write(`data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", model: "fake-model", choices: [{ index: 0, delta, finish_reason: more.finish ?? null }], ...more.usage })}\n\n`);
    chunk({ role: "assistant", content: "Hello from " });
    setTimeout(() => {
      chunk({ content: "the fake model" });
      chunk({}, { finish: "stop" });
      res.write(`data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", model: "fake-model", choices: [], usage })}\n\n`);
      res.end("data: [DONE]\n\n");
    }, 50);
    return undefined;
  });
}

before(async () => {
  if (skip) return;
  provider = http.createServer(answer);
  await new Promise((resolve) => provider.listen(0, "127.0.0.1", resolve));
  host = await startHost({
    env: { OPENAI_API_KEY: KEY, OPENAI_HOST: `http://127.0.0.1:${provider.address().port}`, GOOSE_MODEL: "fake-model" },
    config: { sandbox: { egress: "deny" } },
  });
});

after(async () => {
  await host?.close();
  provider?.close();
});

// A request on the gateway's socket, from outside any sandbox.
function onSocket(where, headers = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath: path.join(host.data, "gateway/model.sock"), path: where, headers: { Host: "localhost", ...headers } }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (piece) => (text += piece));
      res.on("end", () => resolve({ status: res.statusCode, text }));
    });
    req.on("error", reject).end();
  });
}

test("goose in a sandbox without network answers through the gateway", { skip }, async () => {
  const project = await host.project("ada");
  await host.activate(project);
  const { body } = await host.post(`${project.path}/messages`, { content: "Say hello" });
  assert.equal(body.status, "completed", JSON.stringify(body));
  assert.match(JSON.stringify(body.message.parts), /Hello from the fake model/);
  const chats = asked.filter((one) => one.path === "/v1/chat/completions");
  assert.ok(chats.length > 0);
  assert.ok(chats.every((one) => one.authorization === `Bearer ${KEY}`));
  const logs = await host.get(`${project.path}/logs`, { headers: { Accept: "text/plain" } });
  assert.ok(!JSON.stringify(logs.body).includes(KEY));
  await waitFor("the session's model", async () => (await host.get(`${project.path}/sessions/${body.session_id}`)).body.model?.name === "fake-model");
});

test("the gateway serves nobody without a sandbox's token, and nothing but models", { skip }, async () => {
  const before = asked.length;
  assert.equal((await onSocket("/model/openai/v1/models")).status, 401);
  assert.equal((await onSocket("/model/openai/v1/models", { Authorization: `Bearer ${KEY}` })).status, 401);
  assert.equal((await onSocket("/model/openai/v1/models", { Authorization: `Bearer gander-x.${"0".repeat(64)}` })).status, 401);
  assert.equal((await onSocket("/model/openai/v1/files")).status, 404);
  assert.equal((await onSocket("/model/anthropic/v1/messages")).status, 404);
  assert.equal((await onSocket("/api/users")).status, 404);
  assert.equal((await host.get("/model/openai/v1/models")).status, 404);
  assert.equal(asked.length, before);
});
