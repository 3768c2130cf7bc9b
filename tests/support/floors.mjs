// Checks the floors of the house: an include or a require points down only, and a library's header stays in its room.
// Prints "file:line: what is wrong" and exits 1 if anything is.
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { basename, dirname } from "node:path";

// C, from the ground up. A file of core/ that is not named here is an engine.
const C_FLOORS = [
  ["ground", /^core\/(err|log|buf|value|version|host)\./],
  ["engines", /^core\/[^/]+$/],
  ["bind", /^core\/bind\//],
  ["vm", /^core\/(vm|scripts|scriptset|trial|verdict|workers|config)\w*\./],
  ["doors", /^core\/(httpd|route_call|sse|jobs|door)\w*\./],
  ["main", /^core\/(main|cli|program|serve|spec)\./],
];

// The last row that matches, since "engines" takes whatever has no row of its own.
const floorOf = (file) => C_FLOORS.findLastIndex(([, pattern]) => pattern.test(file));

// A library's headers, and which files may include them.
const ROOMS = [
  [/^civetweb\.h$/, "civetweb", (file) => /^core\/(httpd|sse)\w*\.[ch]$/.test(file)],
  [/^(mongoc|bson)\b/, "mongoc", (file) => /^core\/bind\/(mongo|bson)\w*\.[ch]$/.test(file)],
  [/^sqlite3\.h$/, "SQLite", (file) => /^core\/bind\/sqlite\w*\.c$/.test(file)],
  [/^curl\//, "curl", (file) => /^core\/(bind\/http|fetch|follow)\w*\.c$/.test(file)],
  [/^(lua|lauxlib|lualib)\.h$/, "Lua", (file) => floorOf(file) > 1],
];

// Scripts: what each room may require. `gander` is the host.
const LUA_ROOMS = {
  lib: ["gander", "cjson", "lib"],
  policies: [],
  cleanup: [],
  providers: ["gander", "cjson", "lib", "providers"],
  jobs: ["gander", "cjson", "lib", "policies", "cleanup", "providers", "jobs"],
  routes: ["gander", "cjson", "lib", "policies", "cleanup", "jobs", "routes"],
};

const problems = [];
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "core", "scripts", "www/src"], { encoding: "utf8" })
  .split("\n")
  .filter(Boolean);

// Calls found(match, say) for each match of the pattern in the file's lines.
function scan(file, pattern, found) {
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, i) => {
      const match = pattern.exec(line);
      if (match) found(match, (text) => problems.push(`${file}:${i + 1}: ${text}`));
    });
}

for (const file of files.filter((f) => /^core\/.*\.[ch]$/.test(f))) {
  scan(file, /^\s*#\s*include\s+[<"]([^>"]+)[>"]/, ([, header], say) => {
    for (const [pattern, name, room] of ROOMS)
      if (pattern.test(header) && !room(file)) say(`${name}'s header <${header}> outside its room`);
    const beside = `${dirname(file)}/${basename(header)}`;
    const target = [`core/${header}`, beside].find((path) => files.includes(path));
    if (target && floorOf(target) > floorOf(file))
      say(`${C_FLOORS[floorOf(file)][0]} includes "${header}" of a higher floor, ${C_FLOORS[floorOf(target)][0]}`);
  });
}

for (const file of files.filter((f) => /^scripts\/[^/]+\/.*\.lua$/.test(f))) {
  const allowed = LUA_ROOMS[file.split("/")[1]];
  if (!allowed) continue;
  scan(file, /\brequire\s*\(?\s*["']([^"']+)["']/, ([, name], say) => {
    if (name.endsWith(".")) return; // the rest of the name is chosen at run time
    if (!allowed.includes(name.split(/[./]/)[0])) say(`${file.split("/")[1]} may not require "${name}"`);
  });
}

for (const file of files.filter((f) => /^www\/src\/features\/.*\.tsx?$/.test(f))) {
  const own = file.split("/")[3];
  scan(file, /\bfrom\s+["'](?:.*\/)?features\/([^/"']+)/, ([, other], say) => {
    if (other !== own) say(`feature ${own} imports feature ${other}`);
  });
}

for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
