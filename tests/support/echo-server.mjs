// A small HTTP server for the specs of gander.http and gander.follow: it echoes, stalls, breaks off and streams.
// Prints {"port": n} on one line once it listens (loopback; its argument or any free port); ends when its standard input does.
// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";

const counts = new Map(); // how often each path was asked for, for what must happen once only

async function readAll(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

// Sends items from `first` on; the first `cut` of a run are followed by a broken connection, as long as some are left.
function sendItems(response, { first, total, cut, stay }, format) {
  for (let i = first, sent = 0; i <= total; i++, sent++) {
    if (cut && sent === cut) return void setTimeout(() => response.destroy(), 20);
    response.write(format(i));
  }
  if (!stay) response.end();
}

const frame = (stream, text) => {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};

const routes = {
  async echo(request, response, url) {
    const body = await readAll(request);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method: request.method, url: url.pathname + url.search, headers: request.headers, body }));
  },
  status(request, response, url) {
    response.statusCode = Number(url.pathname.split("/")[2]);
    response.end("as asked");
  },
  bytes(request, response, url) {
    const n = Number(url.pathname.split("/")[2]);
    if (!url.searchParams.has("chunked")) response.setHeader("content-length", n);
    response.end("x".repeat(n));
  },
  headers(request, response) {
    response.setHeader("X-Two", ["one", "two"]);
    response.setHeader("Set-Cookie", ["a=1", "b=2"]);
    response.end();
  },
  redirect(request, response, url) {
    response.statusCode = 302;
    response.setHeader("location", url.searchParams.get("to"));
    response.end("moved");
  },
  hang() {},
  stall(request, response) {
    response.write("half");
  },
  pid(request, response) {
    response.end(String(process.pid));
  },
  reset(request) {
    request.socket.resetAndDestroy();
  },
  connections(request, response) {
    request.socket.seen = (request.socket.seen ?? 0) + 1;
    response.end(String(request.socket.seen));
  },

  // Streams. ?total=, ?cut= breaks off after so many, ?stay keeps the connection open at the end.
  sse(request, response, url, options) {
    response.setHeader("content-type", "text/event-stream");
    options.first = Number(request.headers["last-event-id"] ?? 0) + 1;
    response.write(": hello\n\n");
    sendItems(response, options, (i) => `id: ${i}\r\nevent: step\r\ndata: {"n":\r\ndata: ${i}}\r\n\r\n`);
  },
  ndjson(request, response, url, options) {
    options.first = Number(url.searchParams.get("after") ?? 0) + 1;
    sendItems(response, options, (i) => `{"offset":${i},"text":"line ${i}"}\n`);
  },
  chunks(request, response, url, options) {
    if (counts.get(url.href) > 1) options.cut = 0; // whole the second time
    sendItems(response, options, (i) => `{"stream":"${i % 2 ? "stdout" : "stderr"}","data":"line ${i}\\nbegin of "}\n`);
  },
  frames(request, response, url, options) {
    sendItems(response, options, (i) => frame(1 + (i % 2), `line ${i}\n`));
  },
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  counts.set(url.href, (counts.get(url.href) ?? 0) + 1);
  const route = routes[url.pathname.split("/")[1]];
  const number = (name, otherwise) => Number(url.searchParams.get(name) ?? otherwise);
  response.statusCode = route ? 200 : 404;
  if (!route) return response.end("no such route");
  await route(request, response, url, { first: 1, total: number("total", 1), cut: number("cut", 0), stay: url.searchParams.has("stay") });
});

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.resume().on("end", () => process.exit(0));
