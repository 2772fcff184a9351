// SPDX-License-Identifier: MIT
// Distinct strings, each NUL-terminated, behind one another. Strings are made
// only when they are shown; a search scans the whole heap as one text and gives
// back which strings match, so that it costs the same for ten rows or a million.
export class Heap {
  private readonly cache = new Map<number, string>();
  private lower: { text: string; ends: Uint32Array } | undefined;
  private ranks: Uint32Array | undefined;

  /** ends[i]: offset behind string i's NUL. String 0 is the empty one. */
  constructor(private readonly bytes: Uint8Array, private readonly ends: Uint32Array) {}

  get count(): number { return this.ends.length; }

  text(id: number): string {
    const cached = this.cache.get(id);
    if (cached !== undefined) return cached;
    if (id >= this.ends.length) return "";
    const start = id ? this.ends[id - 1]! : 0;
    const made = new TextDecoder().decode(this.bytes.subarray(start, this.ends[id]! - 1));
    this.cache.set(id, made);
    return made;
  }

  /** The heap in lower case as one text, and where in it each string ends (UTF-16 units). */
  private lowered(): { text: string; ends: Uint32Array } {
    if (this.lower) return this.lower;
    const whole = new TextDecoder().decode(this.bytes);
    const small = whole.toLowerCase();
    if (whole.length === this.bytes.length && small.length === whole.length)
      return (this.lower = { text: small, ends: this.ends });
    const ends = new Uint32Array(this.ends.length);
    let from = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = small.indexOf("\0", from);
      from = end < 0 ? small.length : end + 1;
      ends[i] = from;
    }
    return (this.lower = { text: small, ends });
  }

  /** marks[i] = 1 for each string that has `needle` in it, whatever its case. */
  matches(needle: string): Uint8Array {
    const marks = new Uint8Array(this.ends.length);
    const { text, ends } = this.lowered();
    const wanted = needle.toLowerCase();
    if (!wanted) return marks.fill(1);
    let id = 0;
    for (let at = text.indexOf(wanted); at >= 0; ) {
      while (ends[id]! <= at) id++;
      marks[id] = 1;
      at = text.indexOf(wanted, ends[id]!);
    }
    return marks;
  }

  /** Each string's place in alphabetic order: text columns sort as numbers. */
  rank(): Uint32Array {
    if (this.ranks) return this.ranks;
    const { text, ends } = this.lowered();
    const order = Array.from(ends, (_, i) => i);
    const keys = order.map((i) => text.slice(i ? ends[i - 1]! : 0, ends[i]! - 1));
    order.sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : a - b));
    const ranks = new Uint32Array(ends.length);
    order.forEach((id, place) => (ranks[id] = place));
    return (this.ranks = ranks);
  }
}
