// SPDX-License-Identifier: MIT
// The row of filters above a list of variables. A filter that is on is a chip
// that can be taken off; one that is off is a menu of what there is, with the
// largest share first.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { isCounted } from "../data/error";
import { naming, provenance, type Report } from "../data/report";
import { filterNames } from "../data/site";
import { bytes, fileName } from "../format";
import { go } from "../state/route";
import { Icon } from "./icons";
import { RangeChip } from "./range";

interface Option { value: string; text: string; weight: number }
interface FilterRow { id: string; title: string; options: (report: Report) => Option[]; text: (report: Report, value: string) => string }

const longest = 200; // entries in a menu; the search reaches the rest

/** Bytes at peak (or, with none, or of counters, allocations) of all variables with each value. */
function weighed(report: Report, values: ArrayLike<number>): Map<number, number> {
  const peak = report.sites.num(isCounted(report) ? "allocated_bytes" : "bytes_at_peak"), total = report.sites.num("allocated_bytes");
  const out = new Map<number, number>();
  for (let i = 0; i < values.length; i++) out.set(values[i]!, (out.get(values[i]!) ?? 0) + peak[i]! + total[i]! * 1e-6);
  return out;
}

function menu(report: Report, values: ArrayLike<number>, text: (id: number) => string): Option[] {
  return [...weighed(report, values)].filter(([id]) => id > 0)
    .map(([id, weight]) => ({ value: String(id), text: text(id), weight }))
    .sort((a, b) => b.weight - a.weight).slice(0, longest);
}

function fixed(names: readonly string[], values: ArrayLike<number>): Option[] {
  const there = new Set(Array.from(values));
  return names.map((text, i) => ({ value: String(i), text, weight: 0 })).filter((o) => there.has(Number(o.value)));
}

const states: Option[] = [
  { value: "kept", text: "not freed", weight: 0 },
  { value: "freed", text: "all freed", weight: 0 },
  { value: "temporary", text: "temporary", weight: 0 },
];

const rows: FilterRow[] = [
  { id: "type", title: "Type", options: (r) => menu(r, r.sites.num("type"), (id) => r.typeName(id)), text: (r, v) => r.typeName(Number(v)) },
  { id: "file", title: "File", options: fileOptions, text: (_, v) => fileName(v) },
  { id: "module", title: "Module", options: (r) => menu(r, r.sites.num("module"), (id) => r.moduleName(id)), text: (r, v) => r.moduleName(Number(v)) },
  { id: "thread", title: "Thread", options: threadOptions, text: (r, v) => r.threadName(Number(v)) },
  { id: "state", title: "Life", options: () => states, text: (_, v) => states.find((s) => s.value === v)?.text ?? v },
  { id: "naming", title: "Name", options: (r) => fixed(naming, r.sites.num("naming")), text: (_, v) => naming[Number(v)] ?? v },
  { id: "provenance", title: "Provenance", options: (r) => fixed(provenance, r.sites.num("provenance")), text: (_, v) => provenance[Number(v)] ?? v },
];

function fileOptions(report: Report): Option[] {
  const files = report.byPlace("file", false);
  return menu(report, files, (id) => report.sites.heap.text(id)).map((o) => ({ ...o, value: o.text, text: fileName(o.text) })).filter((o) => o.value);
}

function threadOptions(report: Report): Option[] {
  const count = report.threads.num("allocations");
  return Array.from({ length: report.threads.rows }, (_, i) => ({ value: String(i + 1), text: report.threadName(i + 1), weight: count[i]! }))
    .sort((a, b) => b.weight - a.weight).slice(0, longest);
}

export function Filters({ report, params, without = [] }: { report: Report; params: Record<string, string>; without?: string[] }): JSX.Element {
  const menus = useMemo(() => rows.map((row) => ({ row, options: row.options(report) })), [report]);
  const any = filterNames.some((n) => params[n] && !without.includes(n));
  return (
    <div class="filters" role="group" aria-label="Filters">
      {menus.filter(({ row, options }) => !without.includes(row.id) && (options.length > 1 || params[row.id])).map(({ row, options }) => {
        const value = params[row.id];
        if (value)
          return (
            <button key={row.id} class="chip on" onClick={() => go({ params: { [row.id]: undefined } })} title={`Take the filter off: ${row.title} ${row.text(report, value)}`}>
              <span class="faint">{row.title}</span><span class="clip">{row.text(report, value)}</span><Icon name="close" size={12} />
            </button>
          );
        return (
          <label key={row.id} class="chip menu">
            <span>{row.title}</span><Icon name="down" size={12} />
            <select aria-label={`Filter by ${row.title.toLowerCase()}`} value="" onChange={(e) => go({ params: { [row.id]: e.currentTarget.value } })}>
              <option value="" disabled>{row.title}</option>
              {options.map((o) => <option key={o.value} value={o.value}>{o.text}{o.weight >= 1 && row.id !== "thread" ? `  (${bytes(o.weight)})` : ""}</option>)}
            </select>
          </label>
        );
      })}
      <RangeChip report={report} params={params} />
      {any && <button class="text-button" onClick={() => go({ params: Object.fromEntries(filterNames.map((n) => [n, undefined])) })}>Clear</button>}
    </div>
  );
}
