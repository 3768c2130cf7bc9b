// Checks that no file outgrows what a reader holds in one go. Prints "file: N lines" and exits 1 if one does.
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

const LIMITS = [
  [/^core\/.*\.[ch]$/, 500],
  [/^scripts\/.*\.(lua|mjs)$/, 200],
  [/^www\/src\/.*\.(ts|tsx|css)$/, 300],
];
// goose-api.mjs is put into a sandbox as one file; www/src/api/schema.d.ts is generated.
const EXEMPT = ["scripts/goose/goose-api.mjs", "www/src/api/schema.d.ts"];

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { encoding: "utf8" }).split("\n");
for (const file of files.filter((f) => f && !EXEMPT.includes(f))) {
  const limit = LIMITS.find(([pattern]) => pattern.test(file))?.[1];
  if (!limit) continue;
  const lines = readFileSync(file, "utf8").split("\n").length - 1;
  if (lines <= limit) continue;
  console.log(`${file}: ${lines} lines, the limit is ${limit}`);
  process.exitCode = 1;
}
