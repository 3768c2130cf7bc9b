// What the local provider leaves on this machine, seen from outside: directories and processes of sandboxes.
//
//   await directories(host, project)   names of its sandboxes' directories
//   await processes(host, project)     [{pid, start, command}] that live in one of its sandboxes or hold one up
//   workspace(host, project)           path of its files
//   await nothingLeft(host, project)   waits until neither process nor directory of it is there
//   await removed(host, project)       waits until it is 404, and its files are gone too
//   preload(source)                    `settings.env` that makes the agent's server run some JavaScript first
// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "./host.mjs";

const LEFT_MS = 60_000; // a sweep that is due only in a while counts too

const local = (host, ...rest) => path.join(host.data, "local", ...rest);

async function entries(dir) {
  return readdir(dir).catch((error) => (error.code === "ENOENT" ? [] : Promise.reject(error)));
}

export async function directories(host, { id }) {
  return (await entries(local(host, "sandboxes"))).filter((name) => name.includes(id));
}

// Mounts name the sandbox's directories, a control group and the command line of a monitor its name.
export async function processes(host, { id }) {
  const found = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== host.child.pid)) {
    const read = (name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    const [group, mounts, command, stat] = [await read("cgroup"), await read("mountinfo"), await read("cmdline"), await read("stat")];
    const after = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (after[0] === "Z" || ![group, mounts, command].some((text) => text.includes(id))) continue;
    found.push({ pid: Number(pid), start: Number(after[19]), command: command.replaceAll("\0", " ").trim() });
  }
  return found;
}

export function workspace(host, { id }) {
  return local(host, "workspaces", id, "files");
}

export async function hasWorkspace(host, { id }) {
  return (await entries(local(host, "workspaces"))).includes(id);
}

export async function nothingLeft(host, project) {
  let left;
  await waitFor("the sandboxes' end", async () => {
    left = [...(await directories(host, project)), ...(await processes(host, project))];
    return left.length === 0;
  }, LEFT_MS).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(left)}`);
  });
}

export async function removed(host, project) {
  await waitFor("404", async () => (await host.get(project.path)).status === 404);
  await nothingLeft(host, project);
  await waitFor("the files' end", async () => !(await hasWorkspace(host, project)), LEFT_MS);
}

export function preload(source) {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}
