// SPDX-License-Identifier: MIT
// The page as a person uses it: opens from disk without a complaint, answers
// within a second, searches, sorts, filters, walks by keys, inspects, remembers
// its address, changes colours.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { Encoder } from "./encode.mjs";
import { interactiveAt, openBrowser, openPage, sizes } from "./browser.mjs";
import { dist, modules, out, writePage } from "./source.mjs";
import { synthetic } from "./synthetic.mjs";

const browser = await openBrowser(modules);
after(() => browser.close());
const file = writePage("page.html", synthetic());

/** Runs `use` on a page and then asks for a clean console. */
async function on(options, use) {
  const page = await openPage(browser, options.file ?? file, options);
  try {
    await use(page);
    assert.deepEqual(page.problems, []);
  } finally {
    await page.close();
  }
}
const rows = (page) => page.$$eval(".tbody .tr", (all) => all.map((tr) => [...tr.children].map((td) => td.textContent)));
const hash = (page) => page.evaluate(() => decodeURIComponent(location.hash));
const settled = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

test("opens from file://, answers within a second, names the program", () =>
  on({}, async (page) => {
    assert.ok(page.url().startsWith("file://"));
    assert.ok((await interactiveAt(page)) < 1000, `${await interactiveAt(page)} ms`);
    assert.equal(await page.title(), "Overview · server · MemScope");
    assert.match(await page.textContent(".coverage"), /Named\s*91\.3 %.*Wrapper only.*Unnamed/s);
    assert.match(await page.textContent(".peak-label"), /peak .*MiB at/);
  }));

test("a page without data, or with damaged data, says so", async () => {
  await on({ file: dist }, async (page) => assert.match(await page.textContent(".failure"), /no data in it/));
  const broken = join(out, "broken.html");
  writeFileSync(broken, readFileSync(file, "utf8").replace(/(id="memscope-data">.{4000})[^<]*/, "$1"));
  await on({ file: broken }, async (page) => assert.ok((await page.textContent(".failure")).length > 10));
});

test("a run without a single event shows empty views, not broken ones", async () => {
  const empty = writePage("empty.html", new Encoder().table("facts", { name: ["name"], number: [0], text: ["nothing"] }).container());
  for (const view of ["overview", "variables", "variables?as=cards", "types", "notfreed", "modules", "threads", "coverage", "about"])
    await on({ file: empty, hash: `#/${view}` }, async (page) => assert.doesNotMatch(await page.innerText("#app"), /NaN|undefined|Infinity/, view));
});

test("a sampled run: estimates with their errors, peaks without, and a dash for what samples cannot know", async () => {
  const sampled = writePage("sampled.html", synthetic({ sites: 30, sampled: true }));
  await on({ file: sampled }, async (page) => {
    const figures = await page.$$eval(".figure", (all) => Object.fromEntries(all.map((f) => [f.querySelector("dt").textContent, f.querySelector("dd").textContent])));
    assert.match(figures["Allocations"], /±/);
    assert.match(figures["Frees"], / \(\d.*…\d.*\)$/);
    assert.match(figures["Peak"], /^[\d.]+ MiB$/);
  });
  for (const [view, columns] of Object.entries({ variables: ["Not freed", "Allocs"], types: ["Not freed", "Allocated", "Allocs"], modules: ["Allocs", "Allocated"], threads: ["Allocs", "Frees", "Allocated"] }))
    await on({ file: sampled, hash: `#/${view}`, size: { width: 1700, height: 900 } }, async (page) => {
      const heads = await page.$$eval(".th", (all) => all.map((th) => th.textContent.trim())), first = (await rows(page))[0];
      for (const column of columns) assert.match(first[heads.indexOf(column)], /±|…|≤|–/, `${view}: ${column} is ${first[heads.indexOf(column)]}`);
      if (heads.includes("At peak")) assert.doesNotMatch(first[heads.indexOf("At peak")], /±|…|≤/, view);
    });
  await on({ file: sampled, hash: "#/threads" }, async (page) => {
    const at = await page.$$eval(".th", (all) => all.findIndex((th) => th.textContent.trim() === "Temp"));
    assert.deepEqual([...new Set((await rows(page)).map((r) => r[at]))], ["–"]);
    assert.match(await page.getAttribute(`.th >> nth=${at}`, "title"), /not known of samples/);
  });
  await on({ file: sampled, hash: "#/about" }, async (page) => {
    const text = await page.innerText("#app");
    assert.match(text, /Bad frees\s+– not known of samples/);
    assert.match(text, /samples for about [\d,]+ events/);
  });
});

