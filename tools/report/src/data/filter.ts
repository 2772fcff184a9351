// SPDX-License-Identifier: MIT
// Which variables a search and the filters leave over. Text is looked for in
// the heap of distinct strings first, so that a row costs a few array reads.
import type { Report } from "./report";
import { lowerBound } from "./table";

export interface Filter {
  q?: string;
  type?: number;
  module?: number;
  thread?: number;
  file?: string;
  provenance?: number;
  naming?: number;
  /** "kept": something was never freed; "freed": nothing is left; "temporary": mostly short-lived. */
  state?: string;
  /** Samples of the timeline, both included: only what had bytes alive, or came or went, in between. */
  range?: [number, number] | undefined;
}

type Test = (site: number) => boolean;

function wordTest(report: Report, word: string): Test {
  const marks = report.sites.heap.matches(word);
  const { sites, places, types } = report;
  const holder = sites.num("holder"), place = sites.num("place"), type = sites.num("type");
  const typeNames = types.num("name");
  const columns = ["function", "file", "callee", "text"].map((name) => places.num(name));
  const placeHits = new Uint8Array(places.rows);
  for (let p = 0; p < places.rows; p++) placeHits[p] = columns.some((c) => marks[c[p]!]) ? 1 : 0;
  return (i) => !!marks[holder[i]!] || (type[i]! > 0 && !!marks[typeNames[type[i]! - 1]!]) || (place[i]! > 0 && !!placeHits[place[i]! - 1]);
}

function threadTest(report: Report, thread: number): Test {
  const marks = new Uint8Array(report.sites.rows);
  for (const name of ["alloc_threads", "free_threads"]) {
    const table = report.table(name), site = table.num("site"), id = table.num("id");
    for (let i = 0; i < table.rows; i++) if (id[i] === thread) marks[site[i]! - 1] = 1;
  }
  return (i) => !!marks[i];
}

function rangeTest(report: Report, [from, to]: [number, number]): Test {
  const points = report.table("points"), sites = points.num("site"), sample = points.num("sample"), live = points.num("live_bytes");
  const marks = new Uint8Array(report.sites.rows);
  for (let i = 0; i < points.rows; i++) {
    const until = i + 1 < points.rows && sites[i + 1] === sites[i] ? sample[i + 1]! - 1 : Infinity;
    const inside = sample[i]! >= from && sample[i]! <= to;
    if (inside || (live[i]! > 0 && sample[i]! <= to && until >= from)) marks[sites[i]! - 1] = 1;
  }
  return (i) => !!marks[i];
}

function equalTest(values: ArrayLike<number>, wanted: number): Test {
  return (i) => values[i] === wanted;
}

export function tests(report: Report, filter: Filter): Test[] {
  const { sites } = report;
  const out: Test[] = [];
  if (filter.type) out.push(equalTest(sites.num("type"), filter.type));
  if (filter.module) out.push(equalTest(sites.num("module"), filter.module));
  if (filter.provenance !== undefined) out.push(equalTest(sites.num("provenance"), filter.provenance));
  if (filter.naming !== undefined) out.push(equalTest(sites.num("naming"), filter.naming));
  if (filter.file) {
    const wanted = filter.file;
    out.push((i) => report.placeFile(report.sitePlace(i)) === wanted);
  }
  const live = sites.num("live_blocks"), temporary = sites.num("temporary"), allocations = sites.num("allocations");
  if (filter.state === "kept") out.push((i) => live[i]! > 0);
  if (filter.state === "freed") out.push((i) => live[i] === 0);
  if (filter.state === "temporary") out.push((i) => temporary[i]! * 2 >= allocations[i]! && allocations[i]! > 0);
  if (filter.thread) out.push(threadTest(report, filter.thread));
  if (filter.range) out.push(rangeTest(report, filter.range));
  for (const word of (filter.q ?? "").trim().split(/\s+/)) if (word) out.push(wordTest(report, word));
  return out;
}

export function filterSites(report: Report, filter: Filter): Uint32Array {
  const wanted = tests(report, filter);
  const rows = new Uint32Array(report.sites.rows);
  let kept = 0;
  next: for (let i = 0; i < rows.length; i++) {
    for (const test of wanted) if (!test(i)) continue next;
    rows[kept++] = i;
  }
  return rows.slice(0, kept);
}

/** Rows of any table one of whose text columns has every word of `q`. */
export function filterTable(table: { rows: number; heap: { matches(w: string): Uint8Array }; num(name: string): ArrayLike<number> }, columns: string[], q: string): Uint32Array {
  const words = q.trim().split(/\s+/).filter(Boolean).map((w) => table.heap.matches(w));
  const texts = columns.map((c) => table.num(c));
  const rows: number[] = [];
  for (let i = 0; i < table.rows; i++)
    if (words.every((marks) => texts.some((ids) => marks[ids[i]!]))) rows.push(i);
  return Uint32Array.from(rows);
}

/** The sample that holds at a time: the first one that ends at or behind it. */
export function sampleAt(ends: ArrayLike<number>, value: number): number {
  return Math.min(lowerBound(ends, value), Math.max(0, ends.length - 1));
}
