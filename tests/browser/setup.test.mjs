// The set-up of a project from Git, seen while it runs and after it broke: its lines stand under their step.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startHost } from "../e2e/support/host.mjs";
import { serveRepository } from "../e2e/support/repository.mjs";
import { inspect, openBrowser, openPage } from "./support/page.mjs";

const skip = !existsSync("/dev/net/tun") && "no /dev/net/tun: nothing can be fetched here";
const INSTALL = "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done; echo no way >&2; exit 9";
let dir;
let repo;
let host;
let browser;
let page;

before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), "gander-setup-"));
  repo = await serveRepository(dir, { README: "empty" });
  host = await startHost({
    config: {
      goose: { engine: "echo" },
      providers: { local: { kind: "local", reach_private: true } },
      policy: { retries: 0 },
    },
  });
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await host?.stop();
  repo?.close();
  if (dir) await rm(dir, { recursive: true, force: true });
});

test("the set-up's lines come under the step that runs, and stay under the one that broke", {
  skip,
}, async () => {
  const project = await host.project("ada", {
    source: { type: "git", url: repo.url, install: ["sh", "-c", INSTALL], start: ["true"] },
  });
  await page.goto(`${host.url}/u/ada/p/${project.id}/chat`);
  await page.locator("[data-first-act]", { hasText: "Activate" }).click();
  const steps = page.getByRole("list", { name: "Steps of the activation" });
  const said = steps.getByRole("group", { name: "What the set-up says" });
  await said.getByText("line 2", { exact: true }).waitFor();
  await steps.getByText("(now)").waitFor({ state: "attached" });
  await steps.getByText("(failed)").waitFor({ state: "attached" });
  await said.getByText("no way", { exact: true }).waitFor();
  assert.equal(await said.count(), 1);
  await inspect(page, "setup-failed");
  await page.reload();
  await said.getByText("no way", { exact: true }).waitFor();
  assert.deepEqual(page.faults, []);
});
