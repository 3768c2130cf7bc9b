// Writing a rule: completion and hover from the host's reference, F8 to the next fault, a dry run before it is saved.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { standIn, startHost } from "./support/host.mjs";
import { createProject, inspect, openBrowser, openPage, pickUser, shot } from "./support/page.mjs";

const POLICY = "policies/admission/cap_total.lua";
const NAME = `dry ${Date.now().toString(36)}`;
let host;
let browser;
let page;
let has;

before(async () => {
  host = await startHost();
  has = !standIn && (await fetch(`${host.url}/api/reference`)).ok;
  browser = await openBrowser();
  page = await openPage(browser);
  await pickUser(page, host.url);
  await createProject(page, NAME);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const open = async () => {
  await page.goto(`${host.url}/${POLICY.replace(/^/, "policies/")}`);
  await page.locator(".cm-content").click();
  await page.locator("footer [role=status]", { hasText: /Generation \d+ is live/ }).waitFor();
};

test("offers the facts and the verdicts of the decision, and says what a name means", async (t) => {
  if (!has) return t.skip("this host has no reference");
  await open();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("-- x\nlocal n = facts.");
  const offers = page.locator(".cm-tooltip-autocomplete");
  await offers.getByText("counts").waitFor();
  assert.equal(await offers.getByText("attempt").count(), 0);
  // The list is moved through from the text by the arrow keys: axe would have its scroller take the focus itself.
  await shot(page, "completion");
  await page.keyboard.type("cou");
  await page.keyboard.press("Enter");
  await page.keyboard.type(".us");
  await offers.locator("li", { hasText: "user" }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".cm-line", { hasText: "local n = facts.counts.user" }).waitFor();
  const at = await page.locator(".cm-line", { hasText: "return queue(" }).evaluate((line) => {
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const from = node.data.indexOf("queue(");
      if (from < 0) continue;
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, from + 5);
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    }
  });
  await page.mouse.move(at.x, at.y);
  await page.locator(".gander-hover").waitFor();
  await inspect(page, "hover");
});

test("goes to the next fault with F8", async () => {
  await open();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\nreturn return\n");
  await page.getByRole("list", { name: "Faults" }).waitFor();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("F8");
  await page
    .locator(".cm-tooltip-lint, .cm-activeLine", { hasText: /return return|expected|near/ })
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Undo all" }).click();
  assert.deepEqual(page.faults, []);
});

test("says which projects a text would turn, before it is saved", async (t) => {
  if (!has) return t.skip("this host has no dry run");
  await open();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(
    'return { doc = "d", on = "admission", order = 1, decide = function(facts) return deny("closed") end }\n',
  );
  await page.getByRole("button", { name: "Dry run" }).click();
  const dialog = page.getByRole("dialog", { name: "Dry run of admission/cap_total" });
  const row = dialog.getByRole("row").filter({ hasText: NAME });
  await row.getByText("deny").waitFor();
  await row.getByText("closed").waitFor();
  await inspect(page, "dry-run");
  await page.keyboard.press("Escape");
  await page.getByText("Not saved.").waitFor();
  await page.getByRole("button", { name: "Undo all" }).click();
  assert.deepEqual(page.faults, []);
});
