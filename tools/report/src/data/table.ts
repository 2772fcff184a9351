// SPDX-License-Identifier: MIT
// One table: typed arrays by name. No object per row ever exists; a row is its
// number, from 0.
import type { Heap } from "./heap";

export type NumberColumn = Uint8Array | Uint16Array | Uint32Array | Float64Array;

export class Table {
  private readonly columns = new Map<string, { values: NumberColumn; text: boolean }>();
  constructor(readonly name: string, readonly rows: number, readonly heap: Heap) {}

  add(name: string, values: NumberColumn, text = false): void { this.columns.set(name, { values, text }); }
  has(name: string): boolean { return this.columns.has(name); }

  /** A column's values; zeros when the file has no such column. */
  num(name: string): NumberColumn {
    let found = this.columns.get(name);
    if (!found) this.columns.set(name, (found = { values: new Uint8Array(this.rows), text: false }));
    return found.values;
  }

  text(name: string, row: number): string {
    const found = this.columns.get(name);
    return found && row < this.rows ? this.heap.text(found.values[row]!) : "";
  }

  /** What a column sorts by. */
  keys(name: string): NumberColumn {
    const found = this.columns.get(name);
    if (!found?.text) return this.num(name);
    const rank = this.heap.rank();
    return found.values.map((id) => rank[id]!) as NumberColumn;
  }

  sum(name: string): number {
    return sum(this.num(name));
  }

  /** Rows [first, end) whose `name` is `value`, in a table ordered by that column. */
  range(name: string, value: number): [number, number] {
    const values = this.num(name);
    return [lowerBound(values, value), lowerBound(values, value + 1)];
  }
}

/** Sum of values[first .. end). */
export function sum(values: NumberColumn, first = 0, end = values.length): number {
  let total = 0;
  for (let i = first; i < end; i++) total += values[i]!;
  return total;
}

export function largest(values: NumberColumn): number {
  let most = 0;
  for (const v of values) if (v > most) most = v;
  return most;
}

export function lowerBound(values: ArrayLike<number>, wanted: number): number {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
