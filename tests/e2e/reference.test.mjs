// The reference of scripts and the dry run of a policy.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost } from "./support/host.mjs";

let host;
before(async () => {
  host = await startHost({});
});
after(() => host?.close());

test("the reference names modules, facts and verdicts, and OpenAPI its shape", async () => {
  const { status, body } = await host.get("/api/reference");
  assert.equal(status, 200);
  const named = (list, name) => list.find((item) => item.name === name);
  assert.match(named(named(body.modules, "gander.sys").functions, "sys.now").signature, /^sys\.now\(\) -> ms: integer/);
  assert.deepEqual(named(body.facts, "idle_ms").policies, ["admission", "health", "idle", "lifetime", "retry"]);
  assert.deepEqual(named(body.verdicts, "give_up").policies, ["retry"]);
  const openapi = (await host.get("/api/openapi.json")).body;
  const answer = openapi.paths["/api/reference"].get.responses["200"].content["application/json"].schema;
  assert.equal(answer.$ref, "#/components/schemas/Reference");
  assert.ok(openapi.components.schemas.Reference);
});