test("bad frees: where, the block, and who freed it first", () =>
  on({ hash: "#/about" }, async (page) => {
    const lines = await page.$$eval(".bad-frees li", (all) => all.map((li) => [...li.querySelectorAll(".badge, p")].map((e) => e.textContent).join(" ").replace(/\s+/g, " ")));
    assert.equal(lines.length, 2);
    assert.match(lines[0], /^double freed at \S+:\d+ 3 times, first at 3.00 s by main .*96 B, obtained at \S+:\d+, freed first at \S+:\d+$/);
    assert.match(lines[1], /^unknown reallocated at a place that is not known 1 time, first at 9.00 s by io-0 of 0x7ffd1000, where/);
    await page.click(".bad-frees a");
    await settled(page);
    assert.match(await hash(page), /variables.*sel=2/);
  }));

test("the policy holds: no script from elsewhere, no inline handler, no request", async () => {
  const page = await openPage(browser, file);
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", '<img src="x" onerror="window.ran = 1"><button id="evil" onclick="window.ran = 1">x</button>');
    document.getElementById("evil").click();
    const script = document.createElement("script");
    script.textContent = "window.ran = 1";
    document.body.append(script);
  });
  const answer = await page.evaluate(() => fetch("https://example.org/").then(() => "sent", () => "refused"));
  assert.equal(answer, "refused");
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.ok(page.problems.some((p) => p.includes("policy")), "the refusals are seen by the test's own ears");
  await page.close();
});

test("search narrows the list while typing, from any view, and is in the address", () =>
  on({}, async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("rbuf conn");
    await settled(page);
    const shown = await rows(page);
    assert.ok(shown.length > 0);
    assert.match(await hash(page), /^#\/variables\?q=rbuf\+conn$/);
    const summary = await page.textContent(".list-summary");
    assert.match(summary, /^\d+ of 240 variables/);
    await page.fill("input[type=search]", "nothing is called so");
    await settled(page);
    assert.match(await page.textContent(".table"), /No variable fits/);
  }));

test("each column sorts both ways", () =>
  on({ hash: "#/variables" }, async (page) => {
    const heads = await page.$$eval(".th", (all) => all.map((th) => [th.textContent.trim(), !!th.querySelector("button")]));
    assert.ok(heads.length >= 8);
    for (const [title, sortable] of heads) {
      if (!sortable) continue;
      const button = page.locator(".th button", { hasText: new RegExp(`^${title}$`) });
      const order = () => page.locator(".th", { hasText: new RegExp(`^${title}$`) }).getAttribute("aria-sort");
      await button.click();
      const first = await order(), top = (await rows(page))[0];
      await button.click();
      const second = await order();
      assert.notEqual(first, "none", title);
      assert.deepEqual([first, second].sort(), ["ascending", "descending"], title);
      await page.evaluate(() => document.querySelector(".table").scrollTo(0, 1e9));
      await settled(page);
      const last = (await rows(page)).at(-1);
      const column = heads.findIndex(([t]) => t === title);
      assert.equal(last[column], top[column], `${title}: the first of one order is the last of the other`);
      await page.evaluate(() => document.querySelector(".table").scrollTo(0, 0));
    }
  }));

test("the bytes column is in order", () =>
  on({ hash: "#/variables?sort=total.down" }, async (page) => {
    const unit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    const at = await page.$$eval(".th", (all) => all.findIndex((th) => th.textContent.trim() === "Allocated"));
    const values = (await rows(page)).map((r) => { const [n, u] = r[at].split(" "); return n * unit[u]; });
    assert.deepEqual(values, [...values].sort((a, b) => b - a));
  }));

