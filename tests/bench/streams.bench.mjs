// Fan-out: 200 event streams, and the time from a change's request to its event on each of them. The client's own work
// for 200 streams is in the figures.
// SPDX-License-Identifier: Apache-2.0
import http from "node:http";

import { startHost } from "../e2e/support/host.mjs";
import { figure, spread } from "./figures.mjs";

const STREAMS = 200;
const CHANGES = 30;
const DEADLINE_MS = 30_000;

// One stream that tells `seen(mark)` of each "mark-N" that passes.
function open(port, seen) {
  return new Promise((resolve, reject) => {
    const req = http.get({ host: "127.0.0.1", port, path: "/api/events?user=ada", headers: { Accept: "text/event-stream" }, agent: false }, (res) => {
      res.setEncoding("utf8").on("data", (text) => {
        for (const [mark] of text.matchAll(/mark-\d+/g)) seen(mark);
      });
      res.on("error", () => {});
      resolve(req);
    });
    req.on("error", reject);
  });
}

const host = await startHost({ config: { goose: { engine: "echo" } } });
const streams = [];
try {
  const project = await host.project("ada");
  const times = [];
  const answers = [];
  let now;
  const seen = (mark) => {
    if (mark !== now.mark) return;
    times.push(performance.now() - now.began);
    if (--now.left === 0) now.resolve();
  };
  const opening = performance.now();
  for (let i = 0; i < STREAMS; i++) streams.push(await open(host.port, seen));
  figure("streams opened", STREAMS, `in ${Math.round(performance.now() - opening)} ms, one after the other`);
  for (let i = 0; i < CHANGES; i++) {
    const all = new Promise((resolve, reject) => {
      now = { mark: `mark-${i}`, left: STREAMS, resolve };
      setTimeout(() => reject(new Error(`${now.left} streams did not get ${now.mark}`)), DEADLINE_MS).unref();
    });
    now.began = performance.now();
    const answer = await host.patch(project.path, { description: now.mark });
    answers.push(performance.now() - now.began);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    await all;
  }
  spread("change to event, each stream", times, `${CHANGES} changes`);
  spread("change to its answer", answers);
} finally {
  for (const stream of streams) stream.destroy();
  await host.close();
}
