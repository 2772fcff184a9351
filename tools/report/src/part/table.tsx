// SPDX-License-Identifier: MIT
// A table that draws only the rows in sight. It knows nothing of what it shows:
// columns say how a row's cell looks and what it sorts by. Columns that do not
// fit are left out, least important first; on a phone a row becomes two lines.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { allRows, sortRows } from "../data/sort";
import type { NumberColumn } from "../data/table";
import { registerWalker } from "../state/keys";
import { Icon } from "./icons";
import { useVirtual } from "./virtual";

export interface Column {
  id: string;
  title: string;
  help?: string;
  /** Pixels it needs; `grow` shares out what is left. */
  width: number;
  grow?: number;
  right?: boolean;
  /** 0 always stays; the highest goes first when room is short. */
  rank: number;
  cell: (row: number) => ComponentChildren;
  keys?: () => NumberColumn;
  /** Names read best from A, figures from the largest. */
  ascending?: boolean;
}

export interface Sort { id: string; descending: boolean }

export interface TableProps {
  label: string;
  columns: Column[];
  rows: Uint32Array;
  sort: Sort;
  onSort?: (sort: Sort) => void;
  /** A row as it looks on a narrow screen. */
  compact: (row: number) => ComponentChildren;
  selected?: number | undefined;
  onSelect?: (row: number) => void;
  /** Walking moves the selection along while something is selected. */
  empty?: ComponentChildren;
  /** Draws all rows at their full height, without a scroll area of its own. */
  inline?: boolean;
}

const narrow = 620;
export const rowHeight = 34;
const compactHeight = 58;

export function parseSort(text: string | undefined, fallback: Sort): Sort {
  const [id, way] = (text ?? "").split(".");
  return id ? { id, descending: way !== "up" } : fallback;
}
export const formatSort = (sort: Sort): string => `${sort.id}.${sort.descending ? "down" : "up"}`;

/** Rows in the order a column asks for. */
export function useSorted(rows: Uint32Array, columns: Column[], sort: Sort): Uint32Array {
  return useMemo(() => {
    const keys = columns.find((c) => c.id === sort.id)?.keys?.();
    return keys ? sortRows(rows, keys, sort.descending) : rows;
  }, [rows, columns, sort.id, sort.descending]);
}

export function fittingColumns(columns: Column[], width: number): Column[] {
  const room = width - 24;
  let shown = columns;
  while (shown.reduce((sum, c) => sum + c.width, 0) > room) {
    const last = shown.reduce((worst, c) => (c.rank >= worst.rank ? c : worst));
    if (last.rank === 0) break;
    shown = shown.filter((c) => c !== last);
  }
  return shown;
}

