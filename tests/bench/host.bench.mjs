// The host alone: times of start and stop, idle memory, size of the binary.
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ROOT, startHost } from "../e2e/support/host.mjs";
import { figure, spread } from "./figures.mjs";

const STARTS = 5;
const POLL_MS = 2;

const memory = (pid) => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (name) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]) / 1024).toFixed(1);
};

// From the spawn to the first 200 of /readyz; the port is known from the start before.
async function start(host) {
  const began = performance.now();
  const started = host.start();
  started.catch(() => {});
  for (;;) {
    const answer = await fetch(`${host.url}/readyz`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) break;
    await sleep(POLL_MS);
  }
  const took = performance.now() - began;
  await started;
  return took;
}

const host = await startHost({ config: { goose: { engine: "echo" } } });
try {
  const starts = [];
  const stops = [];
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now();
    await host.stop();
    stops.push(performance.now() - began);
    starts.push(await start(host));
  }
  spread("start to ready", starts, "data directory there");
  spread("SIGTERM to its end", stops);
  await sleep(3000);
  const read = memory(host.child.pid);
  figure("idle memory (RSS)", `${read("VmRSS")} MiB`, `peak ${read("VmHWM")} MiB, ${/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${host.child.pid}/status`, "utf8"))[1]} threads`);
  figure("binary", `${(statSync(path.join(ROOT, "gander")).size / 1024).toFixed(0)} KiB`, "with debugging information");
} finally {
  await host.close();
}
