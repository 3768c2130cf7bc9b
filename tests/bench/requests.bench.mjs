// Requests a second of two routes, beside a bare Node server that sends the same bytes: the same client, the same run,
// taking turns. The ratio is what to look at; the figures depend on the machine.
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import http from "node:http";

import { startHost } from "../e2e/support/host.mjs";
import { figure, milliseconds, percentile } from "./figures.mjs";

const CONNECTIONS = 16;
const TURN_MS = 2000;
const TURNS = 2;
const PROJECTS = 20;

const BARE = `
const body = Buffer.from(process.argv[1], "base64");
const server = require("http").createServer((req, res) => res.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length }).end(body));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

async function bare(body) {
  const child = spawn(process.execPath, ["-e", BARE, Buffer.from(body).toString("base64")], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await new Promise((resolve, reject) => child.once("error", reject) && child.stdout.once("data", (text) => resolve([String(text)])));
  return { port: Number(line), close: () => child.kill() };
}

// Ask from CONNECTIONS kept connections for `ms`; the latencies.
async function turn(port, where, ms) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const end = performance.now() + ms;
  const times = [];
  const ask = () => new Promise((resolve, reject) => {
    const began = performance.now();
    http.get({ host: "127.0.0.1", port, path: where, agent }, (res) => {
      if (res.statusCode !== 200) reject(new Error(`${where} answered ${res.statusCode}`));
      res.resume().on("end", () => resolve(times.push(performance.now() - began)));
    }).on("error", reject);
  });
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (performance.now() < end) await ask();
  }));
  agent.destroy();
  return times;
}

async function compare(host, where) {
  const { body } = await host.request("GET", where);
  const other = await bare(JSON.stringify(body));
  const ours = [];
  const theirs = [];
  await turn(host.port, where, 500);
  await turn(other.port, "/", 500);
  for (let i = 0; i < TURNS; i++) {
    ours.push(...(await turn(host.port, where, TURN_MS)));
    theirs.push(...(await turn(other.port, "/", TURN_MS)));
  }
  other.close();
  const rate = (times) => Math.round((1000 * times.length) / (TURNS * TURN_MS));
  const note = (times) => `p50 ${milliseconds(percentile(times, 50))}, p95 ${milliseconds(percentile(times, 95))}, ${CONNECTIONS} connections`;
  figure(`GET ${where}`, `${rate(ours)}/s`, note(ours));
  figure("  bare Node, the same bytes", `${rate(theirs)}/s`, note(theirs));
  figure("  ratio", (rate(ours) / rate(theirs)).toFixed(2), `${Buffer.byteLength(JSON.stringify(body))} bytes of body`);
}

const host = await startHost({ config: { goose: { engine: "echo" } } });
try {
  for (let i = 0; i < PROJECTS; i++) await host.project("ada", { description: "a project to list", settings: { env: { TOKEN: "x" } } });
  await compare(host, "/api/version");
  await compare(host, "/api/users/ada/projects");
} finally {
  await host.close();
}
