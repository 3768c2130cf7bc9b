// Runs the parts of `make test` one after the other, shows what they print, and closes with the sum over all of them:
//   N passed, N failed[, N skipped]
//
// usage: node tally.mjs PART...      each PART is a target of the Makefile
//
// A part prints TAP. A summary ("# pass 3", as `node --test` writes it) counts where there is one, else the "ok" and
// "not ok" lines do. A part that ends with an error and names no failed test, or outlives its deadline, is one failed
// test. What a part is made of is not known here.
// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const PART_DEADLINE_MS = 15 * 60 * 1000;
const GRACE_MS = 5000; // for what a part left behind with its standard output

// Reads a part's TAP line by line.
function counter() {
  const lines = { passed: 0, failed: 0, skipped: 0 };
  const summary = { passed: 0, failed: 0, skipped: 0, seen: false };
  const summed = { pass: "passed", fail: "failed", cancelled: "failed", skipped: "skipped", todo: "skipped" };
  return {
    read(line) {
      const sum = /^# (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line);
      if (sum) {
        summary[summed[sum[1]]] += Number(sum[2]);
        summary.seen = true;
      } else if (/^ok\b.*# (SKIP|TODO)\b/i.test(line)) lines.skipped++;
      else if (/^ok\b/.test(line)) lines.passed++;
      else if (/^not ok\b/.test(line)) lines.failed++;
    },
    get result() {
      const { passed, failed, skipped } = summary.seen ? summary : lines;
      return { passed, failed, skipped };
    },
  };
}

// Runs one part and gives its counts. The part has a process group of
// its own, so that its deadline ends all it has started, and is a make of its own: no job server is shared.
async function run(part) {
  const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...env } = process.env;
  const child = spawn("make", ["--no-print-directory", part], { stdio: ["ignore", "pipe", "inherit"], env, detached: true });
  const count = counter();
  const lines = createInterface({ input: child.stdout }).on("line", (line) => {
    console.log(line);
    count.read(line);
  });
  const read = once(lines, "close");
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    process.kill(-child.pid, "SIGKILL");
  }, PART_DEADLINE_MS);
  const [status, signal] = await once(child, "exit");
  clearTimeout(deadline);
  await Promise.race([read, delay(GRACE_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  const sum = count.result;
  if (late || (status !== 0 && sum.failed === 0)) {
    const why = late ? `still running after ${PART_DEADLINE_MS / 60000} minutes` : `ended with ${signal ?? `status ${status}`}`;
    console.log(`not ok - ${part}: ${why}`);
    sum.failed++;
  }
  return sum;
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const part of process.argv.slice(2)) {
  console.log(`# ${part}`);
  const sum = await run(part);
  for (const key of Object.keys(total)) total[key] += sum[key];
}
const { passed, failed, skipped } = total;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;
