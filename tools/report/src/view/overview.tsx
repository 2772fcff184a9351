// SPDX-License-Identifier: MIT
// The run at a glance: what it was, how much of it has a name, how memory moved,
// who held it, what stayed.
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { axisOf, axisPoints, curves, moments, parseRange, type Curve, type Group } from "../data/history";
import { allRows, sortRows } from "../data/sort";
import type { Report } from "../data/report";
import { sum } from "../data/table";
import { doubtText, isCounted, isSampled, notOfCounters, samplingText, siteError, totalError, unknownText } from "../data/error";
import { bytes, count, grouped, moment, percent, plural, time } from "../format";
import { BarRow, Card, Figure, Name, Segments } from "../part/small";
import { CoverageBar } from "../part/coverage";
import { usedTypes } from "../data/site";
import { RangeChip } from "../part/range";
import { Icon } from "../part/icons";
import { Timeline } from "../part/timeline";
import { go, linkTo } from "../state/route";
import type { ViewProps } from "./registry";

export function Overview({ report, route }: ViewProps): JSX.Element {
  return (
    <div class="page">
      <Header report={report} />
      <Sampled report={report} />
      <Counted report={report} />
      <Warnings report={report} />
      <Figures report={report} />
      <Card title="How much has a name" side={<a href={linkTo({ view: "coverage" })}>Coverage</a>}>
        <CoverageBar report={report} by="allocations" />
        <p class="hint faint">Named: goes to a variable, field, return or argument. Wrapper only: stayed in a function that just hands blocks on. Unnamed: from code compiled without the plugin.</p>
      </Card>
      <History report={report} params={route.params} />
      <RangeSummary report={report} params={route.params} />
      <div class="columns">
        {isCounted(report)
          ? <TopHolders report={report} title="Most bytes allocated" column="allocated_bytes" sort="total.down" />
          : <TopHolders report={report} title="Holders at the peak" column="bytes_at_peak" sort="peak.down" />}
        {report.num("live_blocks") > 0
          ? <TopHolders report={report} title="Not freed" column="live_bytes" sort="live.down" view="notfreed" />
          : <Card title="Not freed"><p class="muted pad">Every block was given back.</p></Card>}
        <TopHolders report={report} title="Most allocations" column="allocations" sort="count.down" />
      </div>
    </div>
  );
}

export function endText(report: Report): string {
  const status = report.num("end_status");
  switch (report.num("end_how")) {
    case 1: return status ? `exit status ${status}` : "exited normally";
    case 2: return `_exit, status ${status}`;
    case 3: return "became another program";
    case 4: return `signal ${status}`;
    case 5: return "recording was ended";
    default: return "no end recorded: killed, or still running";
  }
}

function Header({ report }: { report: Report }): JSX.Element {
  const command = report.argv.join(" ");
  return (
    <header class="page-head">
      <h1 class="clip">{report.text("name")}</h1>
      <p class="command mono muted clip" title={command}>{command}</p>
      <ul class="facts faint tab-num">
        <li>{moment(report.num("start_unix_ms"))}</li>
        <li>ran {time(report.num("duration_ns"))}</li>
        <li>{endText(report)}</li>
        {report.num("cut") > 0 && <li class="warn">the stream is cut: its last rows are missing</li>}
        <li>pid {report.num("pid")} on {report.text("host")}</li>
        <li>{report.text("mode")} mode</li>
        <li class={report.num("complete") ? "" : "warn"}>{report.num("complete") ? "complete" : "not complete"}</li>
      </ul>
    </header>
  );
}

/** In plain sight: what follows are estimates. */
function Sampled({ report }: { report: Report }): JSX.Element | null {
  if (!isSampled(report)) return null;
  return (
    <div class="warning" role="note" id="sampled">
      <Icon name="warn" />
      <div><p><b>Sampled, {samplingText(report)}: figures are estimates.</b> ± and (low…high) are 95 % intervals.</p>
        <p>{plural(report.table("sampling").num("sampled_allocations")[0]!, "allocation")} in the stream. Peaks have no interval{doubtText(report)}. What was temporary, or a bad free, is not known.</p></div>
    </div>
  );
}

/** In plain sight: why so many figures are dashes. */
function Counted({ report }: { report: Report }): JSX.Element | null {
  if (!isCounted(report)) return null;
  return (
    <div class="warning" role="note" id="counted">
      <Icon name="warn" />
      <div><p><b>Counters: what each variable allocated, freed and holds is exact.</b></p>
        <p>Peaks, lifetimes, what was temporary, and all else that takes an event for each allocation is not known.</p></div>
    </div>
  );
}

