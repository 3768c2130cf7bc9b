// Hostile content on the real page: Markdown that tries HTML, scripts and addresses, tool output full of codes and
// rubbish, names that turn or hide text. No script runs, no request leaves, no policy of the page is broken.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { standIn, startHost } from "./support/host.mjs";
import { activate, createProject, inspect, openBrowser, openPage, pickUser, say } from "./support/page.mjs";

const stamp = Date.now().toString(36);
const ELSEWHERE = "https://elsewhere.invalid";
const MARKDOWN = [
  `<script>window.broken = 1</script><img src=x onerror="window.broken = 2"><iframe src="${ELSEWHERE}/f"></iframe>`,
  `<style>body { background: url(${ELSEWHERE}/css) }</style><svg onload="window.broken = 3"></svg>`,
  "[a script](javascript:window.broken=4) [data](data:text/html,<script>window.broken=5</script>)",
  `![an image](${ELSEWHERE}/i.png) ![another][1] <${ELSEWHERE}/auto>`,
  `[1]: ${ELSEWHERE}/r.png "t"`,
  `${">".repeat(10_000)} deep`,
  "the last line",
].join("\n\n");
const NAMES = [
  `שלום עולם ${stamp}`,
  `👩‍👩‍👧‍👦🪿 ${stamp}`,
  `${"漢".repeat(56)}${stamp.slice(-8)}`,
  `zero\u200d\u200cwidth ${stamp}`,
  `<b onclick=x>${stamp}</b>`,
];
let host;
let browser;
let page;
const elsewhere = [];

before(async () => {
  host = await startHost();
  browser = await openBrowser();
  page = await openPage(browser);
  page.on("request", (r) => {
    if (!r.url().startsWith(host.url) && !/^(data|blob):/.test(r.url())) elsewhere.push(r.url());
  });
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (e) =>
      window.reports.push(`${e.violatedDirective} ${e.blockedURI}`),
    );
  });
  await pickUser(page, host.url);
  await createProject(page, `hostile ${stamp}`);
  await activate(page);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const quiet = () => page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
const harmless = async () => {
  assert.equal(await page.evaluate(() => window.broken), undefined, "a script ran");
  assert.deepEqual(await page.evaluate(() => window.reports), [], "reports of the page's own policy");
  assert.deepEqual(elsewhere, [], "requests to elsewhere");
  assert.deepEqual(page.faults, []);
};

test("hostile Markdown of an agent is words and links", { skip: standIn }, async () => {
  await say(page, MARKDOWN);
  await page.getByRole("article", { name: "Agent" }).getByText("demo model").first().waitFor();
  await quiet();
  await say(page, "what did I say before?");
  const answer = page.getByRole("article", { name: "Agent" }).nth(1);
  await answer.getByText("the last line").waitFor();
  await quiet();
  assert.equal(await answer.locator("script, iframe, img, svg[onload], style").count(), 0);
  const addresses = await answer.locator("a").evaluateAll((all) => all.map((a) => a.href));
  assert.ok(addresses.length > 0);
  for (const address of addresses) assert.match(address, /^https:\/\/elsewhere\.invalid\//);
  assert.ok((await answer.locator("blockquote").count()) < 100);
  await inspect(page, "hostile-markdown");
  await harmless();
});

test("a tool's output of codes and rubbish is folded, coloured, and shown as text", {
  skip: standIn,
}, async () => {
  await page.getByLabel("Mode").selectOption("auto");
  await page.getByText("It runs every tool without asking.").waitFor();
  const print = "printf '\\033[31mred\\033[0m\\033]8;;javascript:alert(1)\\007link\\033]8;;\\007\\n'";
  await say(page, `run \`seq 1 5000; head -c 1000000 /dev/urandom; echo; ${print}\``);
  const call = page.getByRole("button", { name: /^(ran|run) seq 1 5000/ });
  await call.waitFor();
  await quiet();
  await call.click();
  const output = page.getByRole("group", { name: "Output" });
  await output.locator("span", { hasText: "red" }).first().waitFor();
  assert.equal(await output.locator("a").count(), 0);
  await inspect(page, "hostile-output");
  const rest = page.getByRole("button", { name: /^Show all: / });
  if (await rest.isVisible()) await rest.click();
  await page.getByLabel("Message to the agent").fill("");
  await harmless();
});

test("a command that hides characters shows them where it is asked about", { skip: standIn }, async () => {
  await page.getByLabel("Mode").selectOption("approve");
  await say(page, "run `echo \u202egnp.exe`");
  const card = page.getByRole("region", { name: "Permission question" });
  await card.waitFor();
  assert.match(await card.textContent(), /‹U\+202E›gnp\.exe/);
  assert.doesNotMatch(await card.textContent(), /\u202e/);
  await inspect(page, "hostile-question");
  await card.getByRole("button", { name: /^Reject/ }).click();
  await card.waitFor({ state: "detached" });
  await quiet();
});

test("names of any script fit in the list, the head and the dialogs", async () => {
  const user = new URL(page.url()).pathname.split("/")[2];
  const rows = page.getByRole("navigation", { name: "Projects" });
  for (const name of NAMES) {
    const res = await fetch(`${host.url}/api/users/${user}/projects`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
    });
    // What a name may not hold is refused with a sentence; what it may is shown.
    if (res.status === 400) continue;
    assert.equal(res.status, 201, name);
    const made = await res.json();
    await rows.locator(`[data-project="${made.id}"]`).click();
    await page.waitForFunction((id) => location.pathname.includes(id), made.id);
    await page.getByRole("heading", { level: 1, name: made.name, exact: true }).waitFor();
  }
  await inspect(page, "hostile-names");
  await page.setViewportSize({ width: 390, height: 844 });
  await inspect(page, "hostile-names-390");
  await harmless();
});
