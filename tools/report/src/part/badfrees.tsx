// SPDX-License-Identifier: MIT
// Frees of what was no live block: where, of which block, and who had freed it before.
import type { JSX } from "preact";
import type { Report } from "../data/report";
import { bytes, count, plural, time } from "../format";
import { linkTo } from "../state/route";
import { Badge, Card, Name } from "./small";

const shown = 50;

export function BadFrees({ report }: { report: Report }): JSX.Element | null {
  const table = report.table("bad_frees");
  if (!table.rows) return null;
  return (
    <Card title="Bad frees">
      <ul class="notes bad-frees">
        {Array.from({ length: Math.min(table.rows, shown) }, (_, row) => <BadFree key={row} report={report} row={row} />)}
      </ul>
      {table.rows > shown && <p class="hint faint">and {count(table.rows - shown)} more: memscope summary --json has all</p>}
    </Card>
  );
}

function BadFree({ report, row }: { report: Report; row: number }): JSX.Element {
  const n = (column: string) => report.table("bad_frees").num(column)[row]!;
  const double = n("kind") === 0, place = n("place") - 1, freed = n("freed_place") - 1, site = n("site") - 1;
  const text = (at: number) => <span class="mono" title={at < 0 ? "" : report.places.text("text", at)}>{report.placeShort(at)}</span>;
  return (
    <li>
      <Badge tone="bad">{double ? "double" : "unknown"}</Badge>
      <div>
        <p>{n("resized") ? "reallocated" : "freed"} at {place < 0 ? <>a place that is not known{report.num("end_how") === 4 ? ", most likely where the program ended" : ""}</> : text(place)}
          <span class="faint"> {plural(n("count"), "time")}, first at {time(n("ns"))} by {report.threadName(n("thread"))}</span></p>
        {double && site >= 0
          ? <p class="muted"><a href={linkTo({ view: "variables", params: { sel: String(site + 1) } })}><Name holder={report.holder(site)} type={report.siteType(site)} /></a>, {bytes(n("size_bytes"))}, obtained at {text(report.sitePlace(site))}, freed first at {freed < 0 ? "an unknown place" : text(freed)}</p>
          : <p class="muted">of 0x{n("address").toString(16)}, where this recording had no block: invalid, or obtained unseen</p>}
      </div>
    </li>
  );
}
