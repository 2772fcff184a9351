// SPDX-License-Identifier: MIT
// What the page computes: figures as text, sorting, searching, filtering,
// layouts, addresses, colours.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Encoder } from "./encode.mjs";
import { importSource, modules } from "./source.mjs";
import { synthetic } from "./synthetic.mjs";

const page = await importSource("format.ts", "data/container.ts", "data/report.ts", "data/sort.ts", "data/filter.ts", "data/site.ts", "data/history.ts", "data/error.ts", "state/route.ts", "part/virtual.ts", "part/table.tsx", "inspect/layout.tsx");
const decodeOf = (bytes) => page.decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const report = new page.Report(decodeOf(synthetic({ sites: 300, samples: 120 })));

test("bytes, counts, times, shares", () => {
  const rows = [
    [page.bytes, [0, "0 B"], [1023, "1023 B"], [1024, "1.00 KiB"], [10239, "10.0 KiB"], [1048575, "1.00 MiB"], [123456789, "118 MiB"], [-2048, "−2.00 KiB"], [2 ** 50, "1.00 PiB"], [2 ** 60, "1024 PiB"]],
    [page.count, [0, "0"], [999999, "999,999"], [1e6, "1.00 M"], [999.4e6, "999 M"], [999.6e6, "1.00 G"], [-1234, "−1,234"]],
    [page.time, [0, "0"], [1, "1 ns"], [999, "999 ns"], [1000, "1.00 µs"], [999499, "999 µs"], [999600, "1.00 ms"], [59.9e9, "59.9 s"], [125e9, "2 m 05 s"], [3599.6e9, "1 h 00 m"], [11220e9, "3 h 07 m"], [50 * 3600e9, "2 d 02 h"]],
    [page.percent, [0, "0 %"], [1, "100 %"], [0.99999, "> 99.99 %"], [0.9995, "99.95 %"], [0.5, "50 %"], [0.00001, "< 0.01 %"], [0.0123, "1.2 %"], [NaN, "0 %"]],
  ];
  for (const [format, ...cases] of rows) for (const [value, text] of cases) assert.equal(format(value), text);
});

test("an estimate's error: a share of both sides, both ends, or at most; none of a peak", () => {
  const text = (...of) => page.errorText(...of, page.bytes).replaceAll("\u00a0", " ");
  assert.equal(text(1000, 950, 1050), " ±5.0 %");
  assert.equal(text(1000, 700, 1310), " ±31 %");
  assert.equal(text(4096, 1024, 16384), " (1.00 KiB…16.0 KiB)");
  assert.equal(text(0, 0, 2048), " (≤ 2.00 KiB)");
  assert.equal(text(4096, 0, 0), "");
  assert.equal(text(4096, undefined, undefined), "");
});

test("names of marks: close ones one above the other, at the right end before theirs, never one over another", () => {
  const lines = (lefts, width = 800) => page.markNames(lefts, width).map((n) => n.line);
  assert.deepEqual(lines([0, 100, 200]), [0, 0, 0]);
  assert.deepEqual(lines([100, 110, 300]), [0, 1, 0]);
  assert.deepEqual(lines([100, 110, 120, 130, 200]), [0, 1, 2, -1, 0]);
  assert.deepEqual(page.markNames([600, 780], 800), [{ line: 0, before: false, room: 96 }, { line: 1, before: true, room: 96 }]);
  assert.deepEqual(page.markNames([740], 800), [{ line: 0, before: false, room: 60 }]);
  assert.deepEqual(lines([], 0), []);
});

test("radix sort is a stable sort, of every kind of column", () => {
  const n = 5000, rnd = (k) => (Math.imul(k, 2654435761) >>> 0);
  const columns = [Uint8Array, Uint16Array, Uint32Array, Float64Array].map((A) => A.from({ length: n }, (_, i) => (A === Float64Array ? rnd(i) * 1048576 + (i % 7) : rnd(i))));
  columns.push(new Float64Array(n), Float64Array.from({ length: n }, (_, i) => (rnd(i) % 100) / 100));
  const rows = page.allRows(n).filter((i) => i % 3);
  for (const keys of columns)
    for (const descending of [false, true])
      assert.deepEqual([...page.sortRows(rows, keys, descending)], [...rows].sort((a, b) => (descending ? keys[b] - keys[a] : keys[a] - keys[b])));
  assert.deepEqual([...page.sortRows(new Uint32Array(0), columns[0], true)], []);
});

