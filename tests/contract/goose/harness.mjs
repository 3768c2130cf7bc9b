// SPDX-License-Identifier: Apache-2.0
//
// What the contract tests of the Goose API server share: a server in a temporary directory on a free port, a client of its
// REST routes, and the words that make each engine do a thing. Every wait has a deadline.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { DEADLINE_MS, EventReader, until } from "./events.mjs";

export { assertOrder, lastOf, textOf, until } from "./events.mjs";

const repo = fileURLToPath(new URL("../../../", import.meta.url));
const server = path.join(repo, "scripts/goose/goose-api.mjs");
export const TOKEN = "a-token-of-the-tests";

export const gooseBin = findGoose();

function findGoose() {
  const arch = os.arch() === "arm64" ? "arm64" : "x64";
  const file = path.resolve(process.env.GOOSE_BIN || path.join(repo, `vendor/goose/node_modules/@aaif/goose-binary-linux-${arch}/bin/goose`));
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

// The same things, said to each engine.
export const engines = {
  echo: { say: "hello there", slow: "/slow 400", ask: "/permission", tool: "/tool 600", toolAsks: false, recall: "/history", die: "/crash" },
  goose: { say: "hello there", slow: "count to 400", ask: "run `echo asked`", tool: "run `sleep 617`", toolAsks: true, recall: "what did I say before?" },
};

// A test for each engine; without the binary, goose's is skipped and says so, or fails if REQUIRE contains goose.
export function eachEngine(name, act) {
  for (const engine of Object.keys(engines)) engineTest(engine, name, act);
}

export function gooseTest(name, act) {
  engineTest("goose", name, act);
}

function engineTest(engine, name, act) {
  const missing = engine === "goose" && !gooseBin;
  const required = (process.env.REQUIRE ?? "").split(",").includes("goose");
  test(`${engine}: ${name}`, { timeout: 120_000, skip: missing && !required && "no goose binary (set GOOSE_BIN or install vendor/goose)" }, async (t) => {
    assert.ok(!missing, "REQUIRE names goose, but there is no goose binary");
    await act(t, engine, engines[engine]);
  });
}

// Starts a server that ends with the test. `variables` are its environment beyond the least.
export async function startServer(t, engine, variables = {}) {
  const home = mkdtempSync(path.join(os.tmpdir(), "goose-api-test-"));
  const api = new Api(home, engine, variables);
  t.after(async () => {
    await api.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  await api.start();
  return api;
}

export class Api {
  constructor(home, engine, variables) {
    Object.assign(this, { home, engine, variables });
    this.work = path.join(home, "work");
    mkdirSync(this.work);
  }

  async start() {
    const base = {
      PATH: process.env.PATH, HOME: this.home, GOOSE_PATH_ROOT: path.join(this.home, "goose"), GOOSE_API_CWD: this.work,
      GOOSE_API_PORT: "0", GOOSE_API_ENGINE: this.engine, GOOSE_API_TOKEN: TOKEN, ...(gooseBin && { GOOSE_BIN: gooseBin }),
    };
    const variables = Object.fromEntries(Object.entries({ ...base, ...this.variables }).filter(([, value]) => value !== undefined));
    this.child = spawn(process.execPath, [server], { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    this.output = "";
    this.exited = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve(code ?? signal)));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    await until(() => /listens url=(\S+)/.test(this.output) || this.child.exitCode !== null, "the server listens");
    this.url = /listens url=(\S+)/.exec(this.output)?.[1];
    if (this.url) await until(async () => (await this.health()).status !== "starting", "the engine is up");
  }

  async stop(signal = "SIGTERM") {
    const { child, exited } = this;
    if (child.exitCode !== null || child.signalCode !== null) return exited;
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const outcome = await exited;
    clearTimeout(late);
    return outcome;
  }

  async call(method, route, body, headers = {}) {
    const response = await fetch(this.url + route, {
      method, signal: AbortSignal.timeout(DEADLINE_MS),
      headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
      ...(body !== undefined && { body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
  }

  async health() {
    return (await this.call("GET", "/health")).body;
  }

  async session(fields = {}) {
    const { status, body } = await this.call("POST", "/sessions", fields);
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  }

  async read(id) {
    return (await this.call("GET", `/sessions/${id}`)).body;
  }

  decide(permission, decision) {
    return this.call("POST", `/sessions/${permission.session_id}/permissions/${permission.permission_id}`, { decision });
  }

  send(sessionId, content, messageId = randomUUID()) {
    return this.stream("POST", "/messages", { session_id: sessionId, message_id: messageId, content });
  }

  // Sends a message, answers every question with `decision`, and gives the events of the run.
  async say(sessionId, content, decision = "allow_once") {
    const stream = await this.send(sessionId, content);
    const answered = new Set();
    for (let i = 0; ; i++) {
      const event = await stream.at(i);
      if (event.type === "permission_request" && !answered.has(event.data.permission_id)) {
        answered.add(event.data.permission_id);
        await this.decide(event.data, decision);
      }
      if (event.type === "run_finished") return stream.events;
    }
  }

  async stream(method, route, body, headers = {}) {
    const abort = new AbortController();
    const response = await fetch(this.url + route, {
      method, signal: abort.signal, headers: { Authorization: `Bearer ${TOKEN}`, ...headers }, ...(body && { body: JSON.stringify(body) }),
    });
    assert.equal(response.status, 200, response.status === 200 ? "" : await response.text());
    return new EventReader(response, abort);
  }
}

// Processes whose command line contains `text`.
export function processes(text) {
  const lines = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return { pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") };
    } catch {
      return { pid: 0, command: "" };
    }
  });
  return lines.filter((one) => one.command.includes(text) && one.pid !== process.pid);
}

// The pid of a server's goose child.
export function gooseOf(api) {
  const pids = [...api.output.matchAll(/goose is up .*pid=(\d+)/g)];
  return Number(pids.at(-1)[1]);
}
