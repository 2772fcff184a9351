// SPDX-License-Identifier: MIT
// Debian's Chromium under playwright-core: one browser per test, nothing loaded,
// every console message and every refusal of the content security policy kept.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"];

/** modules: the folder whose node_modules has playwright-core. */
export async function openBrowser(modules) {
  const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");
  const profile = mkdtempSync(join(tmpdir(), "memscope-ui-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.MEMSCOPE_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags, viewport: { width: 1440, height: 900 } });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export const sizes = { wide: { width: 1440, height: 900 }, middle: { width: 1024, height: 768 }, phone: { width: 390, height: 844 } };

/** Opens a file at an address within it; errors gather in page.problems. */
export async function openPage(browser, file, { hash = "", size = sizes.wide, theme = "dark" } = {}) {
  const page = await browser.context.newPage();
  page.problems = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) page.problems.push(message.text()); });
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("request", (request) => { if (!/^(file|data|blob):/.test(request.url())) page.problems.push(`asked for ${request.url()}`); });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await page.goto(pathToFileURL(file).href + hash);
  await page.waitForSelector(".app, .failure");
  return page;
}

/** Milliseconds from the start of navigation to a page that answers. */
export const interactiveAt = (page) => page.evaluate(() => performance.getEntriesByName("memscope-interactive")[0]?.startTime);
