// SPDX-License-Identifier: MIT
// The program, its libraries and what it loaded later: who allocates, who is instrumented.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { bytes, count, time } from "../format";
import { isSampled, rowError } from "../data/error";
import { Badge, bytesOrDash, countOrDash, Estimate, estimateWidth } from "../part/small";
import { rangeColumns, rangeOf } from "../part/range";
import { useLocalSort, VirtualTable, type Column } from "../part/table";
import { go } from "../state/route";
import type { ViewProps } from "./registry";

const estimates = ["allocations", "allocated_bytes", "live_bytes"]; // of a sampled run

export function Modules({ report, route }: ViewProps): JSX.Element {
  const { modules } = report;
  const n = (name: string) => modules.num(name);
  const range = rangeOf(report, route.params);
  const columns = useMemo<Column[]>(() => {
    const off = (i: number, column: string, text: (v: number) => string) => (estimates.includes(column) ? rowError(report, "module", i, column, text) : "");
    const figure = (id: string, title: string, column: string, rank: number, text: (v: number) => string, help = ""): Column =>
      ({ id, title, help, rank, width: isSampled(report) ? estimateWidth : 100, right: true, keys: () => n(column),
        cell: (i) => <Estimate error={off(i, column, text)}>{n(column)[i] ? text(n(column)[i]!) : <span class="faint">–</span>}</Estimate> });
    return [
      { id: "name", title: "Module", rank: 0, width: 170, grow: 2, ascending: true, keys: () => modules.keys("name"), cell: (i) => <span class="mono" title={modules.text("path", i)}>{modules.text("name", i)}</span> },
      { id: "sites", title: "Instrumented", help: "Places in its source that hold memory", rank: 2, width: 120, keys: () => n("site_count"), cell: (i) => instrumented(n("instrumented")[i]!, n("site_count")[i]!) },
      { id: "status", title: "Status", rank: 4, width: 120, keys: () => n("unloaded_ns"), cell: (i) => (n("status")[i] ? <Badge tone="warn">unloaded {time(n("unloaded_ns")[i]!)}</Badge> : <span class="muted">running</span>) },
      { id: "loaded", title: "Loaded at", rank: 6, width: 92, right: true, keys: () => n("loaded_ns"), cell: (i) => time(n("loaded_ns")[i]!) },
      ...rangeColumns(report, range, "module", modules.rows),
      figure("count", "Allocs", "allocations", 2, count, "Blocks that variables of this module hold or held"),
      figure("total", "Allocated", "allocated_bytes", 4, bytes),
      figure("peak", "At peak", "bytes_at_peak", 1, bytes, "Its part when the whole program held most"),
      figure("live", "Not freed", "live_bytes", 3, bytes),
      { id: "build", title: "Build id", rank: 8, width: 120, cell: (i) => <span class="mono faint" title={modules.text("build_id", i)}>{modules.text("build_id", i).slice(0, 12)}</span> },
    ];
  }, [report, range?.join("-")]);
  const { rows, sort, setSort } = useLocalSort(modules.rows, columns, { id: "total", descending: true });
  return (
    <div class="list-view">
      <p class="list-summary faint">Choose a module to see its variables. Code of a module without instrumentation is known by its return addresses only.</p>
      <VirtualTable label="Modules" columns={columns} rows={rows} sort={sort} onSort={setSort} onSelect={(row) => go({ view: "variables", params: { module: String(row + 1) } })}
        compact={(i) => <>
          <span class="line"><span class="clip mono">{modules.text("name", i)}</span><b class="num">{bytesOrDash(n("allocated_bytes")[i]!)}</b></span>
          <span class="line faint"><span class="clip">{instrumented(n("instrumented")[i]!, n("site_count")[i]!)}{n("status")[i] ? ", unloaded" : ""}</span><span class="num">{countOrDash(n("allocations")[i]!)} allocs</span></span>
        </>} />
    </div>
  );
}

function instrumented(yes: number, sites: number): JSX.Element {
  return yes ? <span class="good">{count(sites)} places</span> : <span class="faint">no</span>;
}
