// Activations with their phases, and the time from a message to the first word, on the echo engine and on the real goose
// with the demo model. BENCH_N activations each (default 10), one after the other.
// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import path from "node:path";

import { ROOT, startHost } from "../e2e/support/host.mjs";
import { figure, spread } from "./figures.mjs";

const N = Number(process.env.BENCH_N ?? 10);
const GOOSE = path.join(ROOT, "vendor/goose/node_modules/@aaif/goose-binary-linux-x64/bin/goose");

async function firstWord(host, project) {
  const began = performance.now();
  const stream = host.events(`${project.path}/messages`, { body: { content: "hello" } });
  await stream.until((event) => event.event === "message_delta");
  const took = performance.now() - began;
  await stream.until((event) => event.event === "run_finished");
  stream.close();
  return took;
}

async function engine(name) {
  const host = await startHost({ config: { goose: { engine: name } } });
  const whole = [];
  const stops = [];
  const words = { first: [], next: [] };
  const phases = {};
  try {
    const project = await host.project("ada");
    const stream = host.events("/api/events?user=ada");
    await stream.opened;
    const reached = (state) => {
      const from = stream.all.length;
      return stream.until((event) => event.event === "project" && event.data.state === state && stream.all.indexOf(event) >= from);
    };
    for (let i = 0; i < N; i++) {
      let began = performance.now();
      const active = reached("active");
      await host.post(`${project.path}/activate`);
      const { progress } = (await active).data;
      whole.push(performance.now() - began);
      for (const step of progress.steps) (phases[step.name] ??= []).push(Date.parse(step.ended_at) - Date.parse(step.started_at));
      words.first.push(await firstWord(host, project));
      words.next.push(await firstWord(host, project));
      began = performance.now();
      const inactive = reached("inactive");
      await host.post(`${project.path}/deactivate`);
      await inactive;
      stops.push(performance.now() - began);
    }
  } finally {
    await host.close();
  }
  spread(`${name}: request to active`, whole);
  for (const [phase, times] of Object.entries(phases)) if (phase !== "healthy") spread(`  ${phase}`, times);
  spread(`${name}: message to first word`, words.first, "the first after activation");
  spread(`${name}: message to first word`, words.next, "the second");
  spread(`${name}: request to inactive`, stops);
}

await engine("echo");
if (existsSync(GOOSE)) await engine("goose");
else figure("goose", "skipped", "its binary is not set up");