test("search finds text in any case, also beyond ASCII", () => {
  const texts = ["conn->Rbuf", "straße", "İstanbul", "ÄRGER", "plain", "日本語", ""];
  const container = decodeOf(new Encoder().table("t", { s: texts }).container());
  const hits = (needle) => { const marks = container.heap.matches(needle); return texts.filter((_, i) => marks[container.table("t").num("s")[i]]); };
  assert.deepEqual(hits("RBUF"), ["conn->Rbuf"]);
  assert.deepEqual(hits("ärger"), ["ÄRGER"]);
  assert.deepEqual(hits("本"), ["日本語"]);
  assert.deepEqual(hits("plain"), ["plain"]);
  assert.deepEqual(hits("nope"), []);
  assert.equal(hits("").length, texts.length);
  const ranks = container.heap.rank(), id = container.table("t").num("s");
  assert.ok(ranks[id[0]] < ranks[id[4]]);
});

test("filters keep exactly the rows they name", () => {
  const { sites } = report, all = Array.from({ length: sites.rows }, (_, i) => i);
  const cases = [
    [{ type: 3 }, (i) => sites.num("type")[i] === 3],
    [{ module: 2, naming: 0 }, (i) => sites.num("module")[i] === 2 && sites.num("naming")[i] === 0],
    [{ state: "kept" }, (i) => sites.num("live_blocks")[i] > 0],
    [{ state: "temporary" }, (i) => sites.num("temporary")[i] * 2 >= sites.num("allocations")[i]],
    [{ file: report.placeFile(0) }, (i) => report.placeFile(report.sitePlace(i)) === report.placeFile(0)],
    [{ q: "RBUF conn" }, (i) => ["rbuf", "conn"].every((w) => [report.holder(i), report.siteType(i), ...["function", "file", "callee", "text"].map((c) => report.places.text(c, i))].some((t) => t.toLowerCase().includes(w)))],
    [{ thread: 4 }, (i) => ["alloc_threads", "free_threads"].some((name) => { const { table, first, end } = report.ofSite(name, i); return table.num("id").subarray(first, end).includes(4); })],
    [{ range: [10, 20] }, (i) => { const { table, first, end } = report.ofSite("points", i); return report.liveAt(i, 9) > 0 || table.num("sample").subarray(first, end).some((s) => s >= 10 && s <= 20); }],
  ];
  for (const [filter, holds] of cases) {
    const kept = [...page.filterSites(report, filter)];
    assert.deepEqual(kept, all.filter(holds), JSON.stringify(filter));
    assert.ok(kept.length > 0 && kept.length < all.length, `${JSON.stringify(filter)} keeps ${kept.length}`);
  }
});

test("samples of one clock step lie within it, also when nothing happens for long behind it", () => {
  const ms = (list) => Array.from(list, (s) => Math.round(s * 1e6) / 1e3);
  assert.deepEqual(ms(page.spreadTimes([8e6, 8e6, 8e6, 8e6, 100e6, 104e6], [10, 20, 30, 40, 50, 60], 200e6, 4e6)), [8, 9, 10, 11, 100, 104]);
  assert.deepEqual(ms(page.spreadTimes([4e6, 4e6, 6e6], [1, 2, 3], 7e6, 4e6)), [4, 5, 6]);
});

test("the end is called what it was", () => {
  const facts = (names, texts) => new page.Report(decodeOf(new Encoder().table("facts", { name: names, number: names.map(() => 0), text: texts }).container()));
  assert.equal(facts(["end_when"], ["when recording stopped"]).endWhen, "when recording stopped");
  assert.equal(facts(["name"], ["p"]).endWhen, "at the end");
});

test("an address says what is shown and is read back", () => {
  const route = { view: "variables", params: { q: "a&b=c #?", sel: "12" } };
  assert.deepEqual(page.parseRoute(page.formatRoute(route)), route);
  assert.deepEqual(page.parseRoute(""), { view: "overview", params: {} });
  assert.deepEqual(page.changedRoute(route, { params: { sel: undefined, type: "3" } }).params, { q: "a&b=c #?", type: "3" });
  assert.deepEqual(page.parseRange("5-900", 100), [5, 99]);
  for (const bad of [undefined, "", "5", "9-3", "a-b", "-1-4"]) assert.equal(page.parseRange(bad, 100), undefined);
  assert.deepEqual(page.filterOf(report, { type: "x", module: "2" }), { module: 2, range: undefined });
});

