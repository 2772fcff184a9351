// SPDX-License-Identifier: MIT
// Where its blocks were given back.
import type { JSX } from "preact";
import { isCounted, notOfCounters } from "../data/error";
import { sum } from "../data/table";
import { count, percent, plural } from "../format";
import { Excerpt } from "./source";
import type { TabProps } from "./registry";

export function FreedAt({ report, row }: TabProps): JSX.Element {
  const { table, first, end } = report.ofSite("free_places", row);
  const frees = report.sites.num("frees")[row]!, kept = report.sites.num("live_blocks")[row]!;
  const counts = table.num("count").subarray(first, end), ids = table.num("id").subarray(first, end);
  const whole = sum(counts);
  return <>
    <p class="muted">{plural(frees, "block")} freed{kept ? `, ${count(kept)} not` : ""}.{isCounted(report) ? ` Where is ${notOfCounters}.` : ""}</p>
    {first < end && <ol class="chain plain">
      {Array.from(ids, (id, i) => (
        <li key={i}>
          <details>
            <summary>
              <span class="line"><span class="mono wrap">{id ? report.placeShort(id - 1) : "place unknown"}</span><span class="num">{count(counts[i]!)} <span class="faint">{percent(whole ? counts[i]! / whole : 0)}</span></span></span>
              {id > 0 && <span class="faint wrap mono">{freedBy(report, id - 1)}</span>}
            </summary>
            <Excerpt report={report} place={id - 1} />
          </details>
        </li>
      ))}
    </ol>}
  </>;
}

function freedBy(report: TabProps["report"], place: number): string {
  const callee = report.places.text("callee", place), holder = report.places.text("holder", place), inside = report.places.text("function", place);
  return `${callee ? `${callee}(${holder})` : ""}${inside ? ` in ${inside}` : ""}`.trim();
}
