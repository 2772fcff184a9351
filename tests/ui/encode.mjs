// SPDX-License-Identifier: MIT
// The page's container, written a second time: what view/columns.c does in C,
// for tests that need data no program has made (a million rows, odd characters).
import { gzipSync } from "node:zlib";

const bytesOf = { u8: 1, u16: 2, u32: 4, f64: 8, str: 4 };
const arrayOf = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array, str: Uint32Array };

export class Encoder {
  constructor() {
    this.ids = new Map([["", 0]]);
    this.tables = [];
  }

  id(text) {
    let found = this.ids.get(text);
    if (found === undefined) this.ids.set(text, (found = this.ids.size));
    return found;
  }

  /** columns: name -> array of numbers, or of strings. */
  table(name, columns) {
    const entry = { name, rows: 0, columns: [] };
    for (const [column, values] of Object.entries(columns)) {
      entry.rows = values.length;
      if (typeof values[0] === "string") entry.columns.push({ name: column, kind: "str", values: Uint32Array.from(values, (v) => this.id(v)) });
      else {
        let most = 0;
        for (const v of values) if (v > most) most = v;
        const kind = most < 256 ? "u8" : most < 65536 ? "u16" : most < 2 ** 32 ? "u32" : "f64";
        entry.columns.push({ name: column, kind, values: arrayOf[kind].from(values) });
      }
    }
    this.tables.push(entry);
    return this;
  }

  container() {
    const parts = [];
    let at = 0;
    const place = (array) => {
      const here = at;
      const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
      const pad = (8 - (bytes.length % 8)) % 8;
      parts.push(bytes, Buffer.alloc(pad));
      at += bytes.length + pad;
      return here;
    };
    const heap = Buffer.from([...this.ids.keys()].map((t) => `${t}\0`).join(""), "utf8");
    const ends = new Uint32Array(this.ids.size);
    let end = 0, i = 0;
    for (const text of this.ids.keys()) ends[i++] = end += Buffer.byteLength(text) + 1;
    const directory = {
      version: 1,
      heap: { count: ends.length, ends: place(ends), bytes: place(heap), size: heap.length },
      tables: this.tables.map((t) => ({ name: t.name, rows: t.rows, columns: t.columns.map((c) => ({ name: c.name, kind: c.kind, at: place(c.values) })) })),
    };
    const json = Buffer.from(JSON.stringify(directory), "utf8");
    const head = Buffer.alloc(12);
    head.write("MSPAGE1\n", 0, "latin1");
    head.writeUInt32LE(json.length, 8);
    return Buffer.concat([head, json, Buffer.alloc((8 - ((12 + json.length) % 8)) % 8), ...parts]);
  }
}

const marker = '<script type="application/x-memscope" id="memscope-data"></script>';

export function fill(page, container) {
  const parts = page.split(marker);
  if (parts.length !== 2) throw new Error(`the page has ${parts.length - 1} places for data`);
  const data = gzipSync(container, { level: 1 }).toString("base64");
  return parts.join(marker.replace("></", `>${data}</`));
}
