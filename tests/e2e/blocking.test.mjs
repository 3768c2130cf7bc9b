// Handlers that wait in I/O are not noticed by the others.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

let host, slow;
const held = [];
let seen = 0; // requests that wait for an event

before(async () => {
  slow = http.createServer((request, response) => {
    if (request.url === "/seen") response.end(String(++seen));
    else held.push(response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => slow.once("listening", resolve));
  host = await startHost({ scripts: true });
  await mkdir(path.join(host.scripts, "routes"), { recursive: true });
  await writeFile(
    path.join(host.scripts, "routes/test_slow.lua"),
    `local app = require "lib.app"
local http = require "gander.http"
return { ["GET /api/test-slow"] = app.route { doc = "Waits.", answers = { [200] = "text" }, handler = function()
  local reply = http.request { url = "http://127.0.0.1:${slow.address().port}/", timeout_ms = 20000 }
  return 200, { status = reply and reply.status or 0 }
end },
["GET /api/test-await"] = app.route { doc = "Waits for an event.", answers = { [200] = "text" }, handler = function()
  http.request { url = "http://127.0.0.1:${slow.address().port}/seen" }
  return app.await { topic = "test:never", ["until"] = { "never" }, timeout_ms = 300000, next = "routes/test_slow#never", data = {} }
end },
never = function() return 200, { status = 0 } end }`,
  );
  await waitFor("the slow route", async () => (await host.request("OPTIONS", "/api/test-slow")).status === 204);
});
after(async () => {
  await host?.close();
  slow?.closeAllConnections();
  slow?.close();
});

test("sixteen handlers that wait do not stop the seventeenth", async () => {
  const waiting = Array.from({ length: 16 }, () => host.get("/api/test-slow"));
  await waitFor("all are waiting", async () => held.length === 16);
  for (let i = 0; i < 20; i++) assert.equal((await host.get("/api/version")).status, 200);
  assert.equal(held.length, 16, "they still wait");
  for (const response of held) response.end("ok");
  for (const answer of await Promise.all(waiting)) assert.deepEqual(answer.body, { status: 200 });
});

test("clients that leave while they wait for an event free their places", async () => {
  const CLIENTS = 150; // of the door's 200 places: two rounds do not fit at once
  for (const round of [1, 2]) {
    const clients = Array.from({ length: CLIENTS }, () => net.connect(host.port, "127.0.0.1"));
    for (const socket of clients) {
      socket.on("error", () => {});
      socket.write("GET /api/test-await HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    }
    await waitFor(`round ${round}`, () => seen === round * CLIENTS);
    for (const socket of clients) socket.destroy();
  }
});
