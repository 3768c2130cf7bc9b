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

const POLICY = (body) => `return { doc = "A trial.", on = "admission", order = 1, decide = function(facts) ${body} end }`;

test("a dry run tells what a changed policy would say, and changes nothing", async () => {
  const project = await host.project();
  const dryRun = (body) => host.post("/api/policies/admission/cap_total/dry-run", body);
  const answer = await dryRun({ text: POLICY('return deny("closed")') });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const item = answer.body.items.find((one) => one.project_id === project.id);
  assert.equal(item.before.verdict, "allow");
  assert.deepEqual([item.after.verdict, item.after.reason, item.after.file, item.differs], ["deny", "closed", "policies/admission/cap_total.lua", true]);
  assert.equal((await dryRun({ project: project.id })).body.items[0].differs, false);
  assert.equal((await host.get("/api/decisions")).body.items.length, 0);
  assert.equal((await host.get("/api/scripts")).body.generation, Number(answer.headers.get("x-gander-generation")));
});

test("a text that loops, eats memory or is no Lua is refused with its place, and the host goes on", async () => {
  const project = await host.project();
  const dryRun = (text) => host.post("/api/policies/idle/after_minutes/dry-run", { text, project: project.id });
  const cases = [
    ["\nwhile true do end", 2, /took more than/],
    ["local s = 'xx' while true do s = s .. s end", 1, /not enough memory/],
    ["local t = {} for i = 1, 1e12 do t[i] = {} end", 1, /not enough memory|took more than/],
    ["\n\nreturn {", 3, /expected/],
    ["return require 'lib.store'", 1, /there is no 'require' here/],
  ];
  for (const [text, line, message] of cases) {
    const { status, body } = await dryRun(text);
    assert.equal(status, 400, text);
    assert.equal(body.error.code, "invalid");
    const [fault] = body.error.details;
    assert.deepEqual([fault.file, fault.line], ["policies/idle/after_minutes.lua", line], text);
    assert.match(fault.message, message);
  }
  const looping = await dryRun('return { doc = "d", on = "idle", decide = function() while true do end end }');
  assert.equal(looping.body.items[0].after.failed, true);
  assert.match(looping.body.items[0].after.reason, /took more than/);
  assert.equal((await dryRun(undefined)).status, 200);
});

test("OpenAPI describes the dry run", async () => {
  const { paths } = (await host.get("/api/openapi.json")).body;
  const operation = paths["/api/policies/{decision}/{name}/dry-run"].post;
  assert.deepEqual(operation.parameters.map((one) => one.name), ["decision", "name", "after", "limit"]);
  assert.deepEqual(Object.keys(operation.requestBody.content["application/json"].schema.properties).sort(), ["now", "project", "text"]);
});
