// SPDX-License-Identifier: MIT
// A report's tables by name, and the few joins the views need. Ids count from 1
// (0 = none): id's row is id - 1. What a column means stands in model/model.h;
// the names are the same.
import type { Container } from "./container";
import { lowerBound, type NumberColumn, type Table } from "./table";

export const naming = ["named", "wrapper only", "unnamed"] as const;
export const provenance = ["exact", "derived", "inferred"] as const;
export const siteFlags = { up: 1, wrapper: 2, system: 4, new: 8, array: 16 };
export const typeKinds = ["other", "scalar", "pointer", "struct", "union", "class", "array", "function"] as const;
export const fieldFlags = { pointer: 1, bits: 2, flexible: 4, base: 8, vptr: 16 };

export class Report {
  readonly sites: Table;
  readonly places: Table;
  readonly types: Table;
  readonly fields: Table;
  readonly holders: Table;
  readonly modules: Table;
  readonly threads: Table;
  readonly timeline: Table;
  readonly live: Table;
  readonly notes: Table;
  private readonly facts = new Map<string, { number: number; text: string }>();
  private readonly cache = new Map<string, unknown>();

  constructor(readonly container: Container) {
    const table = (name: string) => container.table(name);
    this.sites = table("sites");
    this.places = table("places");
    this.types = table("types");
    this.fields = table("fields");
    this.holders = table("holders");
    this.modules = table("modules");
    this.threads = table("threads");
    this.timeline = table("timeline");
    this.live = table("live");
    this.notes = table("notes");
    const facts = table("facts");
    for (let i = 0; i < facts.rows; i++)
      this.facts.set(facts.text("name", i), { number: facts.num("number")[i]!, text: facts.text("text", i) });
  }

  table(name: string): Table { return this.container.table(name); }
  num(fact: string): number { return this.facts.get(fact)?.number ?? 0; }
  text(fact: string): string { return this.facts.get(fact)?.text ?? ""; }
  /** When that was which the figures show as the end: "at exit", "when recording stopped". */
  get endWhen(): string { return this.text("end_when") || "at the end"; }
  get argv(): string[] {
    const table = this.table("argv");
    return Array.from({ length: table.rows }, (_, i) => table.text("text", i));
  }

  /** Something costly that is wanted again: made once. */
  once<T>(name: string, make: () => T): T {
    if (!this.cache.has(name)) this.cache.set(name, make());
    return this.cache.get(name) as T;
  }

  holder(site: number): string { return this.sites.text("holder", site); }
  typeName(id: number): string { return id ? this.types.text("name", id - 1) : ""; }
  siteType(site: number): string { return this.typeName(this.sites.num("type")[site]!); }
  moduleName(id: number): string { return id ? this.modules.text("name", id - 1) : ""; }
  threadName(id: number): string {
    return id ? this.threads.text("name", id - 1) || `thread ${this.threads.num("stream_id")[id - 1]}` : "unknown thread";
  }
  /** Row in places of where a site's block goes to, -1 = unknown. */
  sitePlace(site: number): number { return this.sites.num("place")[site]! - 1; }

  placeFile(place: number): string { return place < 0 ? "" : this.places.text("file", place); }
  /** "net.c:88" or what there is instead. */
  placeShort(place: number): string {
    const file = this.placeFile(place);
    if (!file) return place < 0 ? "unknown" : this.places.text("text", place) || "unknown";
    return `${file.slice(file.lastIndexOf("/") + 1)}:${this.places.num("line")[place]}`;
  }

  /** Rows of a table that is ordered by its `site` column, for one site. */
  ofSite(table: string, site: number): { table: Table; first: number; end: number } {
    const found = this.table(table);
    const [first, end] = found.range("site", site + 1);
    return { table: found, first, end };
  }

  /** One value per site, taken from the place it stands at. */
  byPlace(column: string, keys: boolean): NumberColumn {
    return this.once(`place.${column}.${keys}`, () => {
      const values = keys ? this.places.keys(column) : this.places.num(column);
      const out = new Uint32Array(this.sites.rows), place = this.sites.num("place");
      for (let i = 0; i < out.length; i++) out[i] = place[i] ? values[place[i]! - 1]! : 0;
      return out;
    });
  }
  /** One value per site, taken from its type. */
  byType(column: string): NumberColumn {
    return this.once(`type.${column}`, () => {
      const values = this.types.keys(column);
      const out = new Uint32Array(this.sites.rows), type = this.sites.num("type");
      for (let i = 0; i < out.length; i++) out[i] = type[i] ? values[type[i]! - 1]! + 1 : 0;
      return out;
    });
  }

  /** What a site had alive at the end of a timeline sample. */
  liveAt(site: number, sample: number): number {
    if (sample < 0) return 0;
    const { table, first, end } = this.ofSite("points", site);
    const samples = table.num("sample").subarray(first, end);
    const at = lowerBound(samples, sample + 1) - 1;
    return at < 0 ? 0 : table.num("live_bytes")[first + at]!;
  }

  /** An excerpt of the source around a line, when the file was readable. */
  excerpt(file: string, line: number): { first: number; lines: string[] } | undefined {
    const sources = this.table("sources");
    for (let i = 0; i < sources.rows; i++) {
      if (sources.text("file", i) !== file) continue;
      const first = sources.num("first_line")[i]!;
      if (line < first || line >= first + sources.num("lines")[i]!) continue;
      const lines = sources.text("text", i).split("\n");
      const from = Math.max(0, line - first - 6), to = Math.min(lines.length, line - first + 7);
      return { first: first + from, lines: lines.slice(from, to) };
    }
    return undefined;
  }
}
