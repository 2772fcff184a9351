// SPDX-License-Identifier: MIT
// Of a sampled recording: how far figures may be off, as 95 % intervals, and how it
// was drawn. Of any other all of it is empty.
import { bytes, count } from "../format";
import type { Report } from "./report";

export function isSampled(report: Report): boolean { return report.table("sampling").rows > 0; }

/** Why there is a dash where a figure that rests on every single event would stand. */
export const notOfSamples = "not known of samples";

/** Sums of counters: counts and what is live are exact, what takes an event for each allocation is not there. */
export function isCounted(report: Report): boolean { return report.text("mode") === "counters"; }

export const notOfCounters = "not known of counters";

/** Why a figure is not known in this recording; "" when it is. */
export function unknownText(report: Report): string { return isSampled(report) ? notOfSamples : isCounted(report) ? notOfCounters : ""; }

/** A figure that rests on an instant, such as a peak: a dash of counters. */
export function ofEvents(report: Report, text: string): string { return isCounted(report) ? "–" : text; }

/** "one in about 512 KiB" */
export function samplingText(report: Report): string {
  const how = report.table("sampling"), period = how.num("period")[0] ?? 0;
  return `one in about ${how.num("by_bytes")[0] ? bytes(period) : `${count(period)} allocations`}${how.num("large_bytes")[0] ? ", large ones more often" : ""}`;
}

/** Of what none at all may have been drawn, no interval knows. */
export function doubtText(report: Report): string {
  const how = report.table("sampling");
  if (how.num("by_bytes")[0]) return ", and those of counts may be too narrow where small blocks are many";
  return how.num("large_bytes")[0] ? ", and those of counts know of no small blocks beside large ones where none was drawn" : ", and those of bytes may be too narrow where large blocks are few";
}

/** How much longer one side of an interval is, so that one figure would not do for both. */
const lopsided = 1.25;

/** " ±8 %", or both ends where one side is longer; of none seen, what there may be at most: as in the terminal. Peaks have none. */
export function errorText(value: number, low: number | undefined, high: number | undefined, text: (n: number) => string): string {
  if (low === undefined || !high) return "";
  const end = (n: number) => text(n).replace(" ", "\u00a0");
  if (!value) return ` (≤\u00a0${end(high)})`;
  const more = Math.max(high - value, value - low), less = Math.min(high - value, value - low), part = (more / value) * 100;
  return more > lopsided * less ? ` (${end(low)}…${end(high)})` : ` ±${part < 9.95 ? part.toFixed(1) : Math.round(part)}\u00a0%`;
}

/** Behind a figure of the whole run; "" when it is exact. */
export function totalError(report: Report, figure: string, text: (n: number) => string): string {
  const rows = report.table("total_errors");
  for (let i = 0; i < rows.rows; i++)
    if (rows.text("figure", i) === figure) return errorText(report.num(figure), rows.num("low")[i]!, rows.num("high")[i]!, text);
  return "";
}

/** Tables whose rows have errors beside them. */
export type Kind = "site" | "type" | "module" | "thread";

/** Behind a figure of a row. */
export function rowError(report: Report, kind: Kind, row: number, figure: string, text: (n: number) => string): string {
  const rows = report.table(`${kind}_errors`);
  return row < rows.rows ? errorText(report.table(`${kind}s`).num(figure)[row]!, rows.num(`${figure}_low`)[row], rows.num(`${figure}_high`)[row], text) : "";
}

/** Behind a figure of a variable. */
export function siteError(report: Report, site: number, figure: string, text: (n: number) => string): string { return rowError(report, "site", site, figure, text); }
