// SPDX-License-Identifier: MIT
// Where it stands in the source, and by which hands the block came there.
import type { JSX } from "preact";
import { fileName } from "../format";
import { ClangLine } from "../part/clang";
import { functions } from "./overview";
import type { TabProps } from "./registry";

export function Source({ report, row }: TabProps): JSX.Element {
  const place = report.sitePlace(row);
  const { table, first, end } = report.ofSite("chains", row);
  const chain = Array.from({ length: end - first }, (_, i) => table.num("place")[first + i]! - 1);
  return <>
    <h3>Place</h3>
    <Excerpt report={report} place={place} />
    <dl class="pairs">
      {place >= 0 && report.places.text("function", place) && <div><dt>Function</dt><dd class="mono wrap">{report.places.text("function", place)}</dd></div>}
      <div><dt>Allocated by</dt><dd class="mono wrap">{functions({ report, row })}</dd></div>
    </dl>
    {chain.length > 1 && <>
      <h3>Handed on, from the allocator outwards</h3>
      <ol class="chain">{chain.map((p, i) => <Step key={i} report={report} place={p} last={i === chain.length - 1} />)}</ol>
    </>}
  </>;
}

function Step({ report, place, last }: { report: TabProps["report"]; place: number; last: boolean }): JSX.Element {
  const { places } = report;
  const holder = places.text("holder", place), callee = places.text("callee", place);
  return (
    <li class={last ? "last" : ""}>
      <details>
        <summary>
          <span class="mono wrap">{holder || "return"}{callee && <span class="faint"> = {callee}(…)</span>}</span>
          <span class="faint wrap">in <span class="mono">{places.text("function", place)}</span>, <span class="mono">{report.placeShort(place)}</span></span>
        </summary>
        <Excerpt report={report} place={place} />
      </details>
    </li>
  );
}

export function Excerpt({ report, place }: { report: TabProps["report"]; place: number }): JSX.Element {
  if (place < 0) return <p class="muted">The place is not known.</p>;
  const file = report.placeFile(place), line = report.places.num("line")[place]!, column = report.places.num("column")[place]!;
  if (!file) return <p class="muted mono wrap">{report.places.text("text", place)}</p>;
  const excerpt = report.excerpt(file, line);
  return (
    <figure class="source">
      <figcaption class="mono" title={file}><span class="clip">{fileName(file)}<span class="faint">:{line}:{column}</span></span></figcaption>
      {excerpt
        ? <pre tabIndex={0} aria-label={`Source around line ${line}`}>{excerpt.lines.map((text, i) => (
            <span key={i} class={`src${excerpt.first + i === line ? " here" : ""}`}><i class="tab-num">{excerpt.first + i}</i><ClangLine text={text || " "} />{"\n"}</span>
          ))}</pre>
        : <p class="muted pad">The file could not be read when the report was made: <span class="mono wrap">{file}</span></p>}
    </figure>
  );
}
