// SPDX-License-Identifier: MIT
// What was alive at the end, by variable. Whether a block could still be reached
// is not known here, so the word leak is not used.
import type { JSX } from "preact";
import { bytes, plural } from "../format";
import { Empty } from "../part/small";
import { SiteList, sumOf } from "../part/sitelist";
import type { ViewProps } from "./registry";

export function NotFreed({ report, route }: ViewProps): JSX.Element {
  if (!report.num("live_blocks"))
    return <Empty icon="kept" title="Everything was freed">Not one block was alive {report.endWhen}.</Empty>;
  return (
    <SiteList report={report} route={route} label="Not freed" preset={{ state: "kept" }} firstSort={{ id: "live", descending: true }}
      order={["holder", "live", "place", "count"]}
      summary={(rows) => `${bytes(sumOf(report.sites.num("live_bytes"), rows))} in ${plural(sumOf(report.sites.num("live_blocks"), rows), "block")} alive ${report.endWhen}`}
      empty="Nothing that was not freed fits the search and the filters." />
  );
}
