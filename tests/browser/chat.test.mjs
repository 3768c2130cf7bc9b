// Chat, beyond the story: cancel, a message written while the agent runs, a refusal, auto mode, sessions.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { standIn, startHost } from "./support/host.mjs";
import { activate, createProject, inspect, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

let host;
let browser;
let page;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
  await pickUser(page, host.url);
  await createProject(page, `chat ${Date.now().toString(36)}`);
  await activate(page);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const cancel = () => page.getByRole("button", { name: "Cancel" });
const answers = () => page.getByRole("article", { name: "Agent" });
const quiet = () => cancel().waitFor({ state: "detached" });

test("rejects a tool with a key, and the agent goes on without it", async () => {
  await say(page, "write no.txt saying no");
  await page.getByRole("region", { name: "Permission question" }).waitFor();
  await page.keyboard.press("3");
  await page.getByRole("region", { name: "Permission question" }).waitFor({ state: "detached" });
  await quiet();
  await answers().last().getByText("rejected", { exact: true }).waitFor();
  await answers().last().getByText("failed", { exact: true }).first().waitFor();
});

test("cancels a run, and sends what was written meanwhile", {
  skip: standIn && "the stand-in does not count",
}, async () => {
  await say(page, "count to 1000");
  await answers().last().getByText(/\b5 /).waitFor();
  await say(page, "count to 3");
  await page.getByText("Sent when the run ends: count to 3").waitFor();
  await cancel().click();
  await answers().filter({ hasText: "interrupted" }).waitFor();
  await page.getByRole("article", { name: "You" }).filter({ hasText: "count to 3" }).waitFor();
  await quiet();
  assert.match(await answers().last().textContent(), /1 2 3/);
});

test("keeps a draft over a reload", async () => {
  await page.getByLabel("Message to the agent").fill("not sent yet");
  await page.reload();
  await page.getByLabel("Message to the agent").waitFor();
  assert.equal(await page.getByLabel("Message to the agent").inputValue(), "not sent yet");
  await page.getByLabel("Message to the agent").fill("");
});

test("says in red what auto allows, and then asks no more", async () => {
  await page.getByLabel("Mode").selectOption("auto");
  await page.getByText("It runs every tool without asking.").waitFor();
  await inspect(page, "auto");
  await say(page, "write auto.txt saying yes");
  await answers().last().getByRole("button", { name: "wrote auto.txt" }).waitFor();
  await quiet();
});

test("renames a chat, starts another, finds one by its title", async () => {
  const chats = page.getByRole("navigation", { name: "Chats" });
  await chats.getByRole("listitem").first().hover();
  await chats
    .getByRole("button", { name: /^Acts on/ })
    .first()
    .click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByLabel("Title").fill("The first chat");
  await page.getByRole("button", { name: "Rename" }).click();
  await chats.getByText("The first chat").waitFor();
  await chats.getByRole("link", { name: "New chat" }).click();
  await page.getByText("A new chat").waitFor();
  await say(page, "what can you do?");
  await page.getByRole("article", { name: "You" }).waitFor();
  await chats.getByRole("listitem").nth(1).waitFor();
  await chats.getByLabel("Search chats").fill("first");
  await page.waitForFunction(() => document.querySelectorAll("nav[aria-label=Chats] li").length === 1);
  await chats.getByLabel("Search chats").fill("");
  await quiet();
});

test("says that a chat is gone when another window deletes it", async () => {
  const other = await openPage(browser);
  await other.goto(page.url());
  await other.getByRole("article", { name: "You" }).waitFor();
  const chats = page.getByRole("navigation", { name: "Chats" });
  const row = chats.getByRole("listitem").filter({ has: page.locator("[aria-current=page]") });
  await row.hover();
  await row.getByRole("button", { name: /^Acts on/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await other.getByText("This chat is gone").waitFor();
  await inspect(other, "chat-gone");
  await page.getByText("The first chat").first().waitFor();
  assert.deepEqual([...page.faults, ...other.faults], []);
});
