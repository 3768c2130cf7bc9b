// Why: a rule refuses an activation; the page says so where it was asked, keeps the decision, and leads to the line.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ownHost, standIn, startHost } from "./support/host.mjs";
import { createProject, inspect, openBrowser, openPage, pickUser } from "./support/page.mjs";

const FILE = "policies/admission/browser_test.lua";
const NAME = `why ${Date.now().toString(36)}`;
const RULE = `return {
  doc = "Refuse what a browser test names.",
  on = "admission",
  order = 1,

  decide = function(facts)
    if facts.project.name == "${NAME}" then
      return deny "a test says no"
    end
  end,
}
`;
const LINE = 1 + RULE.split("\n").findIndex((line) => line.includes("deny"));
const skip = standIn && "the stand-in asks no policy";
let host;
let browser;
let page;

before(async () => {
  if (skip) return;
  host = await startHost();
  const res = await fetch(`${host.url}/api/scripts/${FILE}`, {
    method: "PUT",
    headers: { "If-None-Match": "*", "Content-Type": "text/plain" },
    body: RULE,
  });
  assert.equal(res.status, 201, await res.text());
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  if (host) await fetch(`${host.url}/api/scripts/${FILE}`, { method: "DELETE" });
  await host?.stop();
});

test("a refusal is said beside the act, kept with its facts, and leads to the rule's line", {
  skip,
}, async () => {
  await pickUser(page, host.url);
  await createProject(page, NAME);
  await page.locator("[data-first-act]", { hasText: /^Activate/ }).click();
  await page.locator("main").getByRole("alert").getByText("a test says no").waitFor();
  await inspect(page, "refused");

  await page.locator("[data-tab=activity]").click();
  const list = page.getByRole("region", { name: "Activity" });
  await list.getByRole("button", { name: /deny\s+a test says no/ }).click();
  await list.getByText("The facts it saw").waitFor();
  assert.match(await list.locator("pre").textContent(), new RegExp(NAME));
  await inspect(page, "decision");
  await list.getByRole("link", { name: `${FILE}:${LINE}` }).click();
  await page.locator(".cm-activeLine", { hasText: "a test says no" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("a file broken on disk is said on every view, with its line, and the old rule stays", {
  skip: skip || (!ownHost && "GANDER_URL's scripts are not ours to break"),
}, async () => {
  const file = join(host.scripts, "policies/idle/after_minutes.lua");
  const good = await readFile(file, "utf8");
  const banner = page.getByRole("link", { name: /^policies\/idle\/after_minutes\.lua:\d+$/ }).first();
  await page.goto(host.url);
  await page.getByRole("navigation", { name: "Projects" }).waitFor();
  await writeFile(file, good.replace("decide = function(facts)", "decide = function(facts"));
  await banner.waitFor();
  await page.getByText(/Generation \d+ stays in force/).waitFor();
  await inspect(page, "broken-script");
  await banner.click();
  await page.locator(".cm-lintRange-error").waitFor();
  await writeFile(file, good);
  await banner.waitFor({ state: "detached" });
  await page.locator("footer [role=status]", { hasText: /Generation \d+ is live/ }).waitFor();
  assert.deepEqual(page.faults, []);
});
