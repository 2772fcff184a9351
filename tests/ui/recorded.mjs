// SPDX-License-Identifier: MIT
// The whole way: an example built with memscope-cc, recorded, reported, opened.
// What the page shows is what `memscope summary --json` says.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { interactiveAt, openBrowser, openPage } from "./browser.mjs";
import { build, modules, out, source } from "./source.mjs";

const tool = join(build, "bin/memscope"), cc = join(build, "bin/memscope-cc");
if (!existsSync(tool) || !readdirSync(join(build, "lib")).some((f) => /^memscope-\d+\.so$/.test(f))) {
  console.log("# needs the plugin, which this build leaves out");
  process.exit(77);
}
const folder = join(out, "recorded");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

function ok(...command) {
  const done = spawnSync(command[0], command.slice(1), { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(done.status, 0, `${command.join(" ")}: ${done.stderr}`);
  return done.stdout;
}
ok(cc, "-O2", "-g", join(source, "examples/orders/orders.c"), "-o", "orders", "-lpthread");
ok(tool, "run", "--quiet", "-o", "orders.memscope", "--", "./orders");
const said = ok(tool, "report", "orders.memscope");
const summary = JSON.parse(ok(tool, "summary", "--json", "orders.memscope"));
const browser = await openBrowser(modules);
after(() => browser.close());
const page = await openPage(browser, join(folder, "orders.html"));

test("report names its file and size", () => {
  assert.match(said, /^orders\.html {2}[\d.]+ KiB\n$/);
  assert.ok(statSync(join(folder, "orders.html")).size < 600_000);
});

test("the page opens clean, within a second", async () => {
  assert.ok((await interactiveAt(page)) < 1000);
  assert.match(await page.title(), /orders/);
});

test("its figures are the summary's", async () => {
  const titles = await page.$$eval(".figure", (all) => Object.fromEntries(all.map((f) => [f.querySelector("dt").textContent, f.title.replace(/\D/g, "")])));
  const t = summary.totals;
  assert.equal(titles["Peak"], String(t.peak_bytes));
  assert.equal(titles["Not freed"], String(t.live_bytes));
  assert.equal(titles["Allocated in all"], String(t.allocated_bytes));
  assert.equal(titles["Allocations"], String(t.allocations));
  assert.equal(titles["Frees"], String(t.frees));
});

test("every variable of the summary is in the list, in the same order", async () => {
  await page.evaluate(() => { location.hash = "#/variables"; });
  await page.waitForSelector(".tbody .tr");
  const shown = await page.$$eval(".tbody .tr .name", (all) => all.map((n) => n.textContent));
  assert.ok(shown.length >= 3);
  const wanted = summary.sites.map((s) => `${s.holder || "unnamed"}${s.type ? ` : ${s.type}` : ""}`);
  assert.deepEqual(shown, wanted.slice(0, shown.length));
  assert.equal(await page.textContent(".nav-item[aria-current] .nav-count"), String(summary.sites.length));
});

test("the inspector shows the line of source the name comes from", async () => {
  for (const [row, site] of summary.sites.entries()) {
    if (!site.file.endsWith("orders.c")) continue;
    await page.evaluate((h) => { location.hash = h; }, `#/variables?sel=${row + 1}&tab=source`);
    await page.waitForFunction((text) => document.querySelector(".inspector .name .holder")?.textContent === text, site.holder);
    await page.waitForSelector(".inspector .src.here");
    assert.equal(await page.textContent(".inspector .src.here >> nth=0").then((t) => Number.parseInt(t, 10)), site.line);
  }
  assert.deepEqual(page.problems, []);
});

test("counters: figures of the summary, and a dash for each that takes events", async () => {
  ok(tool, "run", "--quiet", "--mode", "counters", "-o", "counted.memscope", "--", "./orders");
  ok(tool, "report", "counted.memscope");
  const counted = JSON.parse(ok(tool, "summary", "--json", "counted.memscope"));
  const opened = await openPage(browser, join(folder, "counted.html"));
  const figures = await opened.$$eval(".figure", (all) => Object.fromEntries(all.map((f) => [f.querySelector("dt").textContent, [f.querySelector("dd").textContent, f.title.replace(/\D/g, "")]])));
  assert.equal(figures["Peak"][0], "–");
  assert.ok(!figures["Temporary"]);
  assert.equal(figures["Allocated in all"][1], String(counted.totals.allocated_bytes));
  assert.equal(figures["Frees"][1], String(counted.totals.frees));
  assert.match(await opened.textContent("#counted"), /is exact/);
  assert.equal(await opened.$(".history"), null);
  for (const view of ["overview", "variables", "variables?as=cards", "types", "types?sel=t1", "notfreed", "modules", "threads", "coverage", "about"]) {
    await opened.evaluate((h) => { location.hash = h; }, `#/${view}`);
    await opened.waitForTimeout(50);
    assert.doesNotMatch(await opened.innerText("#app"), /NaN|undefined|Infinity/, view);
  }
  for (const [tab, said] of [["overview", "Own peak –"], ["lifecycle", "not known of counters"], ["freed", "not known of counters"]]) {
    await opened.evaluate((h) => { location.hash = h; }, `#/variables?sel=1&tab=${tab}`);
    await opened.waitForFunction((text) => document.querySelector(".inspector")?.innerText.replace(/\s+/g, " ").toLowerCase().includes(text), said.toLowerCase());
  }
  assert.deepEqual(opened.problems, []);
});
