// SPDX-License-Identifier: Apache-2.0
//
// The goose engine and its model: refused, failing, missing, behind the gateway.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import os from "node:os";
import path from "node:path";
import { FakeModel, withFake } from "./fake-openai.mjs";
import { gooseTest, lastOf, startServer, textOf } from "./harness.mjs";

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
    const api = await startServer(t, "goose", { [key]: "gateway-token", GOOSE_MODEL: "fake", GOOSE_MODEL_SOCKET: path.join(os.tmpdir(), `gateway-${randomUUID()}.sock`) });
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
