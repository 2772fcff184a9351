// SPDX-License-Identifier: MIT
// What has a name and what has not, and where the rest comes from.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { filterSites } from "../data/filter";
import { provenance } from "../data/report";
import { sortRows } from "../data/sort";
import { bytes, count, percent } from "../format";
import { CoverageBar, coverageOf, coverageParts } from "../part/coverage";
import { BarRow, Card, Name } from "../part/small";
import { linkTo } from "../state/route";
import type { ViewProps } from "./registry";

export function Coverage({ report }: ViewProps): JSX.Element {
  const typed = report.num("allocated_bytes") ? report.num("typed_bytes") / report.num("allocated_bytes") : 0;
  return (
    <div class="page">
      <header class="page-head"><h1>Coverage</h1><p class="muted">Every figure in this report rests on names. This is how many there are.</p></header>
      <div class="columns two">
        <Card title="By allocations"><CoverageBar report={report} by="allocations" /></Card>
        <Card title="By bytes"><CoverageBar report={report} by="bytes" /></Card>
      </div>
      <Card title="What the words mean">
        <dl class="terms">
          {coverageOf(report, "allocations").map((p) => (
            <div key={p.id}><dt><span class={`swatch ${p.tone}`} /> {p.name}</dt><dd>{p.why[0]!.toUpperCase() + p.why.slice(1)}. {p.value > 0 && <a href={linkTo({ view: "variables", params: { naming: String(p.naming) } })}>{percent(p.share)} of all allocations</a>}</dd></div>
          ))}
          <div><dt>Typed</dt><dd>{percent(typed)} of all allocated bytes have a known element type.</dd></div>
        </dl>
      </Card>
      <div class="columns two">
        <Rest report={report} naming={2} />
        <Rest report={report} naming={1} />
      </div>
      <ByProvenance report={report} />
    </div>
  );
}

function Rest({ report, naming }: { report: ViewProps["report"]; naming: number }): JSX.Element | null {
  const part = coverageParts[naming]!;
  const values = report.sites.num("allocations");
  const rows = useMemo(() => sortRows(filterSites(report, { naming }), values, true).subarray(0, 12), [report, naming]);
  const whole = report.num("allocations");
  return (
    <Card title={`${part.name}: where it comes from`}>
      {rows.length === 0
        ? <p class="muted pad">Nothing: no allocation is {part.name.toLowerCase()}.</p>
        : <ul class="bars">
            {[...rows].map((row) => (
              <li key={row}><BarRow href={linkTo({ params: { sel: String(row + 1) } })} value={values[row]!} most={values[rows[0]!]!} text={count(values[row]!)} share={values[row]! / whole}
                name={report.holder(row) ? <Name holder={report.holder(row)} type={report.siteType(row)} /> : <span class="mono">{report.placeShort(report.sitePlace(row))}</span>}
                note={`${bytes(report.sites.num("allocated_bytes")[row]!)} in all`} /></li>
            ))}
          </ul>}
    </Card>
  );
}

const meanings: Record<string, string> = {
  exact: "The block was met at the place that names it, by its address.",
  derived: "The name came by a chain of hand-overs, a container, or order of events.",
  inferred: "Taken from a return address, debug information or source text.",
};

function ByProvenance({ report }: { report: ViewProps["report"] }): JSX.Element {
  const level = report.sites.num("provenance"), allocations = report.sites.num("allocations");
  const sums = [0, 0, 0];
  for (let i = 0; i < level.length; i++) sums[level[i]!] = (sums[level[i]!] ?? 0) + allocations[i]!;
  const whole = sums.reduce((a, b) => a + b, 0);
  return (
    <Card title="How names were found">
      <dl class="terms">
        {provenance.map((name, i) => (
          <div key={name}><dt>{name}</dt><dd><a class="tab-num" href={linkTo({ view: "variables", params: { provenance: String(i) } })}>{percent(whole ? sums[i]! / whole : 0)}</a> <span class="muted">{meanings[name]}</span></dd></div>
        ))}
      </dl>
    </Card>
  );
}