function Warnings({ report }: { report: Report }): JSX.Element | null {
  const { notes } = report;
  const lines: string[] = [];
  for (let i = 0; i < notes.rows; i++) if (notes.num("kind")[i]! > 0) lines.push(notes.text("text", i));
  const bad = report.num("bad_frees");
  if (!lines.length && !bad) return null;
  return (
    <div class="warning" role="note">
      <Icon name="warn" />
      <div>{bad > 0 && <p>{plural(bad, "free")} of an address that held no live block: <a href={linkTo({ view: "about" })}>where, and of which block</a>.</p>}
        {lines.slice(0, 3).map((line, i) => <p key={i}>{line}</p>)}
        {lines.length > 3 && <p><a href={linkTo({ view: "about" })}>{lines.length - 3} more</a></p>}</div>
    </div>
  );
}

function Figures({ report }: { report: Report }): JSX.Element {
  const n = (name: string) => report.num(name);
  const off = (name: string, text = bytes) => <small class="faint">{totalError(report, name, text)}</small>;
  const share = (part: string, whole: string) => percent(n(whole) ? n(part) / n(whole) : 0);
  return (
    <dl class="figures">
      {isCounted(report)
        ? <Figure label="Peak" value="–" note={notOfCounters} />
        : <Figure label="Peak" value={bytes(n("peak_bytes"))} note={`${plural(n("peak_blocks"), "block")}, at ${time(n("peak_time_ns"))}`} title={`${grouped(n("peak_bytes"))} bytes`} />}
      <Figure label="Not freed" value={<>{bytes(n("live_bytes"))}{off("live_bytes")}</>} note={<>{count(n("live_blocks"))}{off("live_blocks", count)} {n("live_blocks") === 1 ? "block" : "blocks"} {report.endWhen}</>} title={`${grouped(n("live_bytes"))} bytes`} />
      <Figure label="Allocated in all" value={<>{bytes(n("allocated_bytes"))}{off("allocated_bytes")}</>} note={`${count(n("events"))} events`} title={`${grouped(n("allocated_bytes"))} bytes`} />
      <Figure label="Allocations" value={<>{count(n("allocations"))}{off("allocations", count)}</>} note={<>{count(n("reallocations"))}{off("reallocations", count)} {n("reallocations") === 1 ? "reallocation" : "reallocations"}</>} title={grouped(n("allocations"))} />
      <Figure label="Frees" value={<>{count(n("frees"))}{off("frees", count)}</>} note={`${share("frees", "allocations")} of allocations`} title={grouped(n("frees"))} />
      {!unknownText(report) && <Figure label="Temporary" value={share("temporary", "allocations")} note={plural(n("temporary"), "block")} title="Freed before their thread's next allocation" />}
      <Figure label="Variables" value={count(report.sites.rows)} note={`of ${plural(usedTypes(report).length, "type")}`} />
      <Figure label={n("lost_events") ? "Lost events" : "Threads"} value={count(n("lost_events") || n("threads"))} tone={n("lost_events") ? "bad" : ""}
        note={n("lost_events") ? `${plural(n("threads"), "thread")}` : `${plural(report.modules.rows, "module")}`} />
    </dl>
  );
}

const groups: { id: Group; text: string }[] = [{ id: "types", text: "Types" }, { id: "holders", text: "Holders" }];
const axes = [{ id: "time", text: "Time" }, { id: "events", text: "Events" }];

