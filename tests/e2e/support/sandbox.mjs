// A look into a sandbox from outside, with the host's own rights: its processes and their files. Linux, and root or the
// owner of the sandboxes.
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";

const FILE_MAX = 64 * 1024 * 1024;
const PLACES = ["workspace", "home", "tmp", "run", "opt", "etc", "var/tmp", "dev/shm", "root"];

const attempt = (read) => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

export const workspace = (host, project) => path.join(host.data, "local/workspaces", project.id, "files");

// All processes of the project's sandbox: {pid, argv, environ}.
export function processes(host, project) {
  const { ino, dev } = statSync(workspace(host, project));
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const inside = (pid) => attempt(() => statSync(`/proc/${pid}/root/workspace`));
  const one = pids.find((pid) => inside(pid)?.ino === ino && inside(pid)?.dev === dev);
  if (!one) return [];
  const space = readlinkSync(`/proc/${one}/ns/pid`);
  return pids.filter((pid) => attempt(() => readlinkSync(`/proc/${pid}/ns/pid`)) === space).map((pid) => ({
    pid: Number(pid),
    argv: (attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").split("\0"),
    environ: attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1")) ?? "",
  }));
}

function* files(dir, seen) {
  for (const entry of attempt(() => readdirSync(dir, { withFileTypes: true })) ?? []) {
    const file = path.join(dir, entry.name);
    const about = attempt(() => statSync(file));
    const id = about && `${about.dev}:${about.ino}`;
    if (!about || seen.has(id) || entry.isSymbolicLink()) continue;
    seen.add(id);
    if (entry.isDirectory()) yield* files(file, seen);
    else if (entry.isFile() && about.size <= FILE_MAX) yield file;
  }
}

// Where any of the texts is found in the sandbox: environments, arguments, files. `read` counts what was looked at.
export function find(host, project, texts) {
  const all = processes(host, project);
  const found = [];
  const read = { processes: all.length, files: 0 };
  const look = (where, bytes) => {
    for (const [name, text] of Object.entries(texts)) if (bytes.includes(text)) found.push(`${name} in ${where}`);
  };
  for (const { pid, argv, environ } of all) {
    look(`environ of ${argv.join(" ")}`, environ);
    look(`argv of ${pid}`, argv.join(" "));
  }
  const seen = new Set();
  for (const place of PLACES) {
    for (const file of files(`/proc/${all[0]?.pid}/root/${place}`, seen)) {
      const bytes = attempt(() => readFileSync(file));
      if (!bytes) continue;
      read.files++;
      look(file, bytes);
    }
  }
  return { found, read };
}
