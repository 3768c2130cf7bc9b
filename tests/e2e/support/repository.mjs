// A Git repository served on loopback for trips. Sandboxes and jails with network reach it at 10.0.2.2 when the provider
// has `reach_private`.
//
//   const repo = await serveRepository(dir, { "server.mjs": text, … });   repo.url, repo.port
//   repo.commit({ "server.mjs": other });   repo.close();
// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";

export async function serveRepository(dir, files) {
  const tree = path.join(dir, "repo");
  mkdirSync(tree, { recursive: true });
  const git = (...args) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", "-C", tree, ...args], { env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" }, stdio: "pipe", encoding: "utf8" }).trim();
  git("init", "-q", "-b", "main");
  const commit = (changed) => {
    for (const [name, text] of Object.entries(changed)) {
      mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
      writeFileSync(path.join(tree, name), text);
    }
    git("add", "-A");
    git("commit", "-q", "-m", "change");
    return git("rev-parse", "HEAD");
  };
  const first = commit(files);
  let clones = 0;
  const children = new Set();
  const server = net.createServer((socket) => {
    clones++;
    const daemon = spawn("git", ["daemon", "--inetd", "--export-all", `--base-path=${dir}`], { stdio: ["pipe", "pipe", "ignore"] });
    children.add(daemon);
    daemon.on("exit", () => children.delete(daemon));
    socket.on("error", () => daemon.kill());
    daemon.stdin.on("error", () => {});
    socket.pipe(daemon.stdin);
    daemon.stdout.pipe(socket);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    port, first, commit, url: `git://10.0.2.2:${port}/repo`, clones: () => clones,
    close() {
      for (const child of children) child.kill();
      server.close();
    },
  };
}
