// The main job as one story: a person picks a user, makes a project, activates it, talks to its agent, answers its
// question, changes a policy meanwhile, reads logs and reasons, and puts everything away.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "./support/host.mjs";
import {
  activate,
  createProject,
  fillName,
  inspect,
  openBrowser,
  openPage,
  pickUser,
  say,
} from "./support/page.mjs";

const NAME = process.env.STORY_NAME ?? `story ${Date.now().toString(36)}`;
const POLICY = "policies/idle/after_minutes.lua";
let host;
let browser;
let page;

let broken = false;

/** One step of the story: what follows a broken one is not told. */
function step(name, tell) {
  test(name, async (t) => {
    if (broken) return t.skip("an earlier step failed");
    broken = true;
    await tell();
    broken = false;
  });
}

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

step("picks a user", async () => {
  await page.goto(`${host.url}/users`);
  await page.locator("main li a").first().waitFor();
  await inspect(page, "users");
  await pickUser(page, host.url);
  await inspect(page, "home");
});

step("is told beside the field what a project needs", async () => {
  await page
    .getByRole("navigation", { name: "Projects" })
    .getByRole("button", { name: "New project" })
    .click();
  await page.getByRole("button", { name: "Create project" }).click();
  await page.getByText("A project needs a name.").waitFor();
  await inspect(page, "new-project");
  await page.keyboard.press("Escape");
});

step("creates a project and activates it", async () => {
  await createProject(page, NAME);
  await inspect(page, "project-inactive");
  await activate(page);
  await inspect(page, "project-active");
});

step("is refused a name that is taken, beside the field", async () => {
  await page
    .getByRole("navigation", { name: "Projects" })
    .getByRole("button", { name: "New project" })
    .click();
  await fillName(page, NAME.toUpperCase());
  await page.locator("[role=dialog] input[aria-invalid]").waitFor();
  await page.keyboard.press("Escape");
});

step("asks the agent, which asks back; a policy is saved meanwhile", async () => {
  await say(page, "write hello.txt saying hi");
  await page.getByRole("button", { name: "Allow once" }).waitFor();
  await inspect(page, "permission");

  const editor = await openPage(browser);
  await pickUser(editor, host.url);
  await editor.goto(`${host.url}/policies/${POLICY}`);
  await editor.locator(".cm-content").click();
  const live = editor.locator("footer [role=status]", { hasText: /Generation \d+ is live/ });
  await live.waitFor();
  const generation = Number((await live.textContent()).match(/\d+/)[0]);
  await inspect(editor, "policy");

  await editor.keyboard.press("Control+Home");
  await editor.keyboard.type("return return\n");
  await editor.locator("[aria-label=Faults]").waitFor();
  await inspect(editor, "policy-fault");
  await editor.getByRole("button", { name: "Undo all" }).click();

  await editor.locator(".cm-content").click();
  await editor.keyboard.press("Control+Home");
  await editor.keyboard.type("-- Seen by a test.\n");
  await editor.keyboard.press("Control+s");
  await editor.waitForFunction(
    (old) =>
      Number(
        document.querySelector("footer [role=status]")?.textContent.match(/Generation (\d+) is live/)?.[1],
      ) > old,
    generation,
  );
  await editor.keyboard.press("Control+Home");
  await editor.keyboard.press("Shift+ArrowDown");
  await editor.keyboard.press("Delete");
  await editor.keyboard.press("Control+s");
  await editor.waitForFunction(
    (old) =>
      Number(
        document.querySelector("footer [role=status]")?.textContent.match(/Generation (\d+) is live/)?.[1],
      ) > old,
    generation + 1,
  );
  assert.deepEqual(editor.faults, []);
  await editor.context().close();
});

step("finds the question again after a reload, and answers it", async () => {
  await page.reload();
  const card = page.getByRole("region", { name: "Permission question" });
  await card.waitFor();
  assert.match(await card.textContent(), /hello\.txt/);
  await page.getByRole("button", { name: "Allow once" }).click();
  await card.waitFor({ state: "detached" });
  const answer = page.getByRole("article", { name: "Agent" }).last();
  await answer.getByText("demo model").waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  await answer.getByRole("button", { name: /hello\.txt/ }).click();
  await answer.getByText("allowed once").waitFor();
  await inspect(page, "chat");
});

step("reads the logs, filters and pauses them", async () => {
  await page.locator("[data-tab=logs]").click();
  await page.locator("[role=log] time").first().waitFor();
  await inspect(page, "logs");
  await page.getByLabel("Filter lines by text").fill("nothing says this");
  await page.getByText("No line fits the filter").waitFor();
  await page.getByLabel("Filter lines by text").fill("");
  await page.locator("[role=log] time").first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/^Paused/).waitFor();
});

step("reads what happened, newest first", async () => {
  await page.locator("[data-tab=activity]").click();
  const rows = page.getByRole("region", { name: "Activity" }).getByRole("listitem");
  await rows.filter({ hasText: "Creating to Active" }).waitFor();
  assert.match(await rows.last().textContent(), /Inactive to Creating|allow/);
  await inspect(page, "activity");
});

step("changes a setting", async () => {
  await page.locator("[data-tab=settings]").click();
  await page.getByLabel("Description").fill("Made by a test.");
  await page.getByLabel("Idle minutes").fill("30");
  await inspect(page, "settings");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
});

step("sees what is in force", async () => {
  await page.getByRole("button", { name: "System: what is in force" }).click();
  await page.getByRole("dialog").getByText("Providers").waitFor();
  await inspect(page, "system");
  await page.keyboard.press("Escape");
});

for (const [width, height] of [
  [1024, 768],
  [390, 844],
  [320, 640],
])
  step(`reads the same at ${width} px`, async () => {
    await page.setViewportSize({ width, height });
    for (const tab of ["chat", "logs", "activity", "settings"]) {
      await page.locator(`[data-tab=${tab}]`).click();
      await page.locator(`[data-tab=${tab}][aria-current=page]`).waitFor();
      await inspect(page, `${width}-${tab}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  });

step("deactivates it and still reads the chat", async () => {
  await page.locator("[data-first-act]", { hasText: /^Deactivate/ }).click();
  await page.locator("[data-first-act]", { hasText: /^Activate/ }).waitFor();
  await page.locator("main header").getByText("Inactive").filter({ visible: true }).waitFor();
  await page.locator("[data-tab=chat]").click();
  await page.getByRole("article", { name: "Agent" }).first().waitFor();
  await page.getByRole("button", { name: "Activate to go on" }).waitFor();
  await inspect(page, "project-stopped");
});

step("deletes it, told what goes with it", async () => {
  await page.getByRole("button", { name: "More acts" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/This goes with it: 1 session/).waitFor();
  await inspect(page, "delete");
  const confirm = dialog.getByLabel(`Type ${NAME} to confirm`);
  if (await confirm.isVisible()) await confirm.fill(NAME);
  await dialog.getByRole("button", { name: "Delete" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: new RegExp(NAME) }).waitFor({ state: "detached" });
});

step("never saw a fault in the page itself", () => {
  assert.deepEqual(page.faults, []);
});
