// SPDX-License-Identifier: MIT
// Which threads allocated it and which freed it.
import type { JSX } from "preact";
import { sum } from "../data/table";
import { count } from "../format";
import { BarRow } from "../part/small";
import { linkTo } from "../state/route";
import type { TabProps } from "./registry";

export function SiteThreads({ report, row }: TabProps): JSX.Element {
  return <>
    <Tally report={report} row={row} table="alloc_threads" title="Allocated by" />
    <Tally report={report} row={row} table="free_threads" title="Freed by" />
  </>;
}

function Tally({ report, row, table: name, title }: TabProps & { table: string; title: string }): JSX.Element {
  const { table, first, end } = report.ofSite(name, row);
  const counts = table.num("count").subarray(first, end), ids = table.num("id").subarray(first, end);
  const whole = sum(counts);
  return <>
    <h3>{title}</h3>
    {first === end
      ? <p class="muted">Nobody.</p>
      : <ul class="bars flush">
          {Array.from(ids, (id, i) => (
            <li key={id}><BarRow href={linkTo({ view: "variables", params: { thread: String(id) } })} name={report.threadName(id)} value={counts[i]!} most={counts[0]!} text={count(counts[i]!)} share={whole ? counts[i]! / whole : 0} /></li>
          ))}
        </ul>}
  </>;
}
