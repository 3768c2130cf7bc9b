// The host goes away under an open page and comes back: the page says so, blocks what cannot be done, and goes on.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ownHost, startHost } from "./support/host.mjs";
import { inspect, openBrowser, openPage, pickUser } from "./support/page.mjs";

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

test("says that the host is away and since when, and comes back by itself", { skip: !ownHost && "GANDER_URL's host is not ours to kill" }, async () => {
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
