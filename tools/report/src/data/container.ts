// SPDX-License-Identifier: MIT
// The page's data as `memscope report` lays it out (view/columns.h is the other
// side). The <script id="memscope-data"> holds base64(gzip(container)):
//
//   +-----------+------------+---------------------+--- 8-aligned ---+
//   | MSPAGE1\n | u32 length | JSON directory      | columns …       |
//   +-----------+------------+---------------------+-----------------+
//
// The directory gives each table's rows, and each column's kind and its offset
// from the first column. Text is an index into one heap of distinct strings.
import { Heap } from "./heap";
import { Table, type NumberColumn } from "./table";

export const MAGIC = "MSPAGE1\n";

type Kind = "u8" | "u16" | "u32" | "f64" | "str";
interface ColumnEntry { name: string; kind: Kind; at: number }
interface TableEntry { name: string; rows: number; columns: ColumnEntry[] }
interface Directory {
  version: number;
  heap: { count: number; ends: number; bytes: number; size: number };
  tables: TableEntry[];
}

/** All tables of a report. A table that is not there is an empty one: older files open in newer pages. */
export class Container {
  constructor(readonly heap: Heap, private readonly tables: Map<string, Table>) {}
  table(name: string): Table { return this.tables.get(name) ?? new Table(name, 0, this.heap); }
  get names(): string[] { return [...this.tables.keys()]; }
}

const width: Record<Kind, number> = { u8: 1, u16: 2, u32: 4, f64: 8, str: 4 };

function column(buffer: ArrayBuffer, at: number, kind: Kind, rows: number): NumberColumn {
  if (at + rows * width[kind] > buffer.byteLength) throw new Error("the report's data ends too early");
  switch (kind) {
    case "u8": return new Uint8Array(buffer, at, rows);
    case "u16": return new Uint16Array(buffer, at, rows);
    case "f64": return new Float64Array(buffer, at, rows);
    case "u32": case "str": return new Uint32Array(buffer, at, rows);
    default: throw new Error(`the report's data has a column of unknown kind ${String(kind)}`);
  }
}

export function decode(buffer: ArrayBuffer): Container {
  const bytes = new Uint8Array(buffer);
  const text = new TextDecoder();
  if (text.decode(bytes.subarray(0, 8)) !== MAGIC) throw new Error("this is not a MemScope report's data");
  const length = new DataView(buffer).getUint32(8, true);
  const directory = JSON.parse(text.decode(bytes.subarray(12, 12 + length))) as Directory;
  if (directory.version !== 1) throw new Error(`the data has version ${directory.version}, this page reads version 1`);
  const base = (12 + length + 7) & ~7;
  const { count, ends, bytes: start, size } = directory.heap;
  const heap = new Heap(bytes.subarray(base + start, base + start + size),
    column(buffer, base + ends, "u32", count) as Uint32Array);
  const tables = new Map<string, Table>();
  for (const entry of directory.tables) {
    const table = new Table(entry.name, entry.rows, heap);
    for (const c of entry.columns) table.add(c.name, column(buffer, base + c.at, c.kind, entry.rows), c.kind === "str");
    tables.set(entry.name, table);
  }
  return new Container(heap, tables);
}

/** base64 to bytes. atob alone costs two copies of a string; this one piecewise keeps the peak small. */
export function base64Bytes(text: string): Uint8Array<ArrayBuffer> {
  const clean = text.trim();
  const bytes = new Uint8Array(Math.floor(clean.length / 4) * 3);
  const step = 1 << 16;
  let filled = 0;
  for (let i = 0; i < clean.length; i += step) {
    const piece = atob(clean.slice(i, i + step));
    for (let k = 0; k < piece.length; k++) bytes[filled++] = piece.charCodeAt(k);
  }
  return bytes.subarray(0, filled);
}

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
