// SPDX-License-Identifier: MIT
// How long its blocks lived, how many were temporary, how often they were resized,
// and which single blocks were never given back.
import type { JSX } from "preact";
import { isCounted, isSampled, notOfCounters, unknownText } from "../data/error";
import { bytes, count, percent, plural, time } from "../format";
import { Figure } from "../part/small";
import type { TabProps } from "./registry";

export interface Bin { from: number; to: number; blocks: number }

/** Powers of two from the model: what was shorter than the clock's step, then from the first to the last that has blocks. */
export function binsOf(report: TabProps["report"], site: number): Bin[] {
  const { table, first, end } = report.ofSite("lifetimes", site);
  if (first === end) return [];
  const bucket = table.num("bucket"), blocks = table.num("blocks");
  const out: Bin[] = [];
  let row = first;
  if (bucket[row] === 0) out.push({ from: 0, to: 1, blocks: blocks[row++]! });
  for (let b = row < end ? bucket[row]! : 0; row < end; b++) out.push({ from: 2 ** (b - 1), to: 2 ** b, blocks: bucket[row] === b ? blocks[row++]! : 0 });
  return out;
}

export function Lifecycle({ report, row }: TabProps): JSX.Element {
  const n = (column: string) => report.sites.num(column)[row]!;
  const bins = binsOf(report, row), died = n("lifetime_count");
  return <>
    <dl class="figures pair">
      <Figure label="Median life" value={died ? time(n("lifetime_median_ns")) : "–"} note={died ? `99 % under ${time(n("lifetime_p99_ns"))}` : isCounted(report) ? "counters cannot tell" : "none was freed"} />
      <Figure label="Shortest, longest" value={died ? time(n("lifetime_min_ns")) : "–"} note={died ? time(n("lifetime_max_ns")) : ""} />
      <Figure label="Temporary" value={unknownText(report) ? "–" : percent(n("allocations") ? n("temporary") / n("allocations") : 0)} note={isSampled(report) ? "samples cannot tell" : isCounted(report) ? "counters cannot tell" : plural(n("temporary"), "block")} title="Freed before their thread's next allocation" />
      <Figure label="Reallocations" value={count(n("reallocations"))} note={n("allocations") ? `${(n("reallocations") / n("allocations")).toFixed(2)} per block` : ""} />
    </dl>
    <h3>Lifetimes of {plural(isCounted(report) ? n("frees") : died, "freed block")}</h3>
    {bins.length ? <Histogram bins={bins} step={report.num("clock_step_ns")} /> : <p class="muted">{isCounted(report) ? `How long they lived is ${notOfCounters}.` : "No block of it was freed."}</p>}
    {bins.length > 0 && <p class="hint faint">The median and the 99 % figure are within 3.1 %, shortest and longest as recorded{report.text("mode") === "exact" ? "" : `; all to one clock step, ${time(report.num("clock_step_ns"))}`}.</p>}
    <LiveBlocks report={report} row={row} />
  </>;
}

function Histogram({ bins, step }: { bins: Bin[]; step: number }): JSX.Element {
  const most = Math.max(...bins.map((b) => b.blocks)), whole = bins.reduce((s, b) => s + b.blocks, 0);
  const label = (b: Bin) => (b.from ? `${time(b.from)} to ${time(b.to)}` : `under one clock step (${time(step)})`);
  const every = Math.max(1, Math.ceil(bins.length / 5));
  return (
    <figure class="histogram" aria-label={`Lifetimes: ${bins.filter((b) => b.blocks).map((b) => `${label(b)}: ${b.blocks}`).join("; ")}`} role="img">
      <div class="bins">
        {bins.map((b) => (
          <div key={b.to} class="bin" title={`${label(b)}: ${plural(b.blocks, "block")}, ${percent(b.blocks / whole)}`}>
            <span class="bin-fill" style={{ height: b.blocks ? `${Math.max(2, (b.blocks / most) * 100)}%` : "0" }} />
          </div>
        ))}
      </div>
      <div class="bin-axis faint tab-num">
        {bins.map((b, i) => <span key={b.to}>{i % every === 0 && i <= bins.length - Math.ceil(every / 2) ? <i>{b.from ? time(b.from) : step > 1 ? `< ${time(step)}` : "0"}</i> : null}</span>)}
      </div>
    </figure>
  );
}

const shown = 12;

function LiveBlocks({ report, row }: TabProps): JSX.Element | null {
  const { live } = report;
  const site = live.num("site");
  const rows: number[] = [];
  for (let i = 0; i < live.rows && rows.length < shown; i++) if (site[i] === row + 1) rows.push(i);
  const kept = report.sites.num("live_blocks")[row]!;
  if (!rows.length) return null;
  return <>
    <h3>Largest of {plural(kept, "block")} not freed</h3>
    <table class="plain-table">
      <thead><tr><th>Address</th><th class="num">Size</th><th class="num">Born</th><th>Thread</th><th class="num">Resized</th></tr></thead>
      <tbody>
        {rows.map((i) => (
          <tr key={i}>
            <td class="mono">0x{live.num("address")[i]!.toString(16)}</td>
            <td class="num">{bytes(live.num("size_bytes")[i]!)}</td>
            <td class="num">{time(live.num("born_ns")[i]!)}</td>
            <td class="clip">{report.threadName(live.num("thread")[i]!)}</td>
            <td class="num">{live.num("reallocations")[i] || "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </>;
}
