// Idempotency-Key over the wire: at the same time, and over the end of the host.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost } from "./support/host.mjs";

let host;
before(async () => {
  host = await startHost({});
});
after(() => host?.close());

const PROJECTS = "/api/users/ada/projects";
const create = (key, body, where = PROJECTS) => host.post(where, body, { headers: { "Idempotency-Key": key } });
const named = async (name) => (await host.get(`${PROJECTS}?q=${name}`)).body.items;

test("requests with one key at the same time create one project", async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => create("at-once", { name: "at-once" })));
  assert.deepEqual(answers.map((answer) => answer.status), Array(8).fill(201), JSON.stringify(answers.map((answer) => answer.body)));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
  assert.equal((await named("at-once")).length, 1);
});

test("the first answer outlives a kill, also for sessions; another body is a conflict", async () => {
  const first = await create("lasting", { name: "lasting", description: "d" });
  const sessions = `${PROJECTS}/${first.body.id}/sessions`;
  const session = await create("lasting", { title: "t" }, sessions);
  assert.deepEqual([first.status, session.status], [201, 201]);
  await host.kill();
  await host.start();
  const again = await create("lasting", { description: "d", name: "lasting" });
  assert.deepEqual([again.status, again.body, again.headers.get("location")], [201, first.body, first.headers.get("location")]);
  assert.deepEqual((await create("lasting", { title: "t" }, sessions)).body, session.body);
  assert.equal((await host.get(sessions)).body.items.length, 1);
  const other = await create("lasting", { name: "other" });
  assert.deepEqual([other.status, other.body.error.code], [409, "conflict"]);
  assert.equal(other.body.error.details[0].reason, "idempotency_key_used");
  assert.equal((await named("other")).length, 0);
});

test("a key that is too long is refused, and OpenAPI names the header", async () => {
  const long = await create("k".repeat(256), { name: "long" });
  assert.deepEqual([long.status, long.body.error.details[0].field], [400, "Idempotency-Key"]);
  const { paths } = (await host.get("/api/openapi.json")).body;
  for (const path of ["/api/users/{user}/projects", "/api/users/{user}/projects/{project}/sessions"]) {
    const header = paths[path].post.parameters.find((one) => one.in === "header");
    assert.equal(header.name, "Idempotency-Key", path);
  }
});
