// SPDX-License-Identifier: MIT
// Of a sampled recording: how far figures may be off, as 95 % intervals, and how it
// was drawn. Of any other all of it is empty.
import { bytes, count } from "../format";
import type { Report } from "./report";

export function isSampled(report: Report): boolean { return report.table("sampling").rows > 0; }

/** "one in about 512 KiB" */
export function samplingText(report: Report): string {
  const how = report.table("sampling"), period = how.num("period")[0] ?? 0;
  return `one in about ${how.num("by_bytes")[0] ? bytes(period) : `${count(period)} allocations`}`;
}

/** " ±8 %": the larger side of the interval; of none seen, what there may be at most. */
function errorText(value: number, low: number, high: number, text: (n: number) => string): string {
  if (!high) return "";
  if (!value) return ` ≤\u00a0${text(high).replace(" ", "\u00a0")}`;
  const part = (Math.max(high - value, value - low) / value) * 100;
  return part < 1000 ? ` ±${part < 9.95 ? part.toFixed(1) : Math.round(part)}\u00a0%` : " ±10× and more";
}

/** Behind a figure of the whole run; "" when it is exact. */
export function totalError(report: Report, figure: string, text: (n: number) => string): string {
  const rows = report.table("total_errors");
  for (let i = 0; i < rows.rows; i++)
    if (rows.text("figure", i) === figure) return errorText(report.num(figure), rows.num("low")[i]!, rows.num("high")[i]!, text);
  return "";
}

/** Behind a figure of a variable. */
export function siteError(report: Report, site: number, figure: string, text: (n: number) => string): string {
  const rows = report.table("site_errors");
  return site < rows.rows ? errorText(report.sites.num(figure)[site]!, rows.num(`${figure}_low`)[site]!, rows.num(`${figure}_high`)[site]!, text) : "";
}
