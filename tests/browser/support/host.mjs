// A host for the browser tests: the one at GANDER_URL, else `./gander` of this tree on a free port with a data
// directory and scripts of its own, else (GANDER_STAND_IN=1) the console's stand-in for development.
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const START_MS = 60_000;
const STOP_MS = 20_000;

export const standIn = process.env.GANDER_STAND_IN === "1";
/** A host that these tests may kill: one they started. */
export const ownHost = !process.env.GANDER_URL;

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function answers(url, child) {
  const until = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the host ended with ${child.exitCode}:\n${child.said}`);
    const res = await fetch(`${url}/api/users`).catch(() => null);
    if (res?.ok) return;
    if (Date.now() > until) throw new Error(`no answer from ${url} in ${START_MS} ms:\n${child.said}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

function run(argv, env = {}) {
  const child = spawn(argv[0], argv.slice(1), {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.said = "";
  const keep = (data) => {
    child.said = (child.said + data).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return child;
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(late);
}

/** -> {url, stop()}; for one that was started here also scripts (its directory), kill(), start() */
export async function startHost() {
  if (process.env.GANDER_URL) return { url: process.env.GANDER_URL.replace(/\/$/, ""), stop: async () => {} };
  for (let left = 2; ; left--) {
    const host = await makeHost();
    try {
      await host.start();
      return host;
    } catch (error) {
      await host.stop();
      // A free port may be another's by the time it is asked for.
      if (!left || !/cannot listen|EADDRINUSE/.test(error.message)) throw error;
    }
  }
}

async function makeHost() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const dir = await mkdtemp(join(tmpdir(), "gander-browser-"));
  // The tests change a policy: never the tree's own.
  const scripts = join(dir, "scripts");
  if (!standIn) await cp(join(ROOT, "scripts"), scripts, { recursive: true });
  const listen = ["--listen", `127.0.0.1:${port}`];
  const argv = standIn
    ? [process.execPath, "www/dev/host.mjs", "--port", String(port)]
    : ["./gander", "serve", ...listen, "--data", join(dir, "data"), "--scripts", scripts];
  let child;
  return {
    url,
    scripts,
    async start() {
      child = run(argv);
      await answers(url, child);
    },
    kill: () => end(child, "SIGKILL"),
    async stop() {
      await end(child, "SIGTERM");
      await rm(dir, { recursive: true, force: true });
    },
  };
}
