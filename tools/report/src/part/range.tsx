// SPDX-License-Identifier: MIT
// The chosen stretch of time: its chip, and the two columns it adds to lists of
// variables, types and modules.
import type { JSX } from "preact";
import { parseRange } from "../data/history";
import type { Report } from "../data/report";
import { largest } from "../data/table";
import { bytes, count, time } from "../format";
import { go } from "../state/route";
import { Icon } from "./icons";
import { Meter } from "./small";
import type { Column } from "./table";

export const rangeOf = (report: Report, params: Record<string, string>): [number, number] | undefined => parseRange(params["range"], report.timeline.rows);

export function rangeText(report: Report, range: [number, number]): string {
  const ends = report.timeline.num("end_ns"), events = report.timeline.num("end_event");
  const from = range[0] ? ends[range[0]]! : 0, to = ends[range[1]]!;
  return to > from ? `${time(from)} – ${time(to)}` : `events ${count(events[range[0]]!)} – ${count(events[range[1]]!)}`;
}

export function RangeChip({ report, params }: { report: Report; params: Record<string, string> }): JSX.Element | null {
  const range = rangeOf(report, params);
  if (!range) return null;
  return (
    <button class="chip on" aria-label={`Take the stretch of time off: ${rangeText(report, range)}`} onClick={() => go({ params: { range: undefined } })} title="Only what was alive or moved in this stretch. Click to show the whole run.">
      <Icon name="range" /><span>{rangeText(report, range)}</span><Icon name="close" size={12} />
    </button>
  );
}

interface Moved { growth: Float64Array; live: Float64Array; lowest: number; most: number }

/** Live bytes at the stretch's end, and by how much they grew in it; summed by a column of the variables, or for each of them. */
function movedIn(report: Report, range: [number, number], by: string, rows: number): Moved {
  return report.once(`moved.${by}.${range.join("-")}`, () => {
    const growth = new Float64Array(rows), live = new Float64Array(rows);
    const ids = by ? report.sites.num(by) : undefined;
    for (let site = 0; site < report.sites.rows; site++) {
      const row = ids ? ids[site]! - 1 : site;
      if (row < 0) continue;
      const now = report.liveAt(site, range[1]);
      live[row]! += now;
      growth[row]! += now - report.liveAt(site, range[0] - 1);
    }
    return { growth, live, lowest: growth.reduce((m, v) => Math.min(m, v), 0), most: largest(live) };
  });
}

export function rangeColumns(report: Report, range: [number, number] | undefined, by: string, rows: number): Column[] {
  if (!range) return [];
  const { growth, live, lowest, most } = movedIn(report, range, by, rows);
  return [
    { id: "growth", title: "Growth", help: "Live bytes at the end of the chosen stretch minus those before it", width: 100, right: true, rank: 1,
      keys: () => growth.map((v) => v - lowest), cell: (i) => (growth[i] ? <span class={growth[i]! > 0 ? "warn" : "good"}>{growth[i]! > 0 ? "+" : ""}{bytes(growth[i]!)}</span> : <span class="faint">±0</span>) },
    { id: "rangelive", title: "Live then", help: "Live bytes at the end of the chosen stretch", width: 100, right: true, rank: 1,
      keys: () => live, cell: (i) => (live[i] ? <Meter value={live[i]!} most={most} text={bytes(live[i]!)} /> : <span class="faint">–</span>) },
  ];
}