function History({ report, params }: { report: Report; params: Record<string, string> }): JSX.Element | null {
  const group: Group = params["by"] === "holders" ? "holders" : "types";
  const axis = axisOf(report, params["along"]);
  const [hover, setHover] = useState<number>();
  const list = curves(report, group);
  const x = useMemo(() => axisPoints(report, axis), [report, axis]);
  const along = useMemo(() => moments(report, axis, x), [report, axis, x]);
  const most = report.once("most", () => {
    const values = new Float64Array(report.timeline.rows + 1);
    values.set(report.timeline.num("most_bytes"), 1);
    return values;
  });
  if (!report.timeline.rows) return null;
  const peak = report.num("peak_sample") + 1;
  const at = hover ?? peak;
  const peakText = axis === "time" ? time(report.num("peak_time_ns")) : `event ${count(x[peak]!)}`;
  const wide = innerWidth > 720;
  return (
    <Card title="Live bytes" class="history" side={<>
      <RangeChip report={report} params={params} />
      <Segments label="Stack by" choices={groups} value={group} onChange={(id) => go({ params: { by: id === "types" ? undefined : id } }, "replace")} />
      <Segments label="Along" choices={axes} value={axis} onChange={(id) => go({ params: { along: id } }, "replace")} />
    </>}>
      <div class="history-body">
        <Timeline curves={list} most={most} x={x} axis={axis} peak={peak} {...along} peakText={peakText} height={wide ? 300 : 208} onHover={setHover}
          range={parseRange(params["range"], report.timeline.rows)}
          onRange={(r) => go({ params: { range: r && `${r[0]}-${r[1]}` } })} />
        <Legend report={report} list={list} group={group} at={at} hovering={hover !== undefined}
          when={hover === undefined ? peakText : axis === "time" ? time(x[at]! * 1e9) : `event ${count(x[at]!)}`} />
      </div>
      <p class="hint faint">Drag across the chart to look at one stretch: every list then shows what lived or moved in it, and what grew.</p>
    </Card>
  );
}

interface LegendProps { report: Report; list: Curve[]; group: Group; at: number; hovering: boolean; when: string }

function Legend({ report, list, group, at, hovering, when }: LegendProps): JSX.Element {
  const value = (c: Curve) => (hovering ? c.live[at]! : c.atPeak);
  const total = !hovering ? report.num("peak_bytes") : at ? report.timeline.num("live_bytes")[at - 1]! : 0;
  const most = Math.max(1, ...list.map(value));
  return (
    <div class="legend">
      <p class="legend-head tab-num"><span class="faint">{hovering ? "At" : "At the peak,"} {when}</span><b>{bytes(total)}</b></p>
      <ul>
        {list.map((c) => (
          <li key={c.id}>
            <a class="legend-row" href={c.id ? linkTo({ view: "variables", params: group === "types" ? { type: String(c.id) } : { q: c.name } }) : linkTo({ view: "variables" })}>
              <span class="swatch" style={{ background: `var(--c${c.colour})` }} />
              <span class="clip mono">{c.detail ? <Name holder={c.name} type={c.detail} /> : c.name}</span>
              <span class="num">{bytes(value(c))}</span>
              <span class="legend-bar"><span style={{ width: `${(value(c) / most) * 100}%`, background: `var(--c${c.colour})` }} /></span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What happened within the chosen stretch. */
function RangeSummary({ report, params }: { report: Report; params: Record<string, string> }): JSX.Element | null {
  const range = parseRange(params["range"], report.timeline.rows);
  if (!range) return null;
  const [from, to] = range;
  const total = (name: string) => sum(report.timeline.num(name), from, to + 1);
  const live = report.timeline.num("live_bytes");
  const before = from ? live[from - 1]! : 0, growth = live[to]! - before;
  return (
    <Card title="In the chosen stretch" side={<a href={linkTo({ view: "variables", params: { sort: "growth.down" } })}>What grew</a>}>
      <dl class="figures tight">
        <Figure label="Growth" value={`${growth > 0 ? "+" : ""}${bytes(growth)}`} tone={growth > 0 ? "warn" : ""} note={`${bytes(before)} to ${bytes(live[to]!)}`} />
        <Figure label="Allocations" value={count(total("allocations"))} note={bytes(total("allocated_bytes"))} />
        <Figure label="Frees" value={count(total("frees"))} />
      </dl>
    </Card>
  );
}

function TopHolders(props: { report: Report; title: string; column: string; sort: string; view?: string }): JSX.Element {
  const { report, column } = props;
  const { sites } = report;
  const values = sites.num(column);
  const top = useMemo(() => sortRows(allRows(sites.rows), values, true).subarray(0, 8), [report, column]);
  const whole = sites.sum(column), most = top.length ? values[top[0]!]! : 0;
  return (
    <Card title={props.title} side={<a href={linkTo({ view: props.view ?? "variables", params: { sort: props.sort } })}>All</a>}>
      <ul class="bars">
        {[...top].filter((row) => values[row]! > 0).map((row) => (
          <li key={row}>
            <BarRow href={linkTo({ params: { sel: String(row + 1) } })} value={values[row]!} most={most} share={whole ? values[row]! / whole : 0}
              text={column === "allocations" ? count(values[row]!) + siteError(report, row, column, count) : bytes(values[row]!) + siteError(report, row, column, bytes)}
              name={<Name holder={report.holder(row)} type={report.siteType(row)} />} note={report.placeShort(report.sitePlace(row))} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
