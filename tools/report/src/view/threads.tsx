// SPDX-License-Identifier: MIT
// Who allocates, who frees, and who frees what another thread allocated.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { isCounted, isSampled, rowError, unknownText } from "../data/error";
import { bytes, count, percent, time } from "../format";
import { bytesOrDash, Estimate, estimateWidth } from "../part/small";
import { rangeOf } from "../part/range";
import { useLocalSort, VirtualTable, type Column } from "../part/table";
import { go } from "../state/route";
import type { ViewProps } from "./registry";

const estimates = ["allocations", "frees", "allocated_bytes"]; // of a sampled run

export function Threads({ report, route }: ViewProps): JSX.Element {
  const { threads } = report;
  const n = (name: string) => threads.num(name);
  const columns = useMemo<Column[]>(() => {
    const off = (i: number, column: string, text: (v: number) => string) => (estimates.includes(column) ? rowError(report, "thread", i, column, text) : "");
    const figure = (id: string, title: string, column: string, rank: number, text: (v: number) => string, help = ""): Column =>
      ({ id, title, help, rank, width: isSampled(report) ? estimateWidth : 104, right: true, keys: () => n(column),
        cell: (i) => <Estimate error={off(i, column, text)}>{n(column)[i] ? text(n(column)[i]!) : <span class="faint">–</span>}</Estimate> });
    return [
      { id: "name", title: "Thread", rank: 0, width: 150, grow: 2, ascending: true, keys: () => threads.keys("name"), cell: (i) => report.threadName(i + 1) },
      { id: "tid", title: "System id", rank: 6, width: 88, right: true, keys: () => n("system_id"), cell: (i) => String(n("system_id")[i] || "–") },
      { id: "life", title: "Lived", help: "From its first to its last event", rank: 7, width: 170, right: true, keys: () => n("start_ns"),
        cell: (i) => <span class="muted">{time(n("start_ns")[i]!)} – {time(n("end_ns")[i]!)}</span> },
      figure("count", "Allocs", "allocations", 1, count),
      figure("frees", "Frees", "frees", 2, count),
      figure("foreign", "Foreign frees", "foreign_frees", 2, count, "Blocks it freed that another thread had allocated"),
      figure("total", "Allocated", "allocated_bytes", 1, bytes),
      figure("live", "Not freed", "live_bytes", 3, bytes, "Of what it allocated"),
      { id: "temporary", title: "Temp", help: `Share freed before its next allocation${unknownText(report) && `: ${unknownText(report)}`}`, rank: 5, width: 76, right: true,
        cell: (i) => (unknownText(report) ? <span class="faint" title={unknownText(report)}>–</span> : n("allocations")[i] ? percent(n("temporary")[i]! / n("allocations")[i]!) : "–") },
    ];
  }, [report]);
  const { rows, sort, setSort } = useLocalSort(threads.rows, columns, { id: "total", descending: true });
  return (
    <div class="list-view">
      <p class="list-summary faint">Choose a thread to see the variables it allocated or freed.{rangeOf(report, route.params) ? " The figures here are of the whole run." : ""}</p>
      <VirtualTable label="Threads" columns={columns} rows={rows} sort={sort} onSort={setSort} onSelect={(row) => go({ view: "variables", params: { thread: String(row + 1) } })}
        compact={(i) => <>
          <span class="line"><span class="clip">{report.threadName(i + 1)}</span><b class="num">{bytesOrDash(n("allocated_bytes")[i]!)}</b></span>
          <span class="line faint"><span class="clip">{count(n("allocations")[i]!)} allocs, {count(n("frees")[i]!)} frees</span><span class="num">{isCounted(report) ? "" : `${count(n("foreign_frees")[i]!)} foreign`}</span></span>
        </>} />
    </div>
  );
}
