// A policy changed by someone else while it is edited here: both versions side by side, nothing is overwritten.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import { inspect, openBrowser, openPage, pickUser } from "./support/page.mjs";

const POLICY = "policies/idle/after_minutes.lua";
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

const read = async () => {
  const res = await fetch(`${host.url}/api/scripts/${POLICY}`);
  return { text: await res.text(), etag: res.headers.get("etag") };
};
const write = async (text) => {
  const { etag } = await read();
  const res = await fetch(`${host.url}/api/scripts/${POLICY}`, {
    method: "PUT",
    headers: { "If-Match": etag, "Content-Type": "text/plain" },
    body: text,
  });
  assert.ok(res.ok, `PUT answered ${res.status}`);
};

test("merges, saves, and brings an old version back", async () => {
  const { text } = await read();
  try {
    await pickUser(page, host.url);
    await page.goto(`${host.url}/policies/${POLICY}`);
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("-- Mine.\n");
    await write(`-- Theirs.\n${text}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page
      .getByRole("alert")
      .getByText(/was changed by someone else/)
      .waitFor();
    await inspect(page, "merge");
    await page.getByRole("button", { name: "Go on with the right side" }).click();
    await page.getByText("Not saved.").waitFor();
    assert.match((await read()).text, /^-- Theirs\./);
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("footer [role=status]", { hasText: /is live/ }).waitFor();
    assert.match((await read()).text, /^-- Mine\./);

    await page.getByRole("button", { name: "History" }).click();
    const history = page.getByRole("dialog");
    await history
      .getByRole("button", { name: /^Generation \d+/ })
      .last()
      .click();
    await history.getByRole("textbox", { name: "What changed since then" }).waitFor();
    await inspect(page, "history");
    await history.getByRole("button", { name: "Bring it back into the editor" }).click();
    await page.getByText("Not saved.").waitFor();
    assert.deepEqual(page.faults, []);
  } finally {
    await write(text);
  }
});
