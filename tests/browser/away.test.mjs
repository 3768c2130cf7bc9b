// The host goes away under an open page and comes back: the page says so, blocks what cannot be done, and goes on.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ownHost, standIn, startHost } from "./support/host.mjs";
import { activate, createProject, inspect, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

let host;
let browser;
let page;

before(async () => {
  if (!ownHost) return;
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test("says that the host is away and since when, and comes back by itself", {
  skip: !ownHost && "GANDER_URL's host is not ours to kill",
}, async () => {
  await pickUser(page, host.url);
  const status = page.locator("header [role=status]");
  await status.getByText("live").waitFor();
  await host.kill();
  await page.getByText(/^Reconnecting\. What you see is from \d\d:\d\d:\d\d\.$/).waitFor();
  const add = page.getByRole("navigation", { name: "Projects" }).getByRole("button", { name: "New project" });
  assert.equal(await add.isDisabled(), true);
  assert.match(await add.getAttribute("title"), /does not answer/);
  await inspect(page, "away");
  await host.start();
  await status.getByText("live").waitFor();
  await page.getByText(/^Reconnecting/).waitFor({ state: "detached" });
  assert.equal(await add.isDisabled(), false);
  assert.deepEqual(page.faults, []);
});

const skip = !ownHost
  ? "GANDER_URL's host is not ours to kill"
  : standIn && "the stand-in forgets all when it ends";

test("goes on with an answer that was streaming: no word lost, none twice", { skip }, async () => {
  await createProject(page, `away ${Date.now().toString(36)}`);
  await activate(page);
  await say(page, "count to 150");
  const answer = page.getByRole("article", { name: "Agent" }).last().locator(".markdown");
  await answer.getByText(/\b20 /).waitFor();
  await host.kill();
  await page.getByText(/^Reconnecting/).waitFor();
  await host.start();
  await page.locator("header [role=status]").getByText("live").waitFor();
  await answer.getByText(/\b150\b/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  const numbers = (await answer.textContent()).trim().split(/\s+/).map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 150 }, (_, i) => i + 1),
  );

  await page.locator("[data-tab=logs]").click();
  await page.locator("[role=log] time").first().waitFor();
  const seqs = (await page.locator("[role=log] a").allTextContents()).map(Number);
  assert.deepEqual(
    seqs,
    Array.from({ length: seqs.length }, (_, i) => seqs[0] + i),
  );
  assert.deepEqual(page.faults, []);
});
