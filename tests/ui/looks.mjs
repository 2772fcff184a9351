// SPDX-License-Identifier: MIT
// Every view at three widths, dark and light: nothing runs out of the page,
// nothing is cut without an ellipsis, no label lies on another. The pictures are
// in the build folder (shots/), for eyes.
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openBrowser, openPage, sizes } from "./browser.mjs";
import { modules, out, writePage } from "./source.mjs";
import { synthetic } from "./synthetic.mjs";

const places = {
  overview: "", range: "#/overview?range=80-160&by=holders", events: "#/overview?along=events", variables: "#/variables", grown: "#/variables?range=80-160", "types-grown": "#/types?range=80-160", "modules-grown": "#/modules?range=80-160", "threads-grown": "#/threads?range=80-160", filtered: "#/variables?q=conn&state=kept&type=2&file=/home/dev/server/src/query/request_parser_with_a_rather_long_name.cpp",
  cards: "#/variables?as=cards", types: "#/types", layout: "#/types?sel=t1", folded: "#/types?sel=t6", bits: "#/types?sel=t10", use: "#/types?sel=t7&tab=use", notfreed: "#/notfreed", modules: "#/modules", threads: "#/threads",
  coverage: "#/coverage", about: "#/about", nothing: "#/variables?q=nothing+like+it",
  inspector: "#/variables?sel=3", lifecycle: "#/notfreed?sel=2&tab=lifecycle", source: "#/variables?sel=5&tab=source", "inspector-threads": "#/variables?sel=2&tab=threads", freed: "#/variables?sel=4&tab=freed",
};
const folder = join(out, "shots");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await openBrowser(modules);
after(() => browser.close());
const file = writePage("looks.html", synthetic());
const sampled = writePage("looks-sampled.html", synthetic({ sampled: true }));
const sampledPlaces = { "sampled-overview": "", "sampled-variables": "#/variables", "sampled-notfreed": "#/notfreed", "sampled-types": "#/types", "sampled-modules": "#/modules", "sampled-cards": "#/variables?as=cards", "sampled-inspector": "#/variables?sel=3", "sampled-threads": "#/threads", "sampled-about": "#/about" };

/** What a person would call broken, found in the page. */
function faults() {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  const nonsense = /NaN|undefined|\[object|Infinity|null/.exec(document.getElementById("app").innerText);
  if (nonsense) found.push(`the page says ${nonsense[0]}`);
  const name = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> ${e.textContent.trim().slice(0, 40)}`;
  const scrolls = (e) => { for (let p = e; p; p = p.parentElement) if (/auto|scroll/.test(getComputedStyle(p).overflowX)) return p; };
  for (const e of document.querySelectorAll("#app *")) {
    if (!(e instanceof HTMLElement) || !e.offsetParent || e.closest(".sr, .skip, option, .nav:not(.open)")) continue;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (text && e.scrollWidth > e.clientWidth + 1 && style.overflowX === "hidden" && style.textOverflow !== "ellipsis") found.push(`cut: ${name(e)}`);
    if (style.overflowY === "hidden" && style.display !== "inline" && !/^(?:auto|scroll)$/.test(style.overflowX) && e.innerText.trim() && e.scrollHeight > e.clientHeight + 2) found.push(`cut below: ${name(e)}`);
    if (text && style.display !== "inline" && box.right > innerWidth + 1 && !scrolls(e.parentElement)) found.push(`out of the page: ${name(e)}`);
  }
  const labels = [...document.querySelectorAll("h1, h2, dt, dd, th, .th, .badge, .chip, .tabs button, .bin-axis i, .peak-label, .legend-head span, .card-figures b, .card-figures i")].filter((e) => e.offsetParent && e.textContent.trim() && !e.closest(".nav:not(.open)"))
    .filter((e) => !document.querySelector(".inspector") || innerWidth > 860 || e.closest(".inspector"));
  for (let a = 0; a < labels.length; a++)
    for (let b = a + 1; b < labels.length; b++) {
      if (labels[a].contains(labels[b]) || labels[b].contains(labels[a])) continue;
      const p = labels[a].getBoundingClientRect(), q = labels[b].getBoundingClientRect();
      const across = Math.min(p.right, q.right) - Math.max(p.left, q.left), down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      const hidden = (e, box) => { const s = scrolls(e); if (!s) return false; const r = s.getBoundingClientRect(); return box.bottom > r.bottom || box.top < r.top || box.right > r.right || box.left < r.left; };
      if (across > 2 && down > 2 && !hidden(labels[a], p) && !hidden(labels[b], q)) found.push(`over each other: ${name(labels[a])} and ${name(labels[b])}`);
    }
  return found.slice(0, 8);
}

for (const [size, box] of Object.entries(sizes))
  for (const theme of ["dark", "light"])
    for (const [of, what, views] of [["", file, places], [", sampled", sampled, sampledPlaces]])
    test(`${box.width} px, ${theme}${of}`, async () => {
      const page = await openPage(browser, what, { size: box, theme });
      for (const [name, hash] of Object.entries(views)) {
        await page.evaluate((h) => { location.hash = h || "#/overview"; }, hash);
        await page.waitForTimeout(60);
        const found = await page.evaluate(faults);
        await page.screenshot({ path: join(folder, `${name}-${box.width}-${theme}.png`) });
        assert.deepEqual(found, [], `${name} at ${box.width}, ${theme}`);
      }
      assert.deepEqual(page.problems, []);
      await page.close();
    });
