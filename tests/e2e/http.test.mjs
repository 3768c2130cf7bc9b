// The door: what is refused before any script runs, and how. Raw sockets where a client library would not send it.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, test } from "node:test";

import { startHost } from "./support/host.mjs";

let host;
before(async () => {
  host = await startHost({});
});
after(() => host?.close());

// Send bytes, read until the server closes or the answer's head and body are there.
function raw(text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(host.port, "127.0.0.1", () => socket.write(text));
    let got = "";
    const timer = setTimeout(() => socket.destroy(new Error(`no answer; got ${got.slice(0, 200)}`)), 60_000);
    const done = () => {
      clearTimeout(timer);
      const [head, ...rest] = got.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
      resolve({ status, head, body: rest.join("\r\n\r\n") });
      socket.destroy();
    };
    socket.on("data", (data) => {
      got += data;
      const length = /content-length: (\d+)/i.exec(got);
      const start = got.indexOf("\r\n\r\n");
      if (start > 0 && length && got.length >= start + 4 + Number(length[1])) done();
    });
    socket.on("end", done);
    socket.on("error", reject);
  });
}

function refused(answer, status, code) {
  assert.equal(answer.status, status, answer.head + answer.body);
  const { error } = JSON.parse(answer.body);
  assert.equal(error.code, code);
  assert.ok(error.message.length > 5);
  assert.match(answer.head, /X-Request-Id: \S+/);
  assert.match(answer.head, /X-Gander-Generation: \d+/);
}

const H = "Host: 127.0.0.1\r\n";

test("two lengths, and a length with chunks, are refused", async () => {
  refused(await raw(`POST /api/scripts/check HTTP/1.1\r\n${H}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`), 400, "invalid");
  refused(await raw(`POST /api/scripts/check HTTP/1.1\r\n${H}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), 400, "invalid");
});

test("a foreign Host is refused, our own names are not", async () => {
  refused(await raw("GET /api/version HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421, "denied");
  refused(await raw("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421, "denied");
  for (const name of ["localhost", `localhost:${host.port}`, "127.0.0.1", "[::1]:80"]) {
    assert.equal((await raw(`GET /api/version HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)).status, 200, name);
  }
});

test("a page elsewhere cannot change anything", async () => {
  const from = (origin) => raw(`POST /api/scripts/check HTTP/1.1\r\nHost: localhost:${host.port}\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"files":{}}`);
  refused(await from("http://evil.example"), 403, "denied");
  refused(await from("null"), 403, "denied");
  assert.equal((await from(`http://localhost:${host.port}`)).status, 200);
});

test("an unknown method and a wrong one name what works", async () => {
  const unknown = await raw(`BREW /api/version HTTP/1.1\r\n${H}\r\n`);
  refused(unknown, 405, "invalid");
  assert.match(unknown.head, /Allow: /);
  const wrong = await raw(`DELETE /api/version HTTP/1.1\r\n${H}\r\n`);
  refused(wrong, 405, "invalid");
  assert.match(wrong.head, /Allow: GET, HEAD, OPTIONS/);
});

test("HEAD and OPTIONS work on routes", async () => {
  const head = await host.request("HEAD", "/api/version");
  assert.equal(head.status, 200);
  assert.equal(head.body, "");
  const options = await host.request("OPTIONS", "/api/scripts/policies/idle/after_minutes.lua");
  assert.equal(options.status, 204);
  assert.match(options.headers.get("allow"), /PUT/);
});

test("%2F stays inside a segment, %00 and dots are refused", async () => {
  refused(await raw(`GET /api/users/ada%2Fprojects HTTP/1.1\r\n${H}\r\n`), 404, "not_found");
  refused(await raw(`GET /api/users/a%00b HTTP/1.1\r\n${H}\r\n`), 400, "invalid");
  refused(await raw(`GET /api/users/%2e%2e/x HTTP/1.1\r\n${H}\r\n`), 400, "invalid");
  refused(await raw(`GET /api/users/%zz HTTP/1.1\r\n${H}\r\n`), 400, "invalid");
  assert.equal((await raw(`GET /..%2f..%2fetc/passwd HTTP/1.1\r\n${H}Connection: close\r\n\r\n`)).status, 404);
});

test("malformed, deep and broken JSON are refused, not fatal", async () => {
  const send = (body) => host.post("/api/scripts/check", body);
  for (const body of ["[".repeat(2048), "{", '{"files":', '{"files":{"a":"\xff\xfe"}}'.slice(0, 12), "nul"]) {
    const answer = await send(body);
    assert.equal(answer.status, 400, body.slice(0, 20));
    assert.equal(answer.body.error.code, "invalid");
  }
  const bytes = await fetch(`${host.url}/api/scripts/check`, { method: "POST", headers: { "Content-Type": "application/json" }, body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) });
  assert.equal(bytes.status, 400);
});

test("unknown fields and parameters are refused by name, all at once", async () => {
  const body = await host.post("/api/scripts/check", { files: {}, extra: 1, more: 2 });
  assert.equal(body.status, 400);
  assert.deepEqual(body.body.error.details.map((d) => d.field).sort(), ["extra", "more"]);
  const query = await host.get("/api/scripts/policies/idle/after_minutes.lua?nonsense=1");
  assert.equal(query.status, 400);
  assert.equal(query.body.error.details[0].field, "nonsense");
});

test("a body over the limit gets 413, another type 415", async () => {
  const big = await host.post("/api/scripts/check", `{"files":{"a":"${"x".repeat(1100 * 1024)}"}}`).catch((error) => error);
  if (!(big instanceof Error)) assert.equal(big.status, 413); // or the connection was closed on the rest of the body
  refused(await raw(`POST /api/scripts/check HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`), 413, "invalid");
  const type = await host.post("/api/scripts/check", "a=1", { headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  assert.equal(type.status, 415);
});

test("the caller's request id comes back when it is sane", async () => {
  assert.equal((await host.get("/api/version", { headers: { "X-Request-Id": "abc-1" } })).headers.get("x-request-id"), "abc-1");
  const odd = await raw(`GET /api/version HTTP/1.1\r\n${H}X-Request-Id: a b<script>\r\nConnection: close\r\n\r\n`);
  assert.doesNotMatch(odd.head, /script/);
});

test("silent and half-sent connections do not stop others", async () => {
  const idle = Array.from({ length: 64 }, () => net.connect(host.port, "127.0.0.1"));
  for (const socket of idle) {
    socket.on("error", () => {});
    socket.write("GET /api/ver");
  }
  assert.equal((await host.get("/api/version")).status, 200);
  for (const socket of idle) socket.destroy();
});

test("the page's own addresses get the page, with its policy", async () => {
  const page = await host.get("/u/ada/p/some/chat");
  assert.ok([200, 404].includes(page.status)); // 404: the console is not built
  if (page.status === 200) {
    assert.match(page.headers.get("content-security-policy"), /default-src 'self'/);
    assert.equal((await host.get("/assets/nothing.js")).status, 404);
  }
});

test("OpenAPI names every route with its answers", async () => {
  const { body } = await host.get("/api/openapi.json");
  assert.equal(body.openapi, "3.1.0");
  for (const [path, methods] of Object.entries(body.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      assert.ok(operation.summary, `${method} ${path} has no doc`);
      assert.ok(Object.keys(operation.responses).length > 1, `${method} ${path} has no answers`);
    }
  }
});
