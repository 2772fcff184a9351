// SPDX-License-Identifier: MIT
// The few drawings the page needs, 16 by 16, in the text's colour.
import type { JSX } from "preact";

const paths: Record<string, string> = {
  overview: "M2.5 13.5v-4h3v4m2.5 0v-11h3v11m2.5 0v-7h0",
  variables: "M5.5 3C4 3 4 4.5 4 5.5S4 8 2.5 8C4 8 4 9.5 4 10.5s0 2.5 1.5 2.5m5-10C12 3 12 4.5 12 5.5S12 8 13.5 8C12 8 12 9.5 12 10.5s0 2.5-1.5 2.5M8 6.5v3",
  types: "M2.5 3.5h11v3h-11zm0 3h6v3h-6zm0 3h11v3h-11z",
  kept: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.5l2 1.5",
  modules: "M8 2l5.2 3v6L8 14l-5.2-3V5zm0 6l5.2-3M8 8v6M8 8L2.8 5",
  threads: "M4 2.5c0 4 8 3.500 8 7.500v3.500M12 2.500c0 4-8 3.500-8 7.500v3.500",
  coverage: "M8 2.500a5.500 5.500 0 1 0 5.500 5.500H8z M10 2.500a4 4 0 0 1 3.500 3.500H10z",
  about: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM8 7.300v3.700M8 5v.4",
  search: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.400 10.400L13.500 13.500",
  dark: "M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z",
  light: "M8 5.200a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600zM8 1.500v1.500m0 10v1.500M1.500 8H3m10 0h1.500M3.400 3.400l1 1m7.200 7.200l1 1m0-9.200l-1 1m-7.200 7.200l-1 1",
  help: "M6 6a2 2 0 1 1 2.700 1.900c-.5.2-.7.5-.7 1.100v.3M8 11.300v.4M8 1.800a6.200 6.200 0 1 0 0 12.400A6.200 6.200 0 0 0 8 1.800z",
  close: "M4 4l8 8m0-8l-8 8",
  cards: "M2.500 2.500h4.500v4.500h-4.500zm6.500 0h4.500v4.500H9zm-6.500 6.500h4.500v4.500h-4.500zm6.500 0h4.500v4.500H9z",
  table: "M2.500 3.500h11v9h-11zm0 3h11m-11 3h11m-7-6v9",
  down: "M4.500 6.500L8 10l3.500-3.500",
  menu: "M2.500 4.500h11m-11 3.500h11m-11 3.500h11",
  more: "M3 8h.5m4.250 0h.5m4.250 0h.5",
  range: "M3 3v10m10-10v10M5 8h6m-4-2L5 8l2 2m2-4l2 2-2 2",
  warn: "M8 2.500l6 10.500H2zM8 6.500v3M8 11v.4",
  arrow: "M3 8h9.500M9 4.500L12.500 8 9 11.500",
};

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: string; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor"
      stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name] ?? ""} />
    </svg>
  );
}