export function VirtualTable(props: TableProps): JSX.Element {
  const { columns, rows, sort, selected, onSelect } = props;
  const [width, setWidth] = useState(1000);
  const isNarrow = width < narrow, domId = props.label.replace(/ /g, "-");
  const height = isNarrow ? compactHeight : rowHeight;
  const head = isNarrow || !rows.length ? 0 : rowHeight + 1; // and its line
  const sight = useVirtual(rows.length, height, head);
  const { scroller, reveal } = sight;
  useEffect(() => { if (sight.width) setWidth(sight.width); }, [sight.width]);

  const shown = useMemo(() => fittingColumns(columns, width), [columns, width]);
  const template = shown.map((c) => (c.grow ? `minmax(${c.width}px,${c.grow}fr)` : `${c.width}px`)).join(" ");

  // The cursor is where the keys are; it follows the selection.
  const [cursor, setCursor] = useState(-1);
  const place = useMemo(() => (selected === undefined ? -1 : rows.indexOf(selected)), [rows, selected]);
  const measured = sight.height > 0;
  useEffect(() => { if (place >= 0 && measured) { setCursor(place); reveal(place); } }, [place, measured, isNarrow]);
  const state = useRef({ cursor, rows, reveal, onSelect, selected });
  state.current = { cursor, rows, reveal, onSelect, selected };
  useEffect(() => registerWalker({
    move(delta) {
      const { cursor, rows, reveal, onSelect, selected } = state.current;
      if (!rows.length) return;
      const next = Math.max(0, Math.min(rows.length - 1, cursor < 0 && delta > 0 ? 0 : cursor + delta));
      setCursor(next);
      reveal(next);
      if (selected !== undefined) onSelect?.(rows[next]!);
    },
    open() {
      const { cursor, rows, onSelect } = state.current;
      if (cursor >= 0 && cursor < rows.length) onSelect?.(rows[cursor]!);
    },
  }), []);

  const lines: JSX.Element[] = [];
  for (let i = sight.first; i < sight.end; i++) {
    const row = rows[i]!;
    lines.push(
      <div key={i} id={`${domId}-${i}`} role="row" aria-rowindex={i + 2} aria-selected={row === selected}
        class={`tr${i === cursor ? " cursor" : ""}${isNarrow ? " two" : ""}`}
        style={{ top: `${i * height + sight.shift}px`, height: `${height}px`, gridTemplateColumns: isNarrow ? "1fr" : template }}
        onClick={() => { setCursor(i); onSelect?.(row); }}>
        {isNarrow
          ? <div role="gridcell" class="td two-lines">{props.compact(row)}</div>
          : shown.map((c) => <div key={c.id} role="gridcell" class={`td${c.right ? " num" : " clip"}`}>{c.cell(row)}</div>)}
      </div>,
    );
  }
  return (
    <div class="table-frame">
      {isNarrow && rows.length > 1 && props.onSort && <NarrowSort columns={columns} sort={sort} onSort={props.onSort} />}
      <div class="table" ref={scroller} role="grid" aria-label={props.label} aria-rowcount={rows.length + 1}
        aria-colcount={shown.length} tabIndex={0}
        {...(cursor >= 0 ? { "aria-activedescendant": `${domId}-${cursor}` } : {})}>
        {head > 0 && <Head columns={shown} template={template} sort={sort} onSort={props.onSort} />}
        {rows.length
          ? <div class="tbody" role="rowgroup" style={{ height: `${sight.spacer}px` }}>{lines}</div>
          : <div class="empty" role="row"><div role="gridcell">{props.empty ?? "Nothing here."}</div></div>}
      </div>
    </div>
  );
}

interface HeadProps { columns: Column[]; template: string; sort: Sort; onSort?: ((sort: Sort) => void) | undefined }

function Head({ columns, template, sort, onSort }: HeadProps): JSX.Element {
  return (
    <div class="thead" role="rowgroup">
      <div role="row" aria-rowindex={1} class="tr" style={{ gridTemplateColumns: template, height: `${rowHeight}px` }}>
        {columns.map((c) => {
          const active = c.id === sort.id;
          const order = active ? (sort.descending ? "descending" : "ascending") : "none";
          return (
            <div key={c.id} role="columnheader" class={`th${c.right ? " num" : ""}`} title={c.help} {...(c.keys ? { "aria-sort": order } : {})}>
              {c.keys && onSort
                ? <button class={`sort clip${active ? " active" : ""}`} onClick={() => onSort(active ? { id: c.id, descending: !sort.descending } : { id: c.id, descending: !c.ascending })}>
                    {c.title}<span class={`way${active ? (sort.descending ? " down" : " up") : ""}`} aria-hidden="true" />
                  </button>
                : <span class="clip">{c.title}</span>}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function NarrowSort({ columns, sort, onSort }: { columns: Column[]; sort: Sort; onSort: (sort: Sort) => void }): JSX.Element {
  return (
    <div class="narrow-sort">
      <label class="faint">Sort by{" "}
        <select value={sort.id} onChange={(e) => {
          const chosen = columns.find((c) => c.id === e.currentTarget.value);
          if (chosen) onSort({ id: chosen.id, descending: !chosen.ascending });
        }}>
          {columns.filter((c) => c.keys).map((c) => <option key={c.id} value={c.id}>{c.title}</option>)}
        </select>
      </label>
      <button class="chip" onClick={() => onSort({ id: sort.id, descending: !sort.descending })}
        aria-label={sort.descending ? "Largest first; change to smallest first" : "Smallest first; change to largest first"}>
        <Icon name="down" /> {sort.descending ? "largest first" : "smallest first"}
      </button>
    </div>
  );
}

/** All rows of a small table in one column's order, kept in the view's own state. */
export function useLocalSort(count: number, columns: Column[], first: Sort): { rows: Uint32Array; sort: Sort; setSort: (s: Sort) => void } {
  const [sort, setSort] = useState(first);
  const all = useMemo(() => allRows(count), [count]);
  return { rows: useSorted(all, columns, sort), sort, setSort };
}
