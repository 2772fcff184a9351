// SPDX-License-Identifier: MIT
// Every view of the report: one row here and one file beside. The order is that
// of the menu and of the keys 1 to 9.
import type { JSX } from "preact";
import { usedTypes } from "../data/site";
import { filterSites } from "../data/filter";
import type { Report } from "../data/report";
import type { Route } from "../state/route";
import { About } from "./about";
import { Coverage } from "./coverage";
import { Modules } from "./modules";
import { NotFreed } from "./notfreed";
import { Overview } from "./overview";
import { Threads } from "./threads";
import { Types } from "./types";
import { Variables } from "./variables";

export interface ViewProps { report: Report; route: Route }

export interface View {
  id: string;
  title: string;
  icon: string;
  render: (props: ViewProps) => JSX.Element;
  /** Its list obeys the search. */
  searched?: boolean;
  /** Says the chosen stretch of time in the top bar: it has no filters of its own to say it. */
  chip?: boolean;
  /** Fills the height and scrolls inside. */
  full?: boolean;
  /** Shown beside the title in the menu. */
  count?: (report: Report) => number;
}

export const views: View[] = [
  { id: "overview", title: "Overview", icon: "overview", render: Overview },
  { id: "variables", title: "Variables", icon: "variables", render: Variables, searched: true, full: true, count: (r) => r.sites.rows },
  { id: "types", title: "Types", icon: "types", render: Types, searched: true, full: true, chip: true, count: (r) => usedTypes(r).length },
  { id: "notfreed", title: "Not freed", icon: "kept", render: NotFreed, searched: true, full: true, count: (r) => r.once("kept.count", () => filterSites(r, { state: "kept" }).length) },
  { id: "modules", title: "Modules", icon: "modules", render: Modules, full: true, chip: true, count: (r) => r.modules.rows },
  { id: "threads", title: "Threads", icon: "threads", render: Threads, full: true, chip: true, count: (r) => r.threads.rows },
  { id: "coverage", title: "Coverage", icon: "coverage", render: Coverage },
  { id: "about", title: "About", icon: "about", render: About },
];

export const viewOf = (id: string): View => views.find((v) => v.id === id) ?? views[0]!;
