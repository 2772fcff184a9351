// SPDX-License-Identifier: MIT
// The inspector's tabs, for a variable and for a type: one row here, one file beside.
import type { JSX } from "preact";
import type { Report } from "../data/report";
import { FreedAt } from "./freed";
import { Layout } from "./layout";
import { Lifecycle } from "./lifecycle";
import { SiteOverview } from "./overview";
import { Source } from "./source";
import { TypeOverview } from "./type";
import { SiteThreads } from "./threads";

export interface TabProps { report: Report; row: number }
export interface Tab { id: string; title: string; render: (props: TabProps) => JSX.Element }

export const siteTabs: Tab[] = [
  { id: "overview", title: "Overview", render: SiteOverview },
  { id: "lifecycle", title: "Lifecycle", render: Lifecycle },
  { id: "source", title: "Source", render: Source },
  { id: "type", title: "Type", render: ({ report, row }) => Layout({ report, typeId: report.sites.num("type")[row]!, named: true }) },
  { id: "threads", title: "Threads", render: SiteThreads },
  { id: "freed", title: "Freed at", render: FreedAt },
];

export const typeTabs: Tab[] = [
  { id: "layout", title: "Layout", render: ({ report, row }) => Layout({ report, typeId: row + 1 }) },
  { id: "use", title: "Use", render: TypeOverview },
];

/** What is chosen: "12" a variable, "t5" a type (ids, from 1). */
export function parseSelection(report: Report, sel: string | undefined): { kind: "site" | "type"; row: number } | undefined {
  const match = /^(t?)(\d+)$/.exec(sel ?? "");
  if (!match) return undefined;
  const kind = match[1] ? "type" : "site", row = Number(match[2]) - 1;
  return row >= 0 && row < (kind === "type" ? report.types : report.sites).rows ? { kind, row } : undefined;
}
