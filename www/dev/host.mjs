// A stand-in for the host, for working on the console alone: the REST contract and the event stream over an
// in-memory world. It simulates activations, a chat with one permission question, logs and a policies tree.
// It is a development aid, not a part of Gander: nothing here is isolated, stored or checked as the host does.
//
//   node dev/host.mjs [--port N] [--host-dir DIR]     (port 0 takes a free one; prints its address)
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { openEvents } from "./fake/events.mjs";
import { routes } from "./fake/routes.mjs";
import { createWorld } from "./fake/world.mjs";

const arg = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const dist = arg("--host-dir", new URL("../dist", import.meta.url).pathname);
const world = createWorld({ speed: Number(arg("--speed", "1")), projects: Number(arg("--projects", "0")) });
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const server = createServer(async (req, res) => {
  const url = new URL(req.url, "http://localhost");
  try {
    if (url.pathname === "/api/events") return openEvents(world, req, res, url);
    if (url.pathname.startsWith("/api/")) return await api(req, res, url);
    return await file(res, url.pathname);
  } catch (error) {
    const status = error.status ?? 500;
    reply(res, status, {
      error: {
        code: error.code ?? "internal",
        message: error.message,
        request_id: "dev",
        details: error.details,
      },
    });
  }
});

async function api(req, res, url) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const isJson = (req.headers["content-type"] ?? "").includes("json");
  const ctx = {
    query: url.searchParams,
    headers: req.headers,
    text,
    body: isJson && text ? JSON.parse(text) : {},
    by: req.headers["x-gander-user"] ?? "api",
  };
  for (const [spec, handler] of routes) {
    const [method, pattern] = spec.split(" ");
    if (method !== req.method) continue;
    const found = url.pathname.match(
      new RegExp(`^${pattern.replace(/:\w+/g, "([^/]+)").replace("*", "(.+)")}$`),
    );
    if (!found) continue;
    const {
      status = 200,
      body,
      headers = {},
      raw,
    } = await handler(world, ctx, ...found.slice(1).map(decodeURIComponent));
    return reply(res, status, raw ?? body, { "X-Gander-Event-Id": world.bus.lastId(), ...headers });
  }
  reply(res, 404, {
    error: { code: "not_found", message: `No route ${req.method} ${url.pathname}.`, request_id: "dev" },
  });
}

function reply(res, status, body, headers = {}) {
  const isText = typeof body === "string";
  res.writeHead(status, {
    "Content-Type": isText ? "text/plain; charset=utf-8" : "application/json",
    "Cache-Control": "no-store",
    "X-Gander-Generation": String(world.scripts.generation),
    ...headers,
  });
  res.end(body === undefined ? undefined : isText ? body : JSON.stringify(body));
}

async function file(res, pathname) {
  const clean = normalize(pathname).replace(/^\/+/, "");
  for (const name of [clean, "index.html"]) {
    const data = await readFile(join(dist, name)).catch(() => null);
    if (!data) continue;
    res.writeHead(200, {
      "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
      "Content-Security-Policy": CSP,
      "X-Content-Type-Options": "nosniff",
    });
    return res.end(data);
  }
  reply(res, 404, "Build the console first: npm run build");
}

server.listen(Number(arg("--port", "8700")), "127.0.0.1", () =>
  console.log(`Gander (stand-in for development) is at http://127.0.0.1:${server.address().port}`),
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
