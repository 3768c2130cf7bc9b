// A real host for the trips: `./gander` on a free port with a data directory of its own.
//
//   const host = await startHost({ config: { goose: { engine: "echo" } }, scripts: true, env: { ... } });
//   await host.get("/api/system")            {status, headers, body}; also post, put, patch, del; a path or a whole URL
//   const project = await host.project("ada"); await host.activate(project)
//   const stream = host.events("/api/events?user=ada"); await stream.until((e) => e.event === "project"); stream.close()
//   await host.kill();  await host.start();  as kill -9 and the next start do, on the same port and data
//   await host.close();                      removes its projects with their sandboxes, then the host and its files
//
// `scripts: true` runs on a copy of scripts/ that a test may edit (host.scripts). The host's log is in host.log (lines).
// `command` runs another build than ./gander, such as ["build/asan/gander"].
// No packages. Every wait has a deadline; a failure shows the end of the host's log.
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openEvents } from "./events.mjs";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const START_MS = 60_000;
export const WAIT_MS = 120_000; // for what a busy machine may take long to do
const USERS = [
  { id: "ada", name: "Ada" },
  { id: "grace", name: "Grace" },
];
const LOG_LINES = 20_000;

// A JavaScript value as Lua source.
export function lua(value) {
  if (Array.isArray(value)) return `{ ${value.map(lua).join(", ")} }`;
  if (value !== null && typeof value === "object") return `{ ${Object.entries(value).map(([k, v]) => `[${JSON.stringify(k)}] = ${lua(v)}`).join(", ")} }`;
  return JSON.stringify(value);
}

// Poll `check` until it gives something true.
export async function waitFor(what, check, ms = WAIT_MS) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms / 1000} s`);
    await sleep(100);
  }
}

class Host {
  constructor(dir, options) {
    Object.assign(this, { dir, options });
    this.data = path.join(dir, options.dataName ?? "data");
    this.scripts = options.scripts ? path.join(dir, "scripts") : path.join(ROOT, "scripts");
    this.log = [];
    this.port = 0;
    this.streams = new Set();
  }

  async start() {
    const args = ["--config", path.join(this.dir, "config.lua"), "--data", this.data, "--scripts", this.scripts, "--listen", `127.0.0.1:${this.port}`];
    const [program, ...before] = this.options.command ?? [path.join(ROOT, "gander")];
    this.child = spawn(program, [...before, "serve", ...args, ...(this.options.args ?? [])], {
      env: cleanEnvironment(this.options.env), stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = once(this.child, "exit");
    let banner = "";
    const keep = (text) => {
      this.log.push(...text.split("\n").filter(Boolean));
      this.log.splice(0, Math.max(0, this.log.length - LOG_LINES));
    };
    this.child.stderr.setEncoding("utf8").on("data", keep);
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      banner += text;
      keep(text);
    });
    const opened = () => /Open\s+http:\/\/[^:]+:(\d+)\//.exec(banner);
    await waitFor("the host's start", () => {
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null) throw new Error(`the host ended with ${signalCode ?? `status ${exitCode}`}\n${this.tail()}`);
      return opened();
    }, START_MS);
    this.port = Number(opened()[1]);
    this.url = `http://127.0.0.1:${this.port}`;
    await waitFor("/healthz", async () => (await this.get("/healthz").catch(() => null))?.status === 200, START_MS);
    return this;
  }

  tail(lines = 40) {
    return this.log.slice(-lines).join("\n");
  }

  async request(method, where, { body, headers = {}, timeoutMs = WAIT_MS } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(new URL(where, this.url), {
      method, body: text, headers: { ...(text !== undefined && { "Content-Type": "application/json" }), ...headers }, signal: AbortSignal.timeout(timeoutMs),
    });
    const raw = await response.text();
    const json = (response.headers.get("content-type") ?? "").includes("json") && !(response.headers.get("content-type") ?? "").includes("ndjson");
    return { status: response.status, headers: response.headers, body: json && raw ? JSON.parse(raw) : raw };
  }

  get(where, options) {
    return this.request("GET", where, options);
  }
  post(where, body, options) {
    return this.request("POST", where, { body, ...options });
  }
  put(where, body, options) {
    return this.request("PUT", where, { body, ...options });
  }
  patch(where, body, options) {
    return this.request("PATCH", where, { body, ...options });
  }
  del(where, options) {
    return this.request("DELETE", where, options);
  }

  // An event stream (events.mjs); with `body` the answer to a POST.
  events(where, options = {}) {
    const stream = openEvents(new URL(where, this.url), options);
    this.streams.add(stream);
    return stream;
  }

  // A new project; its `path` is the address of it.
  async project(user = "ada", fields = {}) {
    const made = await this.post(`/api/users/${user}/projects`, { name: `p-${Math.random().toString(36).slice(2, 10)}`, ...fields });
    if (made.status !== 201) throw new Error(`no project: ${made.status} ${JSON.stringify(made.body)}`);
    return { ...made.body, path: `/api/users/${user}/projects/${made.body.id}` };
  }

  async state(project, wanted, ms = WAIT_MS) {
    let last;
    await waitFor(`${project.name} ${wanted}`, async () => {
      last = (await this.get(project.path)).body;
      if (last.state === "error" && wanted !== "error") throw new Error(`${project.name} is in error: ${JSON.stringify(last.last_error)}\n${this.tail()}`);
      return last.state === wanted;
    }, ms).catch((error) => {
      error.message += `; it is ${last?.state}/${last?.phase}\n${this.tail()}`;
      throw error;
    });
    return last;
  }

  async activate(project) {
    const answer = await this.post(`${project.path}/activate`);
    if (answer.status > 202) throw new Error(`not activated: ${answer.status} ${JSON.stringify(answer.body)}`);
    return this.state(project, "active");
  }

  async deactivate(project) {
    await this.post(`${project.path}/deactivate`, {});
    return this.state(project, "inactive");
  }

  async signal(name) {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
    const { child, exited } = this; // not the one that a later start makes
    child.kill(name);
    const last = setTimeout(() => child.kill("SIGKILL"), 30_000);
    await exited;
    clearTimeout(last);
  }

  // As if the machine had pulled the plug on the process.
  kill() {
    return this.signal("SIGKILL");
  }

  stop() {
    return this.signal("SIGTERM");
  }

  async removeProjects() {
    for (const { id: user } of USERS) {
      const { body } = await this.get(`/api/users/${user}/projects?limit=200`);
      for (const project of body.items ?? []) await this.del(`/api/users/${user}/projects/${project.id}?force=true`);
      await waitFor("the projects' removal", async () => (await this.get(`/api/users/${user}/projects`)).body.items.length === 0);
    }
  }

  async close() {
    try {
      if (this.child.exitCode !== null || this.child.signalCode !== null) await this.start();
      await this.removeProjects();
    } finally {
      await this.stop();
      await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

// Keys and addresses of the developer's own never reach a test.
function cleanEnvironment(more = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VERCEL_|MONGODB_URI|GOOSE_|OPENAI_|ANTHROPIC_|GANDER_)/.test(name)));
  return { ...env, ...more };
}

export async function startHost(options = {}) {
  const dir = await mkdtemp(path.join(os.tmpdir(), "gander-e2e-"));
  await writeFile(path.join(dir, "config.lua"), `return ${lua({ users: USERS, ...options.config })}\n`);
  if (options.scripts) await cp(path.join(ROOT, "scripts"), path.join(dir, "scripts"), { recursive: true });
  const host = new Host(dir, options);
  try {
    return await host.start();
  } catch (error) {
    host.child?.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
