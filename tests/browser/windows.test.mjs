// Two windows on one project: what one does, the other sees; a question answered in one is gone in both.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import { activate, createProject, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

const NAME = `windows ${Date.now().toString(36)}`;
let host;
let browser;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test("show the same project, chat and question", async () => {
  const one = await openPage(browser);
  const two = await openPage(browser);
  await pickUser(one, host.url);
  await pickUser(two, host.url);
  await createProject(one, NAME);
  await two.getByRole("link", { name: new RegExp(NAME) }).click();
  await activate(one);
  await two.locator("header", { hasText: "Active for" }).first().waitFor();

  await say(one, "write shared.txt saying both");
  const card = (page) => page.getByRole("region", { name: "Permission question" });
  await card(one).waitFor();
  await card(two).waitFor();
  await two.getByRole("button", { name: "Allow once" }).click();
  await card(one).waitFor({ state: "detached" });
  await card(two).waitFor({ state: "detached" });
  for (const page of [one, two]) {
    await page.getByRole("article", { name: "Agent" }).last().getByText("demo model").waitFor();
    await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  }
  const text = (page) =>
    page.getByRole("article", { name: "Agent" }).last().locator(".markdown").allTextContents();
  assert.deepEqual(await text(one), await text(two));
  assert.deepEqual([...one.faults, ...two.faults], []);
});
