// SPDX-License-Identifier: MIT
// Variables as cards: name, place, life, what it held, and its curve. Cards are
// equally high and drawn only in sight, as the table's rows are.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Report } from "../data/report";
import { isCounted, ofEvents, siteError } from "../data/error";
import { categoryOf, stateOf } from "../data/site";
import { bytes, count, time } from "../format";
import { registerWalker } from "../state/keys";
import { Badge, Name } from "./small";
import { Spark } from "./spark";
import { useVirtual } from "./virtual";

const cardHeight = 176, gap = 12, cardMin = 300;

interface CardsProps { report: Report; rows: Uint32Array; selected: number | undefined; onSelect: (row: number) => void; empty: ComponentChildren }

export function SiteCards({ report, rows, selected, onSelect, empty }: CardsProps): JSX.Element {
  const [width, setWidth] = useState(900);
  const across = Math.max(1, Math.floor((width - gap) / (cardMin + gap)));
  const sight = useVirtual(Math.ceil(rows.length / across), cardHeight + gap, 0);
  useEffect(() => { if (sight.width) setWidth(sight.width); }, [sight.width]);
  const place = useMemo(() => (selected === undefined ? -1 : rows.indexOf(selected)), [rows, selected]);
  const [cursor, setCursor] = useState(-1);
  const measured = sight.height > 0;
  useEffect(() => { if (place >= 0 && measured) { setCursor(place); sight.reveal(Math.floor(place / across)); } }, [place, across, measured]);
  const state = useRef({ cursor, rows, across, reveal: sight.reveal, selected, onSelect });
  state.current = { cursor, rows, across, reveal: sight.reveal, selected, onSelect };
  useEffect(() => registerWalker({
    move(delta) {
      const { cursor, rows, across, reveal, selected, onSelect } = state.current;
      if (!rows.length) return;
      const next = Math.max(0, Math.min(rows.length - 1, cursor < 0 && delta > 0 ? 0 : cursor + delta));
      setCursor(next);
      reveal(Math.floor(next / across));
      if (selected !== undefined) onSelect(rows[next]!);
    },
    open() {
      const { cursor, rows, onSelect } = state.current;
      if (cursor >= 0 && cursor < rows.length) onSelect(rows[cursor]!);
    },
  }), []);

  const cards: JSX.Element[] = [];
  const last = Math.min(rows.length, sight.end * across);
  for (let i = sight.first * across; i < last; i++) {
    const row = rows[i]!, line = Math.floor(i / across), column = i % across;
    cards.push(
      <button key={i} class={`site-card${i === cursor ? " cursor" : ""}`} aria-pressed={row === selected} onClick={() => { setCursor(i); onSelect(row); }}
        style={{ top: `${line * (cardHeight + gap) + sight.shift}px`, height: `${cardHeight}px`, left: `calc(${column} * (100% + ${gap}px) / ${across})`, width: `calc((100% + ${gap}px) / ${across} - ${gap}px)` }}>
        <SiteCard report={report} row={row} />
      </button>,
    );
  }
  return (
    <div class="cards" ref={sight.scroller} tabIndex={0} role="group" aria-label="Variables as cards">
      {rows.length ? <div class="cards-body" style={{ height: `${sight.spacer}px` }}>{cards}</div> : <div class="empty">{empty}</div>}
    </div>
  );
}

function SiteCard({ report, row }: { report: Report; row: number }): JSX.Element {
  const { sites } = report;
  const n = (column: string) => sites.num(column)[row]!;
  const state = stateOf(report, row), threads = n("thread_count");
  return <>
    <span class="card-line"><span class="clip"><Name holder={report.holder(row)} type="" /></span><Badge tone={state.tone} title={state.why}>{state.text}</Badge></span>
    <span class="card-line card-type"><span class="clip mono muted">{report.siteType(row) || "type unknown"}</span><span class="faint nobreak">{categoryOf(report, row)}</span></span>
    <span class="card-place clip mono faint">{report.placeShort(report.sitePlace(row))}</span>
    {!isCounted(report) && <Spark report={report} site={row} height={34} />}
    <span class="card-figures">
      <span><i>at peak</i><b class="clip tab-num">{ofEvents(report, bytes(n("bytes_at_peak")))}{siteError(report, row, "bytes_at_peak", bytes)}</b></span>
      <span><i>blocks</i><b class="clip tab-num">{count(n("allocations"))}{siteError(report, row, "allocations", count)}</b></span>
      <span><i>median life</i><b class="clip tab-num">{n("lifetime_count") ? time(n("lifetime_median_ns")) : "–"}</b></span>
      <span><i>{threads > 1 ? "threads" : "thread"}</i><b class="clip">{threads > 1 ? count(threads) : firstThread(report, row)}</b></span>
    </span>
  </>;
}

function firstThread(report: Report, row: number): string {
  const { table, first, end } = report.ofSite("alloc_threads", row);
  const id = first < end ? table.num("id")[first]! : 0;
  return id ? report.threads.text("name", id - 1) || String(report.threads.num("stream_id")[id - 1]) : "–";
}
