// Handlers that wait in I/O are not noticed by the others.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";

import { startHost, waitFor } from "./support/host.mjs";

let host, slow;
const held = [];

before(async () => {
  slow = http.createServer((request, response) => held.push(response)).listen(0, "127.0.0.1");
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
end } }`,
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
