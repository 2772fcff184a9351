// SPDX-License-Identifier: MIT
// The list of variables, as a table or as cards, that Variables and Not freed share.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { filterSites } from "../data/filter";
import { naming, provenance, type Report } from "../data/report";
import { isCounted, isSampled, siteError, unknownText } from "../data/error";
import { filterOf, stateOf } from "../data/site";
import { largest, type NumberColumn } from "../data/table";
import { bytes, count, percent, plural, time } from "../format";
import { go, type Route } from "../state/route";
import { parseSelection } from "../inspect/registry";
import { SiteCards } from "./cards";
import { Filters } from "./filters";
import { rangeColumns } from "./range";
import { Icon } from "./icons";
import { Badge, countOrDash, Estimate, estimateWidth, Meter, Name, Place } from "./small";
import { formatSort, parseSort, useSorted, VirtualTable, type Column, type Sort } from "./table";

export interface SiteListProps {
  report: Report;
  route: Route;
  label: string;
  firstSort: Sort;
  /** Filters the view itself sets. */
  preset?: Record<string, string>;
  /** Columns in order of importance; the first is always there. */
  order?: string[];
  summary: (rows: Uint32Array) => string;
  empty: JSX.Element | string;
}

function figure(report: Report, id: string, title: string, column: string, help: string, rank: number, width = 96): Column {
  const values = report.sites.num(column);
  const most = report.once(`most.${column}`, () => largest(values));
  const asBytes = column.includes("bytes");
  return {
    id, title, help, rank, width: isSampled(report) && !column.includes("peak") ? estimateWidth : width, right: true,
    keys: () => values,
    cell: (i) => <Estimate error={siteError(report, i, column, asBytes ? bytes : count)}>
      {asBytes ? (values[i] ? <Meter value={values[i]!} most={most} text={bytes(values[i]!)} /> : <span class="faint">–</span>) : countOrDash(values[i]!)}
    </Estimate>,
  };
}

export function siteColumns(report: Report, range: [number, number] | undefined): Column[] {
  const { sites } = report;
  const allocations = sites.num("allocations"), temporary = sites.num("temporary");
  const median = sites.num("lifetime_median_ns"), died = sites.num("lifetime_count");
  const threads = sites.num("thread_count");
  return [
    { id: "holder", title: "Variable", rank: 0, width: 200, grow: 3, ascending: true, keys: () => sites.keys("holder"),
      cell: (i) => <Name holder={report.holder(i)} type={report.siteType(i)} /> },
    { id: "place", title: "Place", rank: 2, width: 150, grow: 2, ascending: true, keys: () => report.byPlace("text", true),
      cell: (i) => <span class="muted"><Place text={report.placeShort(report.sitePlace(i))} title={report.sitePlace(i) < 0 ? "" : report.places.text("text", report.sitePlace(i))} /></span> },
    { id: "function", title: "Function", rank: 7, width: 130, grow: 1, ascending: true, keys: () => report.byPlace("function", true),
      cell: (i) => { const name = report.sitePlace(i) < 0 ? "" : report.places.text("function", report.sitePlace(i)); return <span class="mono muted" title={name}>{name}</span>; } },
    ...rangeColumns(report, range, "", sites.rows),
    figure(report, "peak", "At peak", "bytes_at_peak", "Bytes it held when the whole program held most; these add up to the peak", 1, 104),
    figure(report, "own", "Own peak", "peak_bytes", "The most it ever held, at any time", 5, 104),
    figure(report, "live", "Not freed", "live_bytes", `Bytes alive ${report.endWhen}`, 3, 104),
    figure(report, "total", "Allocated", "allocated_bytes", "All bytes ever asked for, freed or not", 6, 104),
    figure(report, "count", "Allocs", "allocations", "How many blocks were allocated", 3, 84),
    { id: "temporary", title: "Temp", help: `Share freed before the thread's next allocation${unknownText(report) && `: ${unknownText(report)}`}`, rank: 8, width: 70, right: true,
      keys: () => report.once("temporary.share", () => Float64Array.from(allocations, (n, i) => (n ? temporary[i]! / n : 0))),
      cell: (i) => (temporary[i] ? percent(temporary[i]! / allocations[i]!) : <span class="faint">–</span>) },
    { id: "life", title: "Median life", help: "Half of its freed blocks lived shorter than this", rank: 7, width: 92, right: true, keys: () => median,
      cell: (i) => (died[i] ? time(median[i]!) : <span class="faint">–</span>) },
    { id: "threads", title: "Threads", help: "Threads that allocated it", rank: 9, width: 74, right: true, keys: () => threads, cell: (i) => count(threads[i]!) },
    { id: "state", title: "Life", rank: 6, width: 104,
      cell: (i) => { const s = stateOf(report, i); return <Badge tone={s.tone} title={s.why}>{s.text}</Badge>; } },
    { id: "name", title: "Name", help: "How the name was found: exact, derived, inferred; or wrapper only, unnamed", rank: 8, width: 86, keys: () => sites.num("naming"), ascending: true,
      cell: (i) => {
        const level = sites.num("naming")[i]!;
        return level ? <span class={level === 1 ? "warn" : "bad"}>{naming[level]}</span> : <span class="faint">{provenance[sites.num("provenance")[i]!]}</span>;
      } },
  ];
}

