// Runs one scenario in a headless browser: node drive.mjs SCENARIO, with what it needs as JSON in
// CONSOLE_TEST. A scenario throws where the console is not as it should be.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const given = JSON.parse(process.env.CONSOLE_TEST);
const require = createRequire(path.join(given.tools, "package.json"));
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

const browser = await chromium.launch({
  executablePath: given.chromium,
  // Nothing but this machine may be asked.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"],
});

class Kit {
  constructor() {
    this.given = given;
    this.home = `${given.url}/console`;
    this.complaints = [];
    this.contexts = [];
  }

  // A browser of somebody's own, with no session yet.
  async visitor(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(given.patience_ms);
    this.contexts.push(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complaints.push(`script: ${error.message}`));
    page.on("console", (message) => {
      // A refused page is a message too, and what the content policy stops.
      if (message.type() === "error" && !/status of (4|503)/.test(message.text())) {
        this.complaints.push(`${page.url()}: ${message.text()}`);
      }
    });
    page.on("request", (request) => {
      const known = [given.url, given.provider ?? given.url, "data:"];
      if (!known.some((each) => request.url().startsWith(each))) {
        this.complaints.push(`asked for ${request.url()}`);
      }
    });
    return page;
  }

  async signIn(page, key = given.admin_key) {
    await page.goto(`${this.home}/sign-in`);
    await page.getByLabel(/key/i).fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    return page;
  }

  async heading(page, name) {
    await page.getByRole("heading", { level: 1, name }).waitFor();
  }

  async go(page, where, name) {
    await page.goto(this.home + where);
    await this.heading(page, name);
  }

  // No page may have anything that axe finds wrong, by itself or by the rules of WCAG 2.2 AA. Its
  // legacy mode runs in the page alone: otherwise it opens another page for each analysis, to put
  // together what it found in frames, which the console has none of.
  async accessible(page, what, rules = []) {
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    const { violations } = await (rules.length ? axe.withRules(rules) : axe).analyze();
    const words = violations.map(
      (each) => `${each.id}: ${each.help}: ${each.nodes.map((node) => node.target).join(" ")}`);
    assert.deepEqual(words, [], what ?? page.url());
  }

  // Nothing sticks out at the right: one scrolls down only.
  async fits(page) {
    const [wide, room] = await page.evaluate(
      () => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= room, `${page.url()} is ${wide} wide on ${room}`);
  }

  // Of fields in one row, the inputs stand at one height, however long their labels are.
  async aligned(page) {
    const uneven = await page.evaluate(() => {
      const found = [];
      for (const group of document.querySelectorAll(".fields, .arguments, .filters")) {
        const rows = new Map();
        for (const field of group.querySelectorAll(":scope > .field:not(.tick)")) {
          const input = field.querySelector("input, select, textarea");
          const { top, height } = field.getBoundingClientRect();
          if (!input || !height) continue;
          const row = group.matches(".filters") ? Math.round(top + height) : Math.round(top);
          const at = Math.round(input.getBoundingClientRect().top);
          rows.set(row, [...(rows.get(row) ?? []), [at, input.name]]);
        }
        for (const row of rows.values()) {
          if (row.some(([at]) => Math.abs(at - row[0][0]) > 1)) found.push(JSON.stringify(row));
        }
      }
      return found;
    });
    assert.deepEqual(uneven, [], page.url());
  }

  async shot(page, name) {
    await page.mouse.move(0, 0);
    if (given.shots) await page.screenshot({ path: path.join(given.shots, `${name}.png`), fullPage: true });
  }
}

const kit = new Kit();
try {
  const { default: scenario } = await import(pathToFileURL(process.argv[2]));
  await scenario(kit, assert);
  assert.deepEqual(kit.complaints, []);
} catch (error) {
  for (const context of kit.contexts) {
    for (const page of context.pages()) {
      console.error(`--- ${page.url()}\n${await page.locator("body").innerText().catch(String)}\n`);
    }
  }
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
