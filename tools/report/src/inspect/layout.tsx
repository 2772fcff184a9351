// SPDX-License-Identifier: MIT
// A type's bytes, one cell each, eight to a line; holes are hatched. Long stretches
// of one field are folded, so that a 16 KiB buffer takes one line.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { colourName } from "../colour";
import { typeKinds, type Report } from "../data/report";
import { cellsOf, fieldNote, layoutOf, spanOf, type Cell, type LayoutField } from "../data/site";
import { grouped, percent } from "../format";
import { linkTo } from "../state/route";

const across = 8, foldFrom = 4;

/** Is this the first piece drawn of its field (or of its hole)? Only that one carries the name. */
const opens = (piece: Cell, cells: Cell[]): boolean => cells.some((c) => c.from === piece.from);

export interface LayoutLine { offset: number; pieces: Cell[]; folded: number }

/** Cells cut into lines of eight bytes; four or more equal whole lines become one. */
export function linesOf(cells: Cell[], size: number): LayoutLine[] {
  const lines: LayoutLine[] = [];
  let at = 0, c = 0;
  while (at < size) {
    while (c < cells.length && cells[c]!.to <= at) c++;
    const cell = cells[c];
    if (!cell) break;
    const whole = Math.floor((Math.min(cell.to, size) - at) / across);
    if (whole >= foldFrom) {
      lines.push({ offset: at, pieces: [{ ...cell, from: at, to: at + whole * across }], folded: whole * across });
      at += whole * across;
      continue;
    }
    const end = Math.min(at + across, size);
    const pieces: Cell[] = [];
    for (let k = c; k < cells.length && cells[k]!.from < end; k++)
      pieces.push({ ...cells[k]!, from: Math.max(at, cells[k]!.from), to: Math.min(end, cells[k]!.to) });
    lines.push({ offset: at, pieces, folded: 0 });
    at = end;
  }
  return lines;
}

export function Layout({ report, typeId, named }: { report: Report; typeId: number; named?: boolean }): JSX.Element {
  const [over, setOver] = useState<number>();
  if (!typeId) return <p class="muted">The type of this memory is not known: its pointer was void, or its code was not instrumented.</p>;
  const row = typeId - 1, n = (column: string) => report.types.num(column)[row]!;
  const size = n("size_bytes"), padding = n("padding_bytes");
  const fields = layoutOf(report, typeId);
  const union = typeKinds[n("kind")] === "union";
  return <>
    <p class="layout-head tab-num">{named && <b class="mono wrap">{report.typeName(typeId)}</b>}<span class="faint">{size ? `${grouped(size)} bytes, aligned to ${n("align_bytes")}` : "size unknown"}</span></p>
    {fields.length > 0 && <p class={padding ? "warn tab-num" : "faint"}>{padding ? `${grouped(padding)} bytes of padding in each, ${percent(padding / size)}` : "No padding."}</p>}
    {fields.length > 0 && !union && size > 0 && <Bytes fields={fields} size={size} over={over} setOver={setOver} />}
    {union && size > 0 && <Members fields={fields} size={size} over={over} setOver={setOver} />}
    {fields.length > 0 && <FieldTable fields={fields} over={over} setOver={setOver} />}
    {fields.length === 0 && <p class="muted">It has no fields.</p>}
  </>;
}

interface Hover { over: number | undefined; setOver: (row: number | undefined) => void }

function colours(fields: LayoutField[]): Map<number, string> {
  return new Map([...fields].sort((a, b) => a.offset - b.offset).map((f, i) => [f.row, colourName(i % 8)]));
}

function Bytes({ fields, size, over, setOver }: Hover & { fields: LayoutField[]; size: number }): JSX.Element {
  const colour = colours(fields);
  const cells = cellsOf(fields, size), lines = linesOf(cells, size);
  return (
    <div class="layout" role="img" aria-label={`Layout of ${size} bytes: ${fields.map((f) => `${f.name || "anonymous"} at ${f.offset}`).join(", ")}`}>
      {lines.map((line) => (
        <div key={line.offset} class="layout-line">
          <span class="layout-offset num faint mono">{line.offset}</span>
          <div class="layout-bytes">
            {line.pieces.map((p) => (
              <span key={p.from} class={`layout-piece ${p.kind}${p.field && p.field.row === over ? " over" : ""}`}
                style={{ gridColumn: line.folded ? "1 / -1" : `${p.from - line.offset + 1} / ${p.to - line.offset + 1}`, ...(p.field ? { "--field": colour.get(p.field.row) } : {}) }}
                title={p.field ? `${p.field.name || "anonymous"}: ${p.field.type}, bytes ${p.field.offset} to ${p.field.offset + spanOf(p.field) - 1}` : `padding, bytes ${p.from} to ${p.to - 1}`}
                onMouseEnter={() => setOver(p.field?.row)} onMouseLeave={() => setOver(undefined)}>
                <span class="clip">{opens(p, cells) && (p.field ? (p.to - p.from > 1 ? p.field.name || "anonymous" : "") : p.to - p.from > 2 ? "padding" : "")}{line.folded ? ` · ${grouped(line.folded)} bytes` : ""}</span>
              </span>
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

/** A union's members share their bytes: one bar each, all from byte 0. */
function Members({ fields, size, over, setOver }: Hover & { fields: LayoutField[]; size: number }): JSX.Element {
  const colour = colours(fields);
  return (
    <div class="layout" role="img" aria-label={`A union of ${size} bytes: ${fields.map((f) => `${f.name || "anonymous"} ${spanOf(f)}`).join(", ")}`}>
      {fields.map((f) => (
        <div key={f.row} class="layout-line">
          <span class="layout-offset num faint mono">{f.offset}</span>
          <div class="layout-bytes">
            <span class={`layout-piece field${f.row === over ? " over" : ""}`} style={{ gridColumn: "1 / -1", width: `${(spanOf(f) / size) * 100}%`, "--field": colour.get(f.row) }}
              title={`${f.name || "anonymous"}: ${f.type}`} onMouseEnter={() => setOver(f.row)} onMouseLeave={() => setOver(undefined)}>
              <span class="clip">{f.name || "anonymous"}</span>
            </span>
          </div>
        </div>
      ))}
    </div>
  );
}

function FieldTable({ fields, over, setOver }: Hover & { fields: LayoutField[] }): JSX.Element {
  const colour = colours(fields);
  return (
    <table class="plain-table fields">
      <thead><tr><th class="num">Offset</th><th class="num">Size</th><th>Field</th><th class="num">Hole</th></tr></thead>
      <tbody>
        {fields.map((f) => (
          <tr key={f.row} class={f.row === over ? "over" : ""} onMouseEnter={() => setOver(f.row)} onMouseLeave={() => setOver(undefined)}>
            <td class="num mono">{f.offset}</td>
            <td class="num mono">{f.bits ? `${f.bits} bits` : f.size}</td>
            <td class="mono wrap"><span class="swatch" style={{ background: colour.get(f.row) }} /> {f.name || <i class="faint">anonymous</i>}
              <span class="faint"> : {f.typeId ? <a href={linkTo({ view: "types", params: { sel: `t${f.typeId}`, tab: undefined } })}>{f.type}</a> : f.type}</span>
              {fieldNote(f) && <span class="field-note faint">{fieldNote(f)}</span>}</td>
            <td class={`num mono ${f.padding ? "warn" : "faint"}`}>{f.padding || "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
