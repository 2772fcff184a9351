// SPDX-License-Identifier: MIT
// The chosen variable in figures.
import type { JSX } from "preact";
import { isCounted, notOfCounters, ofEvents, siteError } from "../data/error";
import { naming, provenance } from "../data/report";
import { categoryOf, stateOf } from "../data/site";
import { bytes, count, grouped, percent, plural, time } from "../format";
import { Badge, Figure } from "../part/small";
import { Spark } from "../part/spark";
import { linkTo } from "../state/route";
import type { TabProps } from "./registry";

export function SiteOverview({ report, row }: TabProps): JSX.Element {
  const { sites } = report;
  const n = (column: string) => sites.num(column)[row]!;
  const state = stateOf(report, row), place = report.sitePlace(row), type = n("type"), module = n("module");
  const peak = report.num("peak_bytes");
  const figure = (column: string) => <>{bytes(n(column))}<small class="faint">{siteError(report, row, column, bytes)}</small></>;
  const blocks = (column: string) => <>{count(n(column))}<small class="faint">{siteError(report, row, column, count)}</small> {n(column) === 1 ? "block" : "blocks"}</>;
  return <>
    <p class="badges">
      <Badge tone={state.tone} title={state.why}>{state.text}</Badge>
      <Badge>{categoryOf(report, row)}</Badge>
      {n("naming") === 0 ? <Badge title="How the name was found">{provenance[n("provenance")]}</Badge> : <Badge tone={n("naming") === 1 ? "warn" : "bad"}>{naming[n("naming")]}</Badge>}
    </p>
    {!isCounted(report) && <div class="spark-frame"><Spark report={report} site={row} height={64} /></div>}
    <dl class="figures pair">
      <Figure label="At the peak" value={isCounted(report) ? "–" : figure("bytes_at_peak")} note={isCounted(report) ? notOfCounters : `${percent(peak ? n("bytes_at_peak") / peak : 0)} of all, ${plural(n("blocks_at_peak"), "block")}`} />
      <Figure label="Not freed" value={figure("live_bytes")} note={blocks("live_blocks")} title={`${grouped(n("live_bytes"))} bytes`} />
      <Figure label="Own peak" value={isCounted(report) ? "–" : figure("peak_bytes")} note={isCounted(report) ? notOfCounters : plural(n("peak_blocks"), "block")} />
      <Figure label="Allocated" value={figure("allocated_bytes")} note={blocks("allocations")} title={`${grouped(n("allocated_bytes"))} bytes`} />
    </dl>
    <dl class="pairs">
      <div><dt>Place</dt><dd class="mono wrap">{place < 0 ? "unknown" : report.places.text("text", place)}</dd></div>
      {type > 0 && <div><dt>Type</dt><dd class="mono wrap"><a href={linkTo({ view: "types", params: { sel: `t${type}`, tab: undefined, q: undefined } })}>{report.typeName(type)}</a></dd></div>}
      {n("element_bytes") > 0 && <div><dt>Element</dt><dd class="tab-num">{grouped(n("element_bytes"))} B</dd></div>}
      <div><dt>Block sizes</dt><dd class="tab-num">{ofEvents(report, n("smallest_bytes") === n("largest_bytes") ? bytes(n("largest_bytes")) : `${bytes(n("smallest_bytes"))} to ${bytes(n("largest_bytes"))}`)}</dd></div>
      <div><dt>Allocated by</dt><dd class="mono wrap">{functions({ report, row })}</dd></div>
      <div><dt>First, last</dt><dd class="tab-num">{ofEvents(report, `${time(n("first_ns"))}, ${time(n("last_ns"))}`)}</dd></div>
      {module > 0 && <div><dt>Module</dt><dd class="mono wrap">{report.moduleName(module)}</dd></div>}
    </dl>
  </>;
}

/** "malloc × 12, realloc × 3" */
export function functions({ report, row }: TabProps): string {
  const { table, first, end } = report.ofSite("functions", row);
  const out: string[] = [];
  for (let i = first; i < end; i++) out.push(`${table.text("name", i)} × ${count(table.num("count")[i]!)}`);
  return out.join(", ") || "unknown";
}
