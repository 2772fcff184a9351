// SPDX-License-Identifier: MIT
// One variable's live bytes over the run, as small as a line of text.
import type { JSX } from "preact";
import { axisOf, axisPoints } from "../data/history";
import type { Report } from "../data/report";

export function sparkPath(report: Report, site: number, width: number, height: number): string {
  const { table, first, end } = report.ofSite("points", site);
  if (first === end) return "";
  const x = report.once("spark.x", () => axisPoints(report, axisOf(report)));
  const sample = table.num("sample"), live = table.num("live_bytes");
  const span = x[x.length - 1]! || 1;
  let most = 1;
  for (let i = first; i < end; i++) most = Math.max(most, live[i]!);
  const at = (i: number) => ((x[Math.min(sample[i]! + 1, x.length - 1)]! / span) * width).toFixed(1);
  const up = (v: number) => (height - (v / most) * (height - 2)).toFixed(1);
  let path = `M0 ${height}`;
  let level = up(0);
  for (let i = first; i < end; i++) {
    path += `H${at(i)}`;
    const next = up(live[i]!);
    if (next !== level) path += `V${(level = next)}`;
  }
  return `${path}H${width}V${height}Z`;
}

export function Spark({ report, site, height }: { report: Report; site: number; height: number }): JSX.Element {
  return (
    <svg class="spark" viewBox={`0 0 300 ${height}`} preserveAspectRatio="none" height={height} aria-hidden="true">
      <path d={sparkPath(report, site, 300, height)} />
    </svg>
  );
}
