// SPDX-License-Identifier: MIT
// What was allocated of a type, and by which variables.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { isCounted, ofEvents } from "../data/error";
import { filterSites } from "../data/filter";
import { sortRows } from "../data/sort";
import { bytes, count, plural } from "../format";
import { BarRow, Figure, Name } from "../part/small";
import { linkTo } from "../state/route";
import type { TabProps } from "./registry";

const shown = 30;

export function TypeOverview({ report, row }: TabProps): JSX.Element {
  const n = (column: string) => report.types.num(column)[row]!;
  const values = report.sites.num(isCounted(report) ? "allocated_bytes" : "bytes_at_peak");
  const rows = useMemo(() => sortRows(filterSites(report, { type: row + 1 }), values, true), [report, row]);
  return <>
    <dl class="figures pair">
      <Figure label="At the peak" value={ofEvents(report, bytes(n("bytes_at_peak")))} />
      <Figure label="Not freed" value={bytes(n("live_bytes"))} note={plural(n("live_blocks"), "block")} />
      <Figure label="Own peak" value={ofEvents(report, bytes(n("peak_bytes")))} />
      <Figure label="Allocated" value={bytes(n("allocated_bytes"))} note={`${plural(n("allocations"), "block")}${n("elements") ? `, ${count(n("elements"))} elements` : ""}`} />
    </dl>
    <h3>{plural(rows.length, "variable")} of this type</h3>
    <ul class="bars flush">
      {[...rows.subarray(0, shown)].map((site) => (
        <li key={site}><BarRow href={linkTo({ params: { sel: String(site + 1), tab: undefined } })} name={<Name holder={report.holder(site)} type="" />} note={report.placeShort(report.sitePlace(site))} value={values[site]!} most={values[rows[0]!]!} text={bytes(values[site]!)} /></li>
      ))}
    </ul>
    {rows.length > shown && <p><a href={linkTo({ view: "variables", params: { type: String(row + 1), sel: undefined } })}>All {count(rows.length)}</a></p>}
  </>;
}
