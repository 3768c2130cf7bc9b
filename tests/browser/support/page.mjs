// A browser and what the tests ask of a page: a picture kept as an artefact, axe in both themes, no console error.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const ARTEFACTS = fileURLToPath(new URL("../../artefacts/", import.meta.url));
const WAIT_MS = Number(process.env.BROWSER_WAIT_MS ?? 60_000);

export async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return browser;
}

/** A page of its own; what it says as an error is kept in `page.faults`. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (e) => page.faults.push(String(e)));
  page.on("console", (m) => {
    // A refused request is the page's business to show; a script or policy fault is ours.
    if (m.type() === "error" && !/Failed to load resource|net::ERR/.test(m.text()))
      page.faults.push(m.text());
  });
  return page;
}

export async function shot(page, name) {
  await mkdir(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTEFACTS}${name}.png`, animations: "disabled" });
}

const setTheme = async (page, theme) => {
  await page.evaluate((t) => {
    document.documentElement.dataset.theme = t;
  }, theme);
  // Colours move for a tenth of a second.
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every((a) => a.playState !== "running" || a.effect?.getTiming().iterations === Infinity),
  );
};

/** Nothing for axe in either theme, nothing wider than the screen; one picture a theme. */
export async function inspect(page, name) {
  const before = await page.evaluate(() => document.documentElement.dataset.theme);
  for (const theme of ["light", "dark"]) {
    await setTheme(page, theme);
    await shot(page, `${name}-${theme}`);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const said = violations.map(
      (v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join(" | ")}`,
    );
    assert.deepEqual(said, [], `axe on ${name}, ${theme}`);
  }
  await setTheme(page, before);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`);
}

/** From the start page into the first user's projects. */
export async function pickUser(page, url) {
  await page.goto(url);
  await page.waitForSelector("h1");
  const picker = page.getByRole("heading", { name: "Who are you?" });
  if (await picker.isVisible()) await page.locator("main li a").first().click();
  await page.getByRole("navigation", { name: "Projects" }).waitFor();
}

export async function createProject(page, name) {
  await page
    .getByRole("navigation", { name: "Projects" })
    .getByRole("button", { name: "New project" })
    .click();
  await fillName(page, name);
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

export async function fillName(page, name) {
  const dialog = page.getByRole("dialog", { name: "New project" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: "Create project" }).click();
}

export async function activate(page) {
  await page.locator("[data-first-act]", { hasText: /^Activate/ }).click();
  await page.locator("header", { hasText: "Active for" }).first().waitFor();
}

export async function say(page, text) {
  await page.getByLabel("Message to the agent").fill(text);
  await page.keyboard.press("Enter");
}
