// Fails when the page's first load is larger than its budget. Counts the entry's scripts and what they import at once.
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 180;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const first = new Set();
const walk = (name) => {
  if (first.has(name)) return;
  first.add(name);
  for (const next of manifest[name].imports ?? []) walk(next);
};
walk(entry);

const kb = (file) => gzipSync(readFileSync(new URL(file, dist))).length / 1024;
let total = 0;
for (const name of first) total += kb(manifest[name].file);
for (const [name, part] of Object.entries(manifest))
  if (part.file.endsWith(".js") && !first.has(name))
    console.log(`  apart  ${kb(part.file).toFixed(1).padStart(6)} KB  ${part.file}`);
console.log(`first load ${total.toFixed(1)} KB of gzipped script; the budget is ${BUDGET_KB} KB`);
if (total > BUDGET_KB) {
  console.error("The first load is over its budget.");
  process.exit(1);
}
