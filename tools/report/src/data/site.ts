// SPDX-License-Identifier: MIT
// What a variable's row says in words.
import { fieldFlags, type Report } from "./report";
import type { Filter } from "./filter";
import { parseRange } from "./history";

export interface State { text: string; tone: string; why: string }

/** The life of a variable's blocks in two words. */
export function stateOf(report: Report, site: number): State {
  const { sites } = report;
  const live = sites.num("live_blocks")[site]!, allocations = sites.num("allocations")[site]!;
  if (live > 0 && sites.num("frees")[site] === 0) return { text: "never freed", tone: "bad", why: "no block of it was ever given back" };
  if (live > 0) return { text: "some kept", tone: "warn", why: `some of its blocks were alive ${report.endWhen}` };
  if (allocations > 0 && sites.num("temporary")[site]! * 2 >= allocations) return { text: "temporary", tone: "info", why: "most of its blocks were freed before their thread's next allocation" };
  return { text: "all freed", tone: "good", why: "every block was given back" };
}

/** The broad kind of thing a block holds. */
export function categoryOf(report: Report, site: number): string {
  const type = report.sites.num("type")[site]!;
  if (!type) return "untyped";
  const kind = report.types.num("kind")[type - 1]!;
  const name = report.types.text("name", type - 1);
  if (kind === 1) return /^(const |unsigned |signed )*char$/.test(name) ? "text or bytes" : "numbers";
  return ["other", "numbers", "pointers", "struct", "union", "class", "array", "functions"][kind] ?? "other";
}

/** The filter an address asks for. */
export function filterOf(report: Report, params: Record<string, string>): Filter {
  const filter: Filter = {};
  const number = (name: string) => (params[name] ? Number(params[name]) : undefined);
  if (params["q"]) filter.q = params["q"];
  if (params["file"]) filter.file = params["file"];
  if (params["state"]) filter.state = params["state"];
  for (const name of ["type", "module", "thread", "provenance", "naming"] as const) {
    const value = number(name);
    if (value !== undefined && Number.isFinite(value)) filter[name] = value;
  }
  filter.range = parseRange(params["range"], report.timeline.rows);
  return filter;
}

export const filterNames = ["q", "type", "module", "thread", "file", "provenance", "naming", "state"] as const;

/** Types that memory was allocated for; the others are only part of one. */
export function usedTypes(report: Report): Uint32Array {
  const sites = report.types.num("site_count");
  return report.once("types.used", () => Uint32Array.from(sites.keys()).filter((row) => sites[row]! > 0));
}

export interface LayoutField { row: number; name: string; type: string; offset: number; size: number; bits: number; offsetBits: number; padding: number; flags: number; typeId: number }

export function layoutOf(report: Report, typeId: number): LayoutField[] {
  const { fields } = report;
  const [first, end] = fields.range("type", typeId);
  const out: LayoutField[] = [];
  for (let i = first; i < end; i++) {
    out.push({
      row: i,
      name: fields.text("name", i),
      type: fields.text("type_name", i),
      offset: fields.num("offset_bytes")[i]!,
      size: fields.num("size_bytes")[i]!,
      bits: fields.num("bits")[i]!,
      offsetBits: fields.num("offset_bits")[i]!,
      padding: fields.num("padding_bytes")[i]!,
      flags: fields.num("flags")[i]!,
      typeId: fields.num("field_type")[i]!,
    });
  }
  return out;
}

/** Bytes a field covers; a bit-field the bytes its bits touch. */
export function spanOf(f: LayoutField): number {
  return f.bits ? Math.ceil((f.offsetBits + f.bits) / 8) : f.size;
}

export interface Cell { from: number; to: number; kind: "field" | "padding"; field: LayoutField | undefined }

/** A record's bytes from 0 to its size, in pieces that are one field or a hole. Overlaps (unions, bit-fields that share a byte) go to the first field. */
export function cellsOf(fields: LayoutField[], size: number): Cell[] {
  const out: Cell[] = [];
  let at = 0;
  for (const field of [...fields].sort((a, b) => a.offset - b.offset)) {
    const from = Math.max(at, field.offset), to = Math.min(size, field.offset + spanOf(field));
    if (from > at) out.push({ from: at, to: from, kind: "padding", field: undefined });
    if (to > from) out.push({ from, to, kind: "field", field });
    at = Math.max(at, to);
  }
  if (at < size) out.push({ from: at, to: size, kind: "padding", field: undefined });
  return out;
}

export function fieldNote(f: LayoutField): string {
  const notes: string[] = [];
  if (f.flags & fieldFlags.base) notes.push("base class");
  if (f.flags & fieldFlags.vptr) notes.push("virtual table pointer");
  if (f.flags & fieldFlags.flexible) notes.push("flexible array");
  if (f.flags & fieldFlags.pointer) notes.push("pointer");
  return notes.join(", ");
}