/** On a phone a row shows the figure it is sorted by. */
function compactRow(report: Report, i: number, column: Column | undefined): JSX.Element {
  const state = stateOf(report, i);
  return <>
    <span class="line"><span class="clip"><Name holder={report.holder(i)} type={report.siteType(i)} /></span><b class="num">{column?.right ? column.cell(i) : bytes(report.sites.num(isCounted(report) ? "allocated_bytes" : "bytes_at_peak")[i]!)}</b></span>
    <span class="line"><span class="clip faint"><Place text={report.placeShort(report.sitePlace(i))} /></span><span class={`small ${state.tone}`}>{state.text}</span></span>
  </>;
}

export function SiteList(props: SiteListProps): JSX.Element {
  const { report, route, preset } = props;
  const params = preset ? { ...route.params, ...preset } : route.params;
  const filter = useMemo(() => filterOf(report, params), [report, JSON.stringify(params)]);
  const columns = useMemo(() => {
    const all = siteColumns(report, filter.range);
    const { order } = props;
    if (!order) return all;
    const wanted = order.flatMap((id) => all.filter((c) => c.id === id));
    return [...wanted, ...all.filter((c) => !order.includes(c.id))].map((c) => ({ ...c, rank: order.includes(c.id) ? order.indexOf(c.id) : c.rank + order.length }));
  }, [report, filter.range?.join("-")]);
  const rows = useMemo(() => filterSites(report, filter), [report, filter]);
  const sort = parseSort(params["sort"], filter.range ? { id: "growth", descending: true } : props.firstSort);
  const sorted = useSorted(rows, columns, sort);
  const selection = parseSelection(report, params["sel"]);
  const selected = selection?.kind === "site" ? selection.row : undefined;
  const select = (row: number) => go({ params: { sel: String(row + 1) } }, selected === undefined ? "push" : "replace");
  const cards = params["as"] === "cards", sorter = columns.find((c) => c.id === sort.id);
  return (
    <div class="list-view">
      <div class="toolbar">
        <Filters report={report} params={params} without={Object.keys(preset ?? {})} />
        <div class="toolbar-end">
          <div class="segments icons" role="group" aria-label="Show as">
            <button class={cards ? "" : "on"} aria-pressed={!cards} title="Table" aria-label="Table" onClick={() => go({ params: { as: undefined } })}><Icon name="table" /></button>
            <button class={cards ? "on" : ""} aria-pressed={cards} title="Cards" aria-label="Cards" onClick={() => go({ params: { as: "cards" } })}><Icon name="cards" /></button>
          </div>
        </div>
      </div>
      <p class="list-summary tab-num faint" role="status">
        {rows.length === report.sites.rows ? plural(rows.length, "variable") : `${count(rows.length)} of ${plural(report.sites.rows, "variable")}`}
        {rows.length > 0 && <> · {props.summary(rows)}</>}
      </p>
      {cards
        ? <SiteCards report={report} rows={sorted} selected={selected} onSelect={select} empty={props.empty} />
        : <VirtualTable label={props.label} columns={columns} rows={sorted} sort={sort} onSort={(s) => go({ params: { sort: formatSort(s) } }, "replace")}
            compact={(i) => compactRow(report, i, sorter)} selected={selected} onSelect={select} empty={props.empty} />}
    </div>
  );
}

export function sumOf(values: NumberColumn, rows: Uint32Array): number {
  let total = 0;
  for (const row of rows) total += values[row]!;
  return total;
}
