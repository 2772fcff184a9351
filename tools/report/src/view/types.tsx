// SPDX-License-Identifier: MIT
// Every element type that memory was allocated for, and what its layout wastes.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { isCounted, isSampled, rowError } from "../data/error";
import { filterTable } from "../data/filter";
import { usedTypes } from "../data/site";
import { largest } from "../data/table";
import { typeKinds } from "../data/report";
import { bytes, count, grouped, plural } from "../format";
import { parseSelection } from "../inspect/registry";
import { rangeColumns, rangeOf } from "../part/range";
import { bytesOrDash, Estimate, estimateWidth, Meter } from "../part/small";
import { formatSort, parseSort, useSorted, VirtualTable, type Column } from "../part/table";
import { go } from "../state/route";
import type { ViewProps } from "./registry";

/** Bytes of padding in all elements alive at the peak. */
export function paddingAtPeak(size: number, padding: number, bytesAtPeak: number): number {
  return size > 0 ? Math.floor(bytesAtPeak / size) * padding : 0;
}

export function Types({ report, route }: ViewProps): JSX.Element {
  const { types } = report;
  const n = (name: string) => types.num(name);
  const range = rangeOf(report, route.params);
  const wasted = report.once("types.wasted", () => Float64Array.from({ length: types.rows }, (_, i) => paddingAtPeak(n("size_bytes")[i]!, n("padding_bytes")[i]!, n("bytes_at_peak")[i]!)));
  const columns = useMemo<Column[]>(() => {
    const sampled = (column: string) => isSampled(report) && /^(live|allocat)/.test(column);
    const off = (i: number, column: string, text: (v: number) => string) => (sampled(column) ? rowError(report, "type", i, column, text) : "");
    const meter = (id: string, title: string, column: string, rank: number, help: string): Column => {
      const values = n(column), most = largest(values);
      return { id, title, help, rank, width: sampled(column) ? estimateWidth : 104, right: true, keys: () => values,
        cell: (i) => <Estimate error={off(i, column, bytes)}>{values[i] ? <Meter value={values[i]!} most={most} text={bytes(values[i]!)} /> : <span class="faint">–</span>}</Estimate> };
    };
    const plain = (id: string, title: string, column: string, rank: number, width: number, text: (v: number) => string, help = ""): Column =>
      ({ id, title, help, rank, width: sampled(column) ? estimateWidth : width, right: true, keys: () => n(column),
        cell: (i) => <Estimate error={off(i, column, text)}>{n(column)[i] ? text(n(column)[i]!) : <span class="faint">–</span>}</Estimate> });
    return [
      { id: "name", title: "Type", rank: 0, width: 180, grow: 3, ascending: true, keys: () => types.keys("name"), cell: (i) => <span class="mono" title={types.text("name", i)}>{types.text("name", i)}</span> },
      { id: "kind", title: "Kind", rank: 7, width: 76, cell: (i) => <span class="muted">{typeKinds[n("kind")[i]!]}</span>, keys: () => n("kind"), ascending: true },
      plain("size", "Size", "size_bytes", 2, 78, (v) => `${grouped(v)} B`, "sizeof"),
      plain("padding", "Padding", "padding_bytes", 3, 80, (v) => `${grouped(v)} B`, "Unused bytes in each: holes and tail"),
      { id: "wasted", title: "Padding at peak", help: "Padding in all of them together, when the program held most", rank: 4, width: 124, right: true, keys: () => wasted, cell: (i) => bytesOrDash(wasted[i]!) },
      ...rangeColumns(report, range, "type", types.rows),
      meter("peak", "At peak", "bytes_at_peak", 1, "Bytes of this type when the whole program held most"),
      meter("live", "Not freed", "live_bytes", 5, `Bytes alive ${report.endWhen}`),
      plain("total", "Allocated", "allocated_bytes", 6, 96, bytes, "All bytes ever asked for"),
      plain("count", "Allocs", "allocations", 4, 84, count),
      plain("sites", "Variables", "site_count", 8, 84, count, "Variables of this type"),
    ];
  }, [report, range?.join("-")]);
  const q = route.params["q"] ?? "", used = usedTypes(report);
  const rows = useMemo(() => (q.trim() ? filterTable(types, ["name"], q) : used), [report, q]);
  const sort = parseSort(route.params["sort"], { id: range ? "growth" : isCounted(report) ? "total" : "peak", descending: true });
  const sorted = useSorted(rows, columns, sort);
  const selection = parseSelection(report, route.params["sel"]);
  return (
    <div class="list-view">
      <p class="list-summary tab-num faint" role="status">{q ? `${plural(rows.length, "type")} found, also those that are only part of others` : plural(rows.length, "type")} · choose one to see its layout byte by byte</p>
      <VirtualTable label="Types" columns={columns} rows={sorted} sort={sort} onSort={(s) => go({ params: { sort: formatSort(s) } }, "replace")}
        selected={selection?.kind === "type" ? selection.row : undefined} onSelect={(row) => go({ params: { sel: `t${row + 1}`, tab: undefined } }, selection ? "replace" : "push")}
        compact={(i) => <>
          <span class="line"><span class="clip mono">{types.text("name", i)}</span><b class="num">{bytes(n(isCounted(report) ? "allocated_bytes" : "bytes_at_peak")[i]!)}</b></span>
          <span class="line faint"><span class="clip">{typeKinds[n("kind")[i]!]}, {grouped(n("size_bytes")[i]!)} B{n("padding_bytes")[i] ? `, ${n("padding_bytes")[i]} B padding` : ""}</span><span class="num">{plural(n("allocations")[i]!, "allocation")}</span></span>
        </>}
        empty="No type fits the search." />
    </div>
  );
}
