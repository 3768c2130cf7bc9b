// Attention: the title, the icon and, where it is wanted, a notification say what happens in projects out of sight.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import { activate, createProject, inspect, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

const NAME = `attention ${Date.now().toString(36)}`;
let host;
let browser;
let talker;
let watcher;

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  talker = await openPage(browser);
  watcher = await openPage(browser);
  // A browser without a screen neither shows notifications nor hides a page: both are played.
  await watcher.addInitScript(() => {
    window.notices = [];
    window.Notification = class {
      static permission = "default";
      static async requestPermission() {
        window.Notification.permission = "granted";
        return "granted";
      }
      constructor(title, { body }) {
        window.notices.push(`${title}: ${body}`);
      }
      close() {}
    };
    window.away = false;
    Object.defineProperty(document, "hidden", { get: () => window.away });
  });
  await pickUser(talker, host.url);
  await createProject(talker, NAME);
  await activate(talker);
  await pickUser(watcher, host.url);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const titled = (text) => watcher.waitForFunction((t) => document.title.includes(t), text);
const icon = () => watcher.locator("link[rel=icon]").getAttribute("href");
const notices = () => watcher.evaluate(() => window.notices);

test("an open question shows in the title and the icon until it is answered; nobody is notified unasked", async () => {
  await watcher.evaluate(() => {
    window.away = true;
  });
  await say(talker, "write a.txt saying a");
  await titled("? asks · ");
  assert.equal(await icon(), "/favicon-asks.svg");
  await talker.getByRole("button", { name: "Allow once" }).click();
  await watcher.waitForFunction(() => !document.title.includes("?"));
  assert.equal(await icon(), "/favicon.svg");
  await talker.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  assert.deepEqual(await notices(), []);
});

test("who asked for notifications is told of a question and of the end of a run", async () => {
  await watcher.evaluate(() => {
    window.away = false;
  });
  await watcher.getByRole("button", { name: /^User: / }).click();
  await inspect(watcher, "user-menu");
  await watcher.getByRole("menuitem", { name: "Notify me while I look elsewhere" }).click();
  await watcher.waitForFunction(() => localStorage.getItem("gander.notify") === "on");
  await watcher.evaluate(() => {
    window.away = true;
  });
  await say(talker, "write b.txt saying b");
  await watcher.waitForFunction(() => window.notices.length === 1);
  await talker.getByRole("button", { name: "Allow once" }).click();
  await watcher.waitForFunction(() => window.notices.length === 2);
  const [asks, ended] = await notices();
  assert.match(asks, new RegExp(`^${NAME}: The agent asks for a permission`));
  assert.match(ended, new RegExp(`^${NAME}: The agent has finished`));
});

test("a page that is looked at is not notified", async () => {
  await watcher.evaluate(() => {
    window.away = false;
    window.notices.length = 0;
  });
  await say(talker, "what can you do?");
  await talker.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  await watcher.waitForFunction(() => document.title === "Gander");
  assert.deepEqual(await notices(), []);
});

test("a project in error shows in the title before all else", async () => {
  const user = new URL(watcher.url()).pathname.split("/")[2];
  const post = (path, body) =>
    fetch(`${host.url}/api/users/${user}/projects${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const made = await (
    await post("", {
      name: `${NAME} bad`,
      source: { type: "git", url: "https://127.0.0.1:9/none.git" },
    })
  ).json();
  await post(`/${made.id}/activate`, {});
  await titled("▲ 1 error · ");
  assert.equal(await icon(), "/favicon-error.svg");
  await inspect(watcher, "trouble");

  // The step that broke stays open, with what the set-up said.
  await watcher.locator(`[data-project="${made.id}"]`).click();
  const steps = watcher.getByRole("list", { name: "Steps of the activation" });
  await steps.getByText("(failed)").waitFor({ state: "attached" });
  const stored = await (
    await fetch(`${host.url}/api/users/${user}/projects/${made.id}/logs?source=setup&order=desc&limit=1`)
  ).json();
  if (stored.items.length)
    await watcher.getByRole("group", { name: "What the set-up says" }).last().waitFor();
  await inspect(watcher, "failed-step");
  assert.deepEqual([...watcher.faults, ...talker.faults], []);
});
