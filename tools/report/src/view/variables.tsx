// SPDX-License-Identifier: MIT
// Every variable that held memory: search, filter, sort, table or cards.
import type { JSX } from "preact";
import { isCounted } from "../data/error";
import { bytes } from "../format";
import { SiteList, sumOf } from "../part/sitelist";
import type { ViewProps } from "./registry";

export function Variables({ report, route }: ViewProps): JSX.Element {
  const [first, column, words] = isCounted(report) ? ["total", "allocated_bytes", "allocated"] as const : ["peak", "bytes_at_peak", "at the peak"] as const;
  return (
    <SiteList report={report} route={route} label="Variables" firstSort={{ id: first, descending: true }}
      summary={(rows) => `${bytes(sumOf(report.sites.num(column), rows))} ${words}, ${bytes(sumOf(report.sites.num("live_bytes"), rows))} not freed`}
      empty="No variable fits the search and the filters." />
  );
}
