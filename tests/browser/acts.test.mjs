// Acts where one looks: the name changed in place, `a` asks and acts, chats found by the palette, lines picked and
// copied, a rule made and deleted.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { standIn, startHost } from "./support/host.mjs";
import { createProject, inspect, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

const NAME = `acts ${Date.now().toString(36)}`;
let host;
let browser;
let page;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  await pickUser(page, host.url);
  await createProject(page, `${NAME} first`);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const heading = (name) => page.getByRole("heading", { level: 1, name, exact: true });
const blur = () => page.evaluate(() => document.activeElement?.blur());
const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

test("changes the name where it stands, and says beside it why a name is refused", async () => {
  await page.getByRole("button", { name: `${NAME} first`, exact: true }).click();
  const field = page.getByLabel("Name of the project");
  await field.fill("x".repeat(70));
  await field.press("Enter");
  await page.locator("#name-fault").waitFor();
  await inspect(page, "rename");
  await field.fill(NAME);
  await field.press("Enter");
  await heading(NAME).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), NAME);
  await page.keyboard.press("Enter");
  await field.fill("never mind");
  await field.press("Escape");
  await heading(NAME).waitFor();
});

test("asks and activates with a, then Enter", async () => {
  await blur();
  await page.keyboard.press("a");
  await page.getByRole("dialog", { name: `Activate ${NAME}?` }).waitFor();
  await inspect(page, "ask");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator("header", { hasText: "Active for" }).first().waitFor();
});

test("finds a chat of any project with the palette", async () => {
  await say(page, "what can you do?");
  await page.getByRole("article", { name: "Agent" }).getByText("demo model").first().waitFor();
  await page.getByRole("link", { name: "Gander, home" }).click();
  await page.getByRole("heading", { level: 1, name: "Pick a project" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Find a project, a chat, a policy or an act").fill("what can");
  await page
    .getByRole("option", { name: new RegExp(NAME) })
    .first()
    .waitFor();
  await inspect(page, "palette-chats");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/chat\/[0-9a-f-]{36}$/);
  await page.getByRole("article", { name: "You" }).waitFor();
});

test("copies a line, a range of lines, all lines", async () => {
  await page.locator("[data-tab=logs]").click();
  const numbers = page.locator("[role=log] a");
  await numbers.nth(2).waitFor();
  await numbers.nth(0).click();
  await page.getByRole("button", { name: "Copy the line" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal((await clipboard()).split("\n").length, 1);
  await numbers.nth(2).click({ modifiers: ["Shift"] });
  await inspect(page, "log-range");
  await page.getByRole("button", { name: "Copy these lines" }).click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).split("\n").length === 3);
  await page.getByRole("button", { name: "Drop the pick" }).click();
  await page.getByRole("button", { name: "Copy all lines" }).click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).split("\n").length > 3);
});

test("asks and deactivates from the list", async () => {
  await page.getByRole("link", { name: "Gander, home" }).click();
  await page.getByRole("heading", { level: 1, name: "Pick a project" }).waitFor();
  await blur();
  await page.keyboard.press("j");
  await page.keyboard.press("a");
  const ask = page.getByRole("dialog", { name: `Deactivate ${NAME}?` });
  await ask.getByText(/Its agent is stopped/).waitFor();
  await page.keyboard.press("Enter");
  await page
    .getByRole("link", { name: new RegExp(`${NAME}.*Inactive`) })
    .first()
    .waitFor();
});

test("makes a rule that is live, refuses its name a second time, deletes it", { skip: standIn }, async () => {
  const name = `made_${Date.now().toString(36)}`;
  const file = `policies/idle/${name}.lua`;
  const dialog = page.getByRole("dialog", { name: "New script" });
  const make = async () => {
    await page.getByRole("button", { name: "New script" }).click();
    await dialog.getByLabel("Decides").selectOption("policies/idle");
    await dialog.getByLabel("File name").fill(name);
    await dialog.getByRole("button", { name: "Create script" }).click();
  };
  await page.goto(`${host.url}/policies`);
  await page.getByRole("button", { name: "New script" }).click();
  await dialog.getByLabel("File name").fill("../up");
  await dialog.getByRole("button", { name: "Create script" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/A name begins with a letter/)
    .waitFor();
  await inspect(page, "new-script");
  await page.keyboard.press("Escape");
  await make();
  await page.waitForURL(new RegExp(file));
  await page.locator("footer [role=status]", { hasText: /Generation \d+ is live/ }).waitFor();
  assert.equal((await fetch(`${host.url}/api/scripts/${file}`)).status, 200);
  await make();
  await dialog.getByRole("alert").getByText(`There is already a file ${file}.`).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete" }).click();
  await inspect(page, "delete-script");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/policies$/);
  await page.getByRole("link", { name: new RegExp(name) }).waitFor({ state: "detached" });
  assert.equal((await fetch(`${host.url}/api/scripts/${file}`)).status, 404);
  assert.deepEqual(page.faults, []);
});
