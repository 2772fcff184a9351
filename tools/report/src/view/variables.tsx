// SPDX-License-Identifier: MIT
// Every variable that held memory: search, filter, sort, table or cards.
import type { JSX } from "preact";
import { bytes } from "../format";
import { SiteList, sumOf } from "../part/sitelist";
import type { ViewProps } from "./registry";

export function Variables({ report, route }: ViewProps): JSX.Element {
  return (
    <SiteList report={report} route={route} label="Variables" firstSort={{ id: "peak", descending: true }}
      summary={(rows) => `${bytes(sumOf(report.sites.num("bytes_at_peak"), rows))} at the peak, ${bytes(sumOf(report.sites.num("live_bytes"), rows))} not freed`}
      empty="No variable fits the search and the filters." />
  );
}