test("a layout's cells cover every byte once, holes are where the model says", () => {
  for (let type = 1; type <= report.types.rows; type++) {
    const size = report.types.num("size_bytes")[type - 1], fields = page.layoutOf(report, type);
    if (!fields.length) continue;
    const cells = page.cellsOf(fields, size);
    let at = 0;
    for (const cell of cells) { assert.equal(cell.from, at); assert.ok(cell.to > at); at = cell.to; }
    assert.equal(at, size);
    if (report.types.num("kind")[type - 1] === 3)
      assert.equal(cells.reduce((s, c) => s + (c.kind === "padding" ? c.to - c.from : 0), 0), report.types.num("padding_bytes")[type - 1]);
    const lines = page.linesOf(cells, size);
    assert.equal(lines.reduce((s, l) => s + l.pieces.reduce((t, p) => t + p.to - p.from, 0), 0), size);
    assert.ok(lines.length < 40, "long fields are folded");
  }
});

test("what is in sight, at both ends of a list of any length", () => {
  assert.deepEqual(page.sightOf(0, 30, 600, 0), { first: 0, end: 0 });
  assert.deepEqual(page.sightOf(5, 30, 600, 0), { first: 0, end: 5 });
  const { first, end } = page.sightOf(1e6, 30, 600, 3e7 - 600);
  assert.ok(end === 1e6 && first < 1e6 - 20 && first > 1e6 - 40);
});

test("columns are left out until the rest fits, the first never", () => {
  const columns = [[0, 200], [1, 100], [5, 100], [9, 100]].map(([rank, width], i) => ({ id: String(i), rank, width, title: "", cell: () => null }));
  const ids = (width) => page.fittingColumns(columns, width).map((c) => c.id).join("");
  assert.deepEqual([1000, 430, 330, 100].map(ids), ["0123", "012", "01", "0"]);
});

test("data that is cut, foreign or newer is refused", () => {
  const good = synthetic({ sites: 3, samples: 4 });
  assert.throws(() => decodeOf(Buffer.from("<html>no data at all")), /not a MemScope/);
  assert.throws(() => decodeOf(good.subarray(0, good.length - 4096)));
  const newer = Buffer.from(good);
  newer.write('"version":2', newer.indexOf('"version":1'));
  assert.throws(() => decodeOf(newer), /version 2/);
});

/* Machado, Oliveira and Fernandes 2009, severity 1; distances in OKLab. */
const deficiency = {
  none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const linear = (hex) => [1, 3, 5].map((i) => { const v = parseInt(hex.slice(i, i + 2), 16) / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
const times = (m, v) => m.map((row) => Math.max(0, row.reduce((s, k, i) => s + k * v[i], 0)));
const luminance = (hex) => linear(hex).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
function oklab(rgb) {
  const lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]].map((r) => Math.cbrt(r.reduce((s, k, i) => s + k * rgb[i], 0)));
  return [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]].map((r) => r.reduce((s, k, i) => s + k * lms[i], 0));
}
const palettes = [...readFileSync(join(modules, "src/style/base.css"), "utf8").matchAll(/data-theme="(\w+)"\] \{([^}]*)\}/g)]
  .map(([, name, body]) => [name, Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6})(?![0-9a-f])/g)].map(([, k, v]) => [k, v]))]);

test("categorical colours stay apart for every kind of colour sight, in dark and light", () => {
  assert.equal(palettes.length, 2);
  for (const [name, colours] of palettes)
    for (const [kind, matrix] of Object.entries(deficiency)) {
      const seen = Array.from({ length: 9 }, (_, i) => oklab(times(matrix, linear(colours[`c${i}`]))));
      for (let a = 0; a < 9; a++)
        for (let b = a + 1; b < 9; b++) {
          const distance = Math.hypot(...seen[a].map((v, k) => v - seen[b][k]));
          // Neighbours in a stack must differ plainly; any two at least visibly.
          assert.ok(distance > (b === a + 1 ? 0.12 : 0.06), `${name}, ${kind}: c${a} and c${b} are ${distance.toFixed(3)} apart`);
        }
    }
});

test("text stands out from what is behind it (WCAG AA)", () => {
  for (const [name, c] of palettes)
    for (const behind of ["bg", "surface", "hover"])
      for (const text of ["text", "text-2", "text-3", "accent", "good", "warn", "bad"])
        assert.ok(contrast(c[text], c[behind]) >= 4.5, `${name}: ${text} on ${behind} is ${contrast(c[text], c[behind]).toFixed(2)}`);
});
