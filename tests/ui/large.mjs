// SPDX-License-Identifier: MIT
// The page of a 20-million-event run, as real.large leaves it: small, answers
// within a second of its load, no complaint.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { interactiveAt, openBrowser, openPage } from "./browser.mjs";
import { build, modules } from "./source.mjs";

const file = join(build, "real/large/report.html");
if (!existsSync(file)) {
  console.log("# needs the page that real.large makes");
  process.exit(77);
}
const browser = await openBrowser(modules);
after(() => browser.close());

test("at most 3 MB, interactive within a second, clean", async () => {
  assert.ok(statSync(file).size <= 3_000_000);
  const times = [];
  for (let i = 0; i < 3; i++) {
    const page = await openPage(browser, file);
    times.push(await interactiveAt(page));
    assert.match(await page.innerText(".figures"), /20\.\d M events|[2-9]\d\.\d M events/);
    assert.deepEqual(page.problems, []);
    await page.close();
  }
  console.log(`# interactive after ${times.map(Math.round).join(", ")} ms, ${statSync(file).size} bytes`);
  assert.ok(Math.min(...times) < 1000, String(times));
});