test("filters combine, show what they do, and come off", () =>
  on({ hash: "#/variables" }, async (page) => {
    const total = () => page.textContent(".list-summary").then((t) => Number(/^[\d,]+/.exec(t)[0]));
    const all = await total();
    await page.selectOption('select[aria-label="Filter by type"]', { index: 1 });
    const typed = await total();
    await page.selectOption('select[aria-label="Filter by life"]', "kept");
    const both = await total();
    assert.ok(all > typed && typed > both && both > 0, `${all} ${typed} ${both}`);
    assert.match(await hash(page), /type=\d+&state=kept/);
    await page.click(".chip.on >> nth=0");
    assert.ok((await total()) > both);
    await page.click("text=Clear");
    assert.equal(await total(), all);
    for (const name of ["module", "thread", "file", "name", "provenance"]) {
      await page.selectOption(`select[aria-label="Filter by ${name}"]`, { index: name === "thread" ? 4 : 1 });
      const kept = await total();
      assert.ok(kept > 0 && kept < all, `${name}: ${kept} of ${all}`);
      await page.click("text=Clear");
    }
  }));

test("keys: walk, open, close, views, help", () =>
  on({ hash: "#/variables" }, async (page) => {
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("k");
    const at = await page.$eval(".tr.cursor", (tr) => tr.getAttribute("aria-rowindex"));
    assert.equal(at, "3");
    await page.keyboard.press("Enter");
    assert.equal(await page.$eval(".tr[aria-selected=true]", (tr) => tr.getAttribute("aria-rowindex")), "3");
    const before = await page.textContent(".inspector h2");
    await page.keyboard.press("j");
    await settled(page);
    assert.notEqual(await page.textContent(".inspector h2"), before, "the inspector follows the cursor");
    await page.keyboard.press("End");
    await settled(page);
    assert.equal(await page.$eval(".tr.cursor", (tr) => tr.getAttribute("aria-rowindex")), "241");
    assert.ok(await page.isVisible(".tr.cursor"));
    await page.keyboard.press("Escape");
    assert.equal(await page.$(".inspector"), null);
    for (const [key, title] of [["3", "Types"], ["5", "Modules"], ["8", "About"], ["1", "Overview"]]) {
      await page.keyboard.press(key);
      await settled(page);
      assert.match(await page.title(), new RegExp(`^${title} `));
    }
    await page.keyboard.press("?");
    await settled(page);
    assert.ok(await page.isVisible("dialog"));
    await page.keyboard.press("Escape");
    await settled(page);
    assert.equal(await page.$("dialog"), null);
  }));

test("the inspector's tabs say what the data says", () =>
  on({ hash: "#/variables?sel=1" }, async (page) => {
    const wanted = {
      Overview: [/At the peak/, /Block sizes/], Lifecycle: [/Median life/, /Lifetimes of [\d,.]+ ?M? freed blocks/], Source: [/grow\(struct buffer/, /Handed on|Function/],
      Type: [/bytes, aligned to/, /Offset/], Threads: [/Allocated by/, /Freed by/, /main/], "Freed at": [/freed/, /%/],
    };
    for (const [tab, patterns] of Object.entries(wanted)) {
      await page.click(`[role=tab]:text-is("${tab}")`);
      const text = await page.textContent("[role=tabpanel]");
      for (const pattern of patterns) assert.match(text, pattern, tab);
    }
    await page.focus("[role=tab][aria-selected=true]");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.textContent("[role=tab][aria-selected=true]"), "Overview");
    assert.equal(await page.locator(".inspector .source .here").count(), 0);
    await page.click('[role=tab]:text-is("Source")');
    assert.equal(await page.locator(".inspector .source .here").first().isVisible(), true);
  }));

test("an address brings the same view back, in a new window and with the back button", () =>
  on({ hash: "#/variables?q=node&type=3&sort=count.up&sel=9&tab=lifecycle" }, async (page) => {
    assert.equal(await page.inputValue("input[type=search]"), "node");
    assert.equal(await page.textContent("[role=tab][aria-selected=true]"), "Lifecycle");
    assert.equal(await page.getAttribute(".th:has-text('Allocs')", "aria-sort"), "ascending");
    await page.keyboard.press("3");
    await settled(page);
    assert.match(await page.title(), /^Types/);
    await page.goBack();
    await settled(page);
    assert.match(await page.title(), /^Variables/);
    assert.equal(await page.textContent("[role=tab][aria-selected=true]"), "Lifecycle");
  }));

