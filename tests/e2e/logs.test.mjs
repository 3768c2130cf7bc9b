// A project's log over REST and event streams: pages, filters, downloads, streams that resume; nothing lost or doubled when
// the host is killed. The lines are those of the Goose API server in the sandbox: one or more a message.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

let host;
let project;

before(async () => {
  host = await startHost({ config: { goose: { engine: "echo" } } });
  project = await host.project();
  await host.activate(project);
  for (let i = 0; i < 5; i++) await host.post(`${project.path}/messages`, { content: `message ${i}` });
});

after(async () => {
  await host?.close();
});

const page = async (query = "") => (await host.get(`${project.path}/logs${query}`)).body;

async function all(query = "limit=7") {
  const lines = [];
  for (let after = 0; after !== null; ) {
    const { items, next } = await page(`?${query}&after=${after}`);
    lines.push(...items);
    after = next;
  }
  return lines;
}

const contiguous = (lines) => assert.deepEqual(lines.map((line) => line.seq), Array.from({ length: lines.length }, (_, i) => lines[0].seq + i));
const runs = (lines) => lines.map((line) => /run finished run=(\S+)/.exec(line.text)?.[1]).filter(Boolean);

test("pages go through all lines, up and down", async () => {
  await waitFor("the log of five runs", async () => runs(await all()).length === 5);
  const lines = await all();
  contiguous(lines);
  assert.equal(lines[0].seq, 1);
  assert.ok(lines.every((line) => line.source && line.stream && line.at.endsWith("Z")));
  const newest = await page("?order=desc&limit=3");
  assert.deepEqual(newest.items.map((line) => line.seq), [...newest.items].map((line) => line.seq).sort((a, b) => b - a));
  const older = await page(`?order=desc&limit=3&before=${newest.next}`);
  assert.equal(older.items[0].seq, newest.items[2].seq - 1);
});

test("filters work over all that is stored", async () => {
  const found = await all("limit=2&q=RUN%20finished");
  assert.equal(found.length, 5);
  assert.equal((await all("limit=50&source=command")).length, 0);
  assert.ok((await all("limit=50&source=goose-api&level=info")).length >= 5);
  for (const bad of ["?limit=0", "?limit=2001", "?source=x", "?order=up", "?colour=red", "?after=x"]) {
    assert.equal((await host.get(`${project.path}/logs${bad}`)).status, 400, bad);
  }
});

test("downloads bring what the filter matches", async () => {
  const lines = await all("limit=2000&q=run%20finished");
  const plain = await host.get(`${project.path}/logs?q=run%20finished`, { headers: { Accept: "text/plain" } });
  assert.match(plain.headers.get("content-disposition"), /attachment; filename="log-.*\.txt"/);
  assert.equal(plain.body.trim().split("\n").length, lines.length);
  const ndjson = await host.get(`${project.path}/logs`, { headers: { Accept: "application/x-ndjson" } });
  const parsed = ndjson.body.trim().split("\n").map((line) => JSON.parse(line));
  contiguous(parsed);
  assert.equal(parsed[0].seq, 1);
});

test("the stream brings new lines and resumes without a gap", async () => {
  const before = (await page("?order=desc&limit=1")).items[0].seq;
  const first = host.events(`${project.path}/logs?after=${before}`);
  await first.opened;
  await host.post(`${project.path}/messages`, { content: "streamed" });
  await first.until((e) => e.event === "log" && e.data.text.includes("run started"));
  first.close();
  await host.post(`${project.path}/messages`, { content: "while away" });
  const second = host.events(`${project.path}/logs`, { lastEventId: first.lastId });
  await waitFor("both runs", () => runs([...first.all, ...second.all].map((e) => e.data)).length === 2);
  const seqs = [...first.all, ...second.all].filter((e) => e.event === "log").map((e) => e.data.seq);
  assert.deepEqual(seqs, Array.from({ length: seqs.length }, (_, i) => before + 1 + i));
  second.close();
});

test("a stream from the first line is filled from the store", async () => {
  const last = (await page("?order=desc&limit=1")).items[0].seq;
  const stream = host.events(`${project.path}/logs?after=0`);
  await stream.until((e) => e.event === "log" && e.data.seq >= last);
  contiguous(stream.all.filter((e) => e.event === "log").map((e) => e.data));
  assert.equal(stream.all[0].data.seq, 1);
  stream.close();
});

test("kill -9 again and again: no line is lost, none comes twice, a reader's stream goes on", async () => {
  const seen = [];
  let lastId;
  const read = async (seq) => {
    const stream = host.events(`${project.path}/logs${lastId ? "" : "?after=0"}`, { lastEventId: lastId });
    if ((seen.at(-1)?.seq ?? 0) < seq) await stream.until((e) => e.event === "log" && e.data.seq >= seq);
    assert.ok(!stream.all.some((e) => e.event === "reset"));
    seen.push(...stream.all.filter((e) => e.event === "log").map((e) => e.data));
    lastId = stream.lastId;
    stream.close();
  };
  await read(1);
  const wanted = [];
  for (let i = 0; i < 4; i++) {
    wanted.push((await host.post(`${project.path}/messages`, { content: `before kill ${i}` })).body.run_id);
    await host.post(`${project.path}/messages?wait_s=0`, { content: "/slow 20" });
    await host.kill();
    await host.start();
    const line = await waitFor("the run's last line", async () => (await page(`?q=run%20finished%20run=${wanted.at(-1)}`)).items[0]);
    await read(line.seq);
  }
  const lines = await all("limit=500");
  contiguous(lines);
  assert.deepEqual(runs(lines).filter((id) => wanted.includes(id)), wanted);
  const started = lines.map((line) => /run started run=(\S+)/.exec(line.text)?.[1]).filter(Boolean);
  assert.equal(new Set(started).size, started.length, "a line is there twice");
  assert.deepEqual(seen.map((line) => line.seq), Array.from({ length: seen.length }, (_, i) => i + 1));
});

test("the log is there when the sandbox is gone, to its last line", async () => {
  await host.deactivate(project);
  const kept = await all("limit=500");
  contiguous(kept);
  assert.ok(kept.some((line) => /stopping signal=SIGTERM/.test(line.text)), kept.slice(-3).map((line) => line.text).join("\n"));
});
