// Ten projects active at once, each with the real goose on the demo model, each answering; how long each took to its first
// token is printed, not judged.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost } from "./support/host.mjs";
import { directories, processes } from "./support/sandboxes.mjs";

const COUNT = 10;
let host;

before(async () => {
  host = await startHost({ config: { goose: { engine: "goose" } } });
});
after(() => host?.close());

test("ten projects are active at once, and each agent answers in a sandbox of its own", async (t) => {
  const begun = Date.now();
  const projects = await Promise.all(Array.from({ length: COUNT }, (_, i) => host.project(i % 2 ? "ada" : "grace", { settings: { mode: "auto" } })));
  const active = await Promise.all(projects.map((project) => host.activate(project)));
  t.diagnostic(`all ${COUNT} active after ${Date.now() - begun} ms`);
  assert.equal(new Set(active.map((one) => one.health.server_id)).size, COUNT);
  for (const one of active) assert.deepEqual([one.health.engine, one.health.model.demo, one.health.can_chat], ["goose", true, true]);

  const figures = await Promise.all(projects.map(async (project) => {
    const sent = Date.now();
    const stream = host.events(`${project.path}/messages`, { body: { content: `write name.txt saying ${project.name}` } });
    await stream.until((e) => e.event === "message_delta");
    const first = Date.now() - sent;
    const finished = await stream.until((e) => e.event === "run_finished");
    assert.equal(finished.data.status, "completed");
    return { first, whole: Date.now() - sent };
  }));
  t.diagnostic(`first token of each, ms: ${figures.map((one) => one.first).sort((a, b) => a - b).join(" ")}`);
  t.diagnostic(`whole answer of each, ms: ${figures.map((one) => one.whole).sort((a, b) => a - b).join(" ")}`);

  for (const project of projects) {
    const { body } = await host.post(`${project.path}/messages`, { content: "run `cat name.txt; echo; ls`" });
    const [text] = body.message.parts.filter((part) => part.type === "tool").map((part) => part.output);
    assert.equal(text.trim(), `${project.name}\nname.txt`, "it sees its own file and no other's");
    assert.equal((await directories(host, project)).length, 1);
    assert.notDeepEqual(await processes(host, project), []);
    assert.equal((await host.get(project.path)).body.state, "active");
  }
});
