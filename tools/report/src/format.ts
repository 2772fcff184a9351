// SPDX-License-Identifier: MIT
// Numbers as people read them. Everything shown passes through here, so that
// the same quantity looks the same everywhere.

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Three significant digits: 412 B, 1.25 KiB, 37.5 MiB, 999 MiB. */
export function bytes(n: number): string {
  const sign = n < 0 ? "−" : "";
  let value = Math.abs(n), unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) { value /= 1024; unit++; }
  return `${sign}${unit ? significant(value) : Math.round(value)} ${units[unit]}`;
}

/** 12 · 1,234 · 999,999 · 1.23 M · 45.6 M: exact as long as it is short. */
export function count(n: number): string {
  if (Math.abs(n) < 1e6) return grouped(n);
  const [divisor, letter] = Math.abs(n) < 999.5e6 ? [1e6, "M"] : Math.abs(n) < 999.5e9 ? [1e9, "G"] : [1e12, "T"];
  return `${significant(n / divisor)} ${letter}`;
}

/** Exact, in groups of three. */
export function grouped(n: number): string {
  const digits = Math.abs(Math.round(n)).toString();
  const out = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return n < 0 ? `−${out}` : out;
}

/** Nanoseconds: 0 · 840 ns · 12.5 µs · 3.40 ms · 1.25 s · 2 m 05 s · 3 h 07 m. */
export function time(ns: number): string {
  if (!(ns > 0)) return "0";
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 999.5e3) return `${significant(ns / 1e3)} µs`;
  if (ns < 999.5e6) return `${significant(ns / 1e6)} ms`;
  if (ns < 60e9) return `${significant(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  const two = (n: number) => n.toString().padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A share of 1. Never says 100 % when something is left, nor 0 % when something is there. */
export function percent(share: number): string {
  if (!Number.isFinite(share) || share <= 0) return "0 %";
  if (share >= 1) return "100 %";
  if (share > 0.9999) return "> 99.99 %";
  if (share < 0.0001) return "< 0.01 %";
  const value = share * 100;
  const digits = value >= 99 || value < 1 ? 2 : 1;
  return `${value.toFixed(digits).replace(/\.?0+$/, "")} %`;
}

function significant(value: number): string {
  const size = Math.abs(value);
  return size >= 99.95 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A date in the reader's own clock, to the second. */
export function moment(unixMs: number): string {
  return new Date(unixMs).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
