// SPDX-License-Identifier: MIT
// What the page shows is in its address: #/variables?q=conn&sel=12. Whoever
// copies the address copies the view; the browser's back button goes back.
import { useEffect, useState } from "preact/hooks";

export interface Route { view: string; params: Record<string, string> }
type Change = { view?: string; params?: Record<string, string | undefined> };

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { view: path || "overview", params: Object.fromEntries(new URLSearchParams(query)) };
}

export function formatRoute({ view, params }: Route): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== "")).toString();
  return `#/${view}${query ? `?${query}` : ""}`;
}

/** What a change makes of a route: undefined takes a parameter away. */
export function changedRoute(route: Route, change: Change): Route {
  const params = { ...route.params };
  for (const [name, value] of Object.entries(change.params ?? {})) {
    if (value === undefined || value === "") delete params[name];
    else params[name] = value;
  }
  return { view: change.view ?? route.view, params };
}

let current = parseRoute(typeof location === "undefined" ? "" : location.hash);
const listeners = new Set<(route: Route) => void>();

function publish(route: Route): void {
  current = route;
  for (const listener of listeners) listener(route);
}

export function route(): Route { return current; }

/** Typing a search replaces the address, choosing something adds to the history. */
export function go(change: Change, how: "push" | "replace" = "push"): void {
  const next = changedRoute(current, change);
  const hash = formatRoute(next);
  if (hash === formatRoute(current)) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", hash);
  publish(next);
}

export function linkTo(change: Change): string { return formatRoute(changedRoute(current, change)); }

export function listenRoute(): void {
  const read = () => {
    const next = parseRoute(location.hash);
    if (formatRoute(next) !== formatRoute(current)) publish(next);
  };
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
}

export function useRoute(): Route {
  const [value, set] = useState(current);
  useEffect(() => {
    listeners.add(set);
    set(current);
    return () => void listeners.delete(set);
  }, []);
  return value;
}
