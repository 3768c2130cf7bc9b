// The keyboard alone: filter, open, the tabs, the palette, the list of keys.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import { createProject, inspect, openBrowser, openPage, pickUser } from "./support/page.mjs";

const NAME = `keys ${Date.now().toString(36)}`;
let host;
let browser;
let page;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
  await pickUser(page, host.url);
  await createProject(page, NAME);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");

test("filters with / and opens with j and Enter", async () => {
  await page.getByRole("link", { name: "Gander, home" }).click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("body").press("/");
  await page.keyboard.type(NAME);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  assert.match(await focused(), new RegExp(NAME));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor();
});

test("goes to the tabs with g and a letter", async () => {
  for (const [key, tab] of [
    ["l", "logs"],
    ["a", "activity"],
    ["s", "settings"],
    ["c", "chat"],
  ]) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.locator(`[data-tab=${tab}][aria-current=page]`).waitFor();
  }
});

test("a asks about the open project, and Escape leaves it as it is", async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("a");
  await page.getByRole("dialog", { name: `Activate ${NAME}?` }).waitFor();
  assert.equal(await focused(), "Activate");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("finds a policy with the palette", async () => {
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Find a project, a chat, a policy or an act").waitFor();
  await inspect(page, "palette");
  await page.keyboard.type("idle/after");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/policies\/policies\/idle\/after_minutes\.lua/);
});

test("lists the keys with ?", async () => {
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: NAME }).waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await inspect(page, "keys");
  assert.deepEqual(page.faults, []);
});
