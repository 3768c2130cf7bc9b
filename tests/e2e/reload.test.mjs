// Trip C: a saved policy goes live; a broken one does not; a restart on a broken disk begins with the last good set.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

const POLICY = "policies/idle/after_minutes.lua";
let host, original;

before(async () => {
  host = await startHost({ scripts: true });
  original = await readFile(path.join(host.scripts, POLICY), "utf8");
});
after(() => host?.close());

const generation = async () => (await host.get("/api/scripts")).body.generation;
const onDisk = (text) => writeFile(path.join(host.scripts, POLICY), text);
const etag = async () => (await host.get(`/api/scripts/${POLICY}`)).headers.get("etag");

test("a save on disk is live without a restart, and the answers say so", async () => {
  const before = await generation();
  await onDisk(`${original}\n-- edited\n`);
  await waitFor("the next generation", async () => (await generation()) > before);
  assert.ok(Number((await host.get("/api/version")).headers.get("x-gander-generation")) > before);
});

test("a broken save keeps the last good set and names file and line", async () => {
  const before = await generation();
  const events = host.events("/api/events");
  await events.opened;
  await onDisk(original.replace("return {", "return {{{"));
  const event = await events.until((e) => e.event === "script" && e.data.error?.file === POLICY);
  assert.ok(event.data.error.line > 0);
  const list = (await host.get("/api/scripts")).body;
  assert.equal(list.generation, before);
  assert.equal(list.error.file, POLICY);
  assert.ok(list.error.line > 0);
  assert.ok(host.log.some((line) => line.includes(`${POLICY}:${list.error.line}`)), "the log names it");
  events.close();
});

test("a restart on the broken file starts on the last good set", async () => {
  const before = await generation();
  await host.kill();
  await host.start();
  const list = (await host.get("/api/scripts")).body;
  assert.equal(list.generation, before);
  assert.equal(list.error.file, POLICY);
  await onDisk(original);
  await waitFor("a good set again", async () => (await host.get("/api/scripts")).body.error === null);
});

test("PUT checks first and writes nothing that is at fault", async () => {
  const bad = await host.put(`/api/scripts/${POLICY}`, "return { doc = 1 }", { headers: { "Content-Type": "text/x-lua" } });
  assert.equal(bad.status, 400);
  assert.equal(bad.body.error.details[0].file, POLICY);
  assert.equal(await readFile(path.join(host.scripts, POLICY), "utf8"), original);
});

test("PUT with a stale If-Match is 412 and loses nothing", async () => {
  const tag = await etag();
  const text = `${original}\n-- by http\n`;
  const put = (body, match) => host.put(`/api/scripts/${POLICY}`, body, { headers: { "If-Match": match } });
  const first = await put(text, tag);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(first.body.live, true);
  const second = await put(`${original}\n-- another\n`, tag);
  assert.equal(second.status, 412);
  assert.equal(await readFile(path.join(host.scripts, POLICY), "utf8"), text);
});

test("only the pure rules can be written by HTTP", async () => {
  const answer = await host.put("/api/scripts/routes/meta.lua", "return {}");
  assert.equal(answer.status, 403);
  assert.match(answer.body.error.message, /scripts_write/);
});

test("the history gives back what was", async () => {
  const versions = (await host.get(`/api/scripts/${POLICY}?history`)).body.items;
  assert.ok(versions.length >= 2);
  const old = await host.get(`/api/scripts/${POLICY}?generation=${versions.at(-1).generation}`);
  assert.equal(old.status, 200);
  assert.equal(old.body, original);
});

test("a policy that is deleted while live is gone with the next generation, and comes back", async () => {
  const before = await generation();
  await rm(path.join(host.scripts, POLICY));
  await waitFor("the next generation", async () => (await generation()) > before);
  assert.equal((await host.get(`/api/scripts/${POLICY}`)).status, 404);
  await onDisk(original);
  await waitFor("it is back", async () => (await host.get(`/api/scripts/${POLICY}`)).status === 200);
});

test("an editor that saves by rename is seen as well", async () => {
  const before = await generation();
  const beside = path.join(host.scripts, "policies/idle/.after_minutes.lua.tmp");
  await writeFile(beside, `${original}\n-- renamed\n`);
  await rename(beside, path.join(host.scripts, POLICY));
  await waitFor("the next generation", async () => (await generation()) > before);
});

const check = (text) => host.post("/api/scripts/check", { files: { "policies/idle/zz_test.lua": text } });
const policy = (body) => `return { doc = "x", on = "idle", order = 1, decide = function(facts) ${body} end,\n  tests = { { name = "t", facts = {}, expect = "stop" } } }`;

test("a policy that loops, eats memory, throws or answers rubbish fails its check with file and line", async () => {
  for (const [what, body] of [
    ["loops", "while true do end"],
    ["loops inside pcall", "while true do pcall(function() while true do end end) end"],
    ["eats memory", 'local s = "x" while true do s = s .. s end'],
    ["throws", 'error("no")'],
    ["rubbish", "return 42"],
    ["acts", 'require("gander.http")'],
    ["backtracks", 'local s = ("a"):rep(8000) return s:find(("a*"):rep(20) .. "b") and stop "x"'],
  ]) {
    const { body: result } = await check(policy(body));
    assert.equal(result.ok, false, what);
    assert.equal(result.diagnostics[0].file, "policies/idle/zz_test.lua", `${what}: ${JSON.stringify(result.diagnostics)}`);
  }
  assert.equal((await host.get("/api/version")).status, 200);
  assert.equal((await check(policy('return stop "x"'))).body.ok, true);
});
