// SPDX-License-Identifier: MIT
// What view/ writes in C is what the page's own decoder reads: a model made by
// hand (fixture.c), column by column.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { build, dist, importSource, out } from "./source.mjs";

const { base64Bytes, decode, gunzip, Report } = await importSource("data/container.ts", "data/report.ts");
const folder = join(out, "container");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const code = join(folder, "a.c"), page = join(folder, "a.html");
writeFileSync(code, Array.from({ length: 40 }, (_, i) => `line ${i + 1};`).join("\n") + "\n");

const run = (...args) => spawnSync(join(build, "bin/ui_fixture"), args, { encoding: "utf8" });
async function open(file) {
  const html = readFileSync(file, "utf8");
  const data = /id="memscope-data">([^<]*)<\/script>/.exec(html)[1];
  return { html, report: new Report(decode(await gunzip(base64Bytes(data)))) };
}

const made = run(page, code);
assert.equal(made.status, 0, made.stderr);
const { html, report } = await open(page);

test("the page around the data is the built one, and the size said is true", () => {
  assert.equal(html.replace(/(id="memscope-data">)[^<]*/, "$1"), readFileSync(dist, "utf8"));
  assert.equal(Number(made.stdout), statSync(page).size);
});

test("facts, also odd ones", () => {
  assert.equal(report.num("pid"), 42);
  assert.equal(report.num("start_unix_ms"), 1700000000123);
  assert.equal(report.text("name"), "a");
  assert.equal(report.text("host"), "h🐞");
  assert.deepEqual(report.argv, ["a", '</script><b>"&']);
  assert.ok(!html.includes("<b>"), "nothing of the program stands in the page as text");
});

test("variables: every width of number, text, places", () => {
  const { sites } = report;
  assert.equal(sites.rows, 2);
  assert.equal(report.holder(0), "list->head");
  assert.equal(report.siteType(0), "struct node");
  assert.equal(sites.num("allocated_bytes")[0], 9007199254740991);
  assert.equal(sites.num("live_bytes")[0], 70000);
  assert.equal(sites.num("bytes_at_peak")[0], 256);
  assert.equal(sites.num("provenance")[0], 1);
  assert.equal(sites.num("naming")[1], 2);
  assert.equal(sites.num("lifetime_median_ns")[0], 3);
  assert.equal(sites.num("thread_count")[0], 2);
  assert.equal(report.placeShort(report.sitePlace(0)), "a.c:3");
  assert.equal(report.placeShort(report.sitePlace(1)), "libz.so+0x1234");
  assert.equal(report.places.num("address")[1], 0x1234);
});

test("what belongs to a variable", () => {
  const rows = (name, ...columns) => {
    const { table, first, end } = report.ofSite(name, 0);
    return Array.from({ length: end - first }, (_, i) => columns.map((c) => (c === "name" ? table.text(c, first + i) : table.num(c)[first + i])));
  };
  assert.deepEqual(rows("chains", "place"), [[3], [1]]);
  assert.deepEqual(rows("lifetimes", "bucket", "blocks"), [[0, 4], [63, 7]]);
  assert.deepEqual(rows("alloc_threads", "id", "count"), [[1, 10], [2, 5]]);
  assert.deepEqual(rows("free_threads", "id", "count"), []);
  assert.deepEqual(rows("free_places", "id", "count"), [[3, 9], [0, 2]]);
  assert.deepEqual(rows("functions", "name", "count"), [["malloc", 14], ["realloc", 1]]);
  assert.deepEqual([-1, 0, 1, 2].map((s) => report.liveAt(0, s)), [0, 100, 100, 5000000000]);
  assert.equal(report.liveAt(1, 2), 0);
});

test("types, holders, modules, threads, history, blocks", () => {
  const { fields } = report;
  assert.deepEqual(fields.range("type", 1), [0, 2]);
  assert.equal(fields.text("name", 1), "ä");
  assert.deepEqual(["bits", "offset_bits", "padding_bytes"].map((c) => fields.num(c)[1]), [3, 2, 15]);
  assert.equal(report.holders.text("holder", 0), "list->head");
  assert.equal(report.modules.text("build_id", 0), "c0ffee");
  assert.equal(report.threadName(2), "thread 4");
  assert.equal(report.timeline.num("most_bytes")[2], 5000000000);
  assert.deepEqual([...report.table("curves").num("group")], [0, 0, 1]);
  assert.deepEqual([...report.table("curve_points").num("live_bytes")].slice(3, 9), [1, 2, 3, 100, 200, 5000000000]);
  assert.equal(report.live.num("address")[0], 0x7fffdeadbee0);
  assert.equal(report.table("no such").rows, 0);
});

test("source excerpts: six lines around, of source files only", () => {
  const excerpt = report.excerpt(code, 3);
  assert.equal(excerpt.first, 1);
  assert.deepEqual(excerpt.lines, Array.from({ length: 9 }, (_, i) => `line ${i + 1};`));
  assert.equal(report.table("sources").rows, 1, "a stream that names /etc/passwd gets nothing of it");
});

test("without sources all else is the same", async () => {
  const other = join(folder, "b.html");
  rmSync(code);
  assert.equal(run(other, code).status, 0);
  const bare = (await open(other)).report;
  assert.equal(bare.table("sources").rows, 0);
  for (const name of report.container.names.filter((n) => n !== "sources"))
    assert.deepEqual(bare.table(name).columns, report.table(name).columns, name);
});

test("a place that cannot be written is one line, and leaves nothing behind", () => {
  for (const bad of [folder, join(folder, "none/x.html"), "/dev/full"]) {
    const failed = run(bad, code);
    assert.equal(failed.status, 2, bad);
    assert.match(failed.stderr, /^cannot write [^\n]+; choose another place with -o\n$/);
  }
  const old = join(folder, "old.html");
  writeFileSync(old, "old");
  assert.equal(run(old, code).status, 0);
  assert.ok(statSync(old).size > 1000);
  assert.deepEqual(readdirSync(folder).filter((f) => f.endsWith(".part")), []);
  assert.ok(!existsSync(join(folder, "none")));
});