test("every mark has its name, and none covers another, from phone to desktop", async () => {
  for (const size of Object.values(sizes))
    await on({ size }, async (page) => {
      const boxes = await page.$$eval(".mark span", (all) => all.map((e) => { const b = e.getBoundingClientRect(); return { text: e.textContent, left: b.left, right: b.right, top: b.top, bottom: b.bottom }; }));
      assert.deepEqual(boxes.map((b) => b.text).sort(), ["before the long compaction of the index", "config loaded", "first client", "warm"]);
      for (const [i, a] of boxes.entries())
        for (const b of boxes.slice(i + 1))
          assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top, `${a.text} over ${b.text}`);
    });
});

test("dragging over the chart chooses a stretch that the lists follow", () =>
  on({}, async (page) => {
    const box = await page.locator(".chart-over").boundingBox();
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.3, y);
    await settled(page);
    assert.match(await page.textContent(".legend-head"), /^At \d/);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, y, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    const [, from, to] = /range=(\d+)-(\d+)/.exec(await hash(page)).map(Number);
    assert.ok(Math.abs(from - 119) < 8 && Math.abs(to - 199) < 8, `${from} to ${to}`);
    assert.match(await page.textContent("main"), /In the chosen stretch.*Growth/s);
    await page.click('a:text-is("What grew")');
    await page.waitForSelector(".th");
    assert.deepEqual((await page.$$eval(".th", (all) => all.map((th) => th.textContent.trim()))).filter((t) => /Growth|Live then/.test(t)), ["Growth", "Live then"]);
    assert.match((await rows(page))[0].join(), /\+[\d.]+ MiB/);
    await page.keyboard.press("Escape");
    await settled(page);
    assert.doesNotMatch(await hash(page), /range/);
  }));

test("the chart is read and a stretch chosen by keys", () =>
  on({}, async (page) => {
    await page.focus(".chart-over");
    await page.keyboard.press("ArrowLeft");
    const one = await page.textContent(".legend-head");
    await page.keyboard.press("ArrowLeft");
    assert.notEqual(await page.textContent(".legend-head"), one);
    await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("Shift+ArrowLeft");
    await settled(page);
    assert.match(await hash(page), /range=\d+-\d+/);
  }));

test("dark and light: the system's, then the reader's", async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await on({ theme: "light" }, async (page) => {
    const light = await ground(page);
    await page.keyboard.press("t");
    const dark = await ground(page);
    assert.notEqual(light, dark);
    await page.reload();
    await page.waitForSelector(".app");
    assert.equal(await ground(page), dark, "remembered where storage is allowed");
    await page.keyboard.press("t");
    assert.equal(await ground(page), light);
    await page.evaluate(() => localStorage.clear());
  });
  await on({ theme: "dark" }, async (page) => assert.notEqual(await ground(page), "rgb(255, 255, 255)"));
});

test("on a phone: menu, two-line rows, the inspector as a sheet, touch", () =>
  on({ size: sizes.phone, hash: "#/variables" }, async (page) => {
    assert.ok((await page.$$(".tr.two")).length > 5);
    await page.click(".tr.two >> nth=2");
    const sheet = await page.locator(".inspector").boundingBox();
    assert.deepEqual([sheet.x, sheet.y, sheet.width, sheet.height], [0, 0, 390, 844]);
    await page.click('[aria-label^="Close the inspector"]');
    await page.click('[aria-label="Menu"]');
    await page.click('.nav-item:has-text("Coverage")');
    await settled(page);
    assert.match(await page.title(), /^Coverage/);
    await page.click('[aria-label="Menu"]');
    await page.click('.nav-item:has-text("Not freed")');
    await page.selectOption(".narrow-sort select", "count");
    await settled(page);
    assert.match(await page.textContent(".tr.two"), /[\d,]{5,}|\d M/, "the row shows what it is sorted by");
  }));

test("roles and names: what a screen reader is told", () =>
  on({ hash: "#/variables?sel=2" }, async (page) => {
    assert.equal(await page.getAttribute(".table", "role"), "grid");
    assert.equal(await page.getAttribute(".table", "aria-rowcount"), "241");
    const unnamed = await page.$$eval("button, a, input, select", (all) => all.filter((e) => e.offsetParent && !(e.textContent.trim() || e.getAttribute("aria-label") || e.title || e.labels?.length)).map((e) => e.outerHTML.slice(0, 90)));
    assert.deepEqual(unnamed, []);
    assert.equal(await page.locator("main").count(), 1);
    assert.equal(await page.locator("[aria-current=page]").count(), 1);
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus is seen");
  }));
