// A newcomer: an empty console, one button, an agent that answers, asks and acts within two minutes.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import { inspect, openBrowser, openPage, pickUser } from "./support/page.mjs";

let host;
let browser;
let page;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const tour = () => page.getByRole("complementary", { name: "Tour" });
const card = () => page.getByRole("region", { name: "Permission question" });
const quiet = () => page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });

test("makes a demo project and takes its tour to the end", async () => {
  await pickUser(page, host.url);
  await page.getByRole("button", { name: "Make a demo project" }).click();
  await page.getByRole("heading", { level: 1, name: /^demo/ }).waitFor();
  await tour().getByText("Tour, 1 of 4.").waitFor();
  await inspect(page, "tour");
  await tour().getByRole("button", { name: "what can you do?" }).click();
  await page.getByRole("article", { name: "Agent" }).getByText("demo model").first().waitFor();
  await quiet();
  await tour().getByText("Tour, 2 of 4.").waitFor();
  await tour().getByRole("button", { name: "write hello.txt saying hi" }).click();
  await card().waitFor();
  await inspect(page, "tour-asks");
  await page.keyboard.press("1");
  await card().waitFor({ state: "detached" });
  await quiet();
  await tour().getByRole("button", { name: "run `uname -a`" }).click();
  await card().waitFor();
  await page.keyboard.press("1");
  await page.getByText("Linux").first().waitFor();
  await quiet();
  await tour().getByRole("button", { name: "list the files" }).click();
  await card().waitFor();
  await tour().getByText("Tour, 4 of 4.").waitFor();
  await page.keyboard.press("1");
  await tour().getByText("That was the tour.").waitFor();
  await quiet();
  await page.reload();
  await tour().getByText("That was the tour.").waitFor();
  await inspect(page, "tour-end");
  await tour().getByRole("link", { name: "Activity" }).click();
  await page.getByRole("region", { name: "Activity" }).getByText("Creating to Active").waitFor();
  assert.deepEqual(page.faults, []);
});

test("the tour is ended for good by its cross", async () => {
  await page.locator("[data-tab=chat]").click();
  await tour().getByRole("button", { name: "End the tour" }).click();
  await tour().waitFor({ state: "detached" });
  await page.reload();
  await page.getByLabel("Message to the agent").waitFor();
  assert.equal(await tour().count(), 0);
});
