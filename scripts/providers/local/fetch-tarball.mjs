// SPDX-License-Identifier: Apache-2.0
//
// Fetches a tarball into a directory: `node fetch-tarball.mjs <https URL> <directory>`. A single top directory, as
// archives of repositories have it, is left out. Runs in a jail; at most 512 MB.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

const [url, directory] = process.argv.slice(2);
const SIZE_MAX = 512 * 1024 * 1024;
const TIME_MAX_MS = 600_000;

let size = 0;
const bounded = new Transform({
  transform(chunk, _encoding, done) {
    size += chunk.length;
    done(size > SIZE_MAX ? new Error("the tarball is larger than 512 MB") : null, chunk);
  },
});

try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIME_MAX_MS) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  if (new URL(answer.url).protocol !== "https:") throw new Error("redirected away from https");
  rmSync(directory, { recursive: true, force: true });
  rmSync("unpacked", { recursive: true, force: true });
  mkdirSync("unpacked");
  await pipeline(Readable.fromWeb(answer.body), bounded, createWriteStream("archive"));
  const tar = spawn("tar", ["-xf", "archive", "-C", "unpacked", "--no-same-owner"], { stdio: "inherit" });
  const code = await new Promise((resolve) => tar.on("exit", resolve).on("error", resolve));
  if (code !== 0) throw new Error("tar could not unpack it");
  const [first, ...others] = readdirSync("unpacked", { withFileTypes: true });
  const top = first?.isDirectory() && others.length === 0 ? `unpacked/${first.name}` : "unpacked";
  renameSync(top, directory);
  rmSync("archive");
} catch (error) {
  console.error(error.cause ? `${error.message}: ${error.cause.message}` : error.message);
  process.exit(1);
}
