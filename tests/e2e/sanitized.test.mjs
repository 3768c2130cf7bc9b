// The host under a sanitizer: mixed load for some seconds, then SIGTERM. It must end with status 0 and no report.
//
// build/asan/gander (memory, undefined behaviour, leaks) and build/tsan/gander (races) come from `make asan tsan`; what was not
// built is skipped aloud.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { ROOT, startHost } from "./support/host.mjs";

const LOAD_MS = 10_000;
const POLICY = "policies/idle/after_minutes.lua";
const REPORT = /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:/;

// gcc 12's ThreadSanitizer cannot live with the wide address randomisation of newer kernels.
const fixed = spawnSync("setarch", ["--addr-no-randomize", "true"]).status === 0 ? ["setarch", "--addr-no-randomize"] : [];

// What a sanitizer wrote into the host's log, or "".
function report(host) {
  const first = host.log.findIndex((line) => REPORT.test(line));
  return first < 0 ? "" : host.log.slice(first, first + 60).join("\n");
}

// Run `step` again and again until the load is over; how many times it ran.
async function repeat(until, step) {
  let count = 0;
  while (Date.now() < until) {
    await step(count);
    count += 1;
  }
  return count;
}

// A request whose client goes away in the middle of it.
async function cut(host, text, afterMs) {
  const socket = net.connect(host.port, "127.0.0.1", () => socket.write(text));
  socket.on("error", () => {});
  await sleep(afterMs);
  socket.resetAndDestroy();
}

const readers = (host, project) => [
  () => host.get(project.path),
  () => host.get(`${project.path}/status`),
  () => host.get(`${project.path}/logs?limit=5`),
  () => host.get("/api/scripts"),
  () => host.get("/metrics"),
  () => host.get("/api/nowhere"),
  () => host.post(`/api/users/ada/projects`, { name: "" }),
];

const talks = (host, project) => [
  () => host.post(`${project.path}/messages`, { content: "hello" }),
  () => host.post(`${project.path}/messages?wait_s=0`, { content: "/slow 5" }),
];

async function stream(host, count) {
  const events = host.events(count % 2 ? "/api/events?user=ada" : "/api/events");
  const { status } = await events.opened;
  assert.equal(status, 200);
  await sleep(50 * (count % 7));
  events.close();
  host.streams.delete(events);
}

async function save(host, original, count) {
  const broken = count % 10 === 9 ? "return {{{" : original;
  await writeFile(path.join(host.scripts, POLICY), `${broken}\n-- ${count}\n`);
  await sleep(200);
}

async function cuts(host, project, count) {
  const head = `Host: 127.0.0.1:${host.port}\r\nContent-Type: application/json\r\n`;
  const body = JSON.stringify({ content: "/slow 20" });
  const requests = [
    `POST ${project.path}/messages HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
    `POST ${project.path}/messages HTTP/1.1\r\n${head}Content-Length: 500\r\n\r\n{`,
    `GET /api/events?user=ada HTTP/1.1\r\n${head}\r\n`,
    `GET ${project.path}/logs?format=text HTTP/1.1\r\n${head}\r\n`,
    `GET /api/sys`,
  ];
  await cut(host, requests[count % requests.length], 10 * (count % 9));
}

async function load(host, project) {
  const original = await readFile(path.join(host.scripts, POLICY), "utf8");
  const until = Date.now() + LOAD_MS;
  const among = (list) => (count) => list[count % list.length]().then(({ status, body }) => assert.ok(status < 500 || status === 503, `answered ${status}: ${JSON.stringify(body)}\n${host.tail(20)}`));
  const all = await Promise.allSettled([ // a failure waits for the rest: the load must be over when the host is closed
    repeat(until, among(readers(host, project))),
    repeat(until, among(readers(host, project).reverse())),
    repeat(until, among(talks(host, project))),
    repeat(until, (count) => stream(host, count)),
    repeat(until, (count) => stream(host, count + 1)),
    repeat(until, (count) => save(host, original, count)),
    repeat(until, (count) => cuts(host, project, count)),
  ]);
  const failed = all.find(({ reason }) => reason);
  if (failed) throw new Error(`${failed.reason.message} ${failed.reason.cause?.message ?? ""}\n${report(host) || host.tail(20)}`, { cause: failed.reason });
  return all.map(({ value }) => value);
}

for (const [name, before] of [["asan", []], ["tsan", fixed]]) {
  const program = path.join(ROOT, "build", name, "gander");
  test(`no report of ${name} under mixed load and at SIGTERM`, { skip: !existsSync(program) && `${program} is not built` }, async () => {
    const host = await startHost({
      command: [...before, program], scripts: true, config: { goose: { engine: "echo" } },
      env: { ASAN_OPTIONS: "detect_leaks=1:halt_on_error=0", TSAN_OPTIONS: `halt_on_error=0 suppressions=${ROOT}/tests/support/tsan.supp` },
    });
    try {
      const project = await host.project();
      await host.activate(project);
      const counts = await load(host, project);
      assert.ok(counts.every((count) => count > 0), `each kind of load ran: ${counts}`);
      const open = host.events("/api/events?user=ada"); // one that is open when the end comes
      await open.opened;
      await host.stop();
      assert.equal(host.child.signalCode, null, host.tail());
      assert.equal(report(host), "");
      assert.equal(host.child.exitCode, 0, host.tail());
    } finally {
      await host.close();
    }
  });
}
