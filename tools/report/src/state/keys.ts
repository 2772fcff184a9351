// SPDX-License-Identifier: MIT
// One place hears every key. Lists that can be walked through register; the one
// mounted last is walked.
export interface Walker { move(delta: number): void; open(): void }
type Action = (event: KeyboardEvent) => void;

const walkers: Walker[] = [];
const actions = new Map<string, Action>();

export function registerWalker(walker: Walker): () => void {
  walkers.push(walker);
  return () => void walkers.splice(walkers.indexOf(walker), 1);
}

/** `name` is event.key: "/", "Escape", "t". */
export function onKey(name: string, action: Action): () => void {
  actions.set(name, action);
  return () => void (actions.get(name) === action && actions.delete(name));
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("input, select, textarea") || target.isContentEditable);
}

/** Enter and arrows belong to what has the focus, when that knows what to do with them. */
function taken(event: KeyboardEvent): boolean {
  if (!(event.target instanceof HTMLElement)) return false;
  if (event.key === "Enter" || event.key === " ") return event.target.closest("button, a, summary") !== null;
  return event.target.closest("[data-keys]") !== null;
}

export function startKeys(): void {
  const moves: Record<string, number> = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target)) {
      if (event.key === "Escape") (event.target as HTMLElement).blur();
      else if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      else if (!(event.target as HTMLElement).matches("input[type=search]")) return;
      else (event.target as HTMLElement).blur();
      if (event.key !== "ArrowDown") return;
    }
    const walker = walkers[walkers.length - 1];
    const delta = moves[event.key];
    const action = actions.get(event.key);
    if (taken(event)) return;
    if (delta !== undefined && walker) walker.move(delta);
    else if (event.key === "Enter" && walker) walker.open();
    else if (action) action(event);
    else return;
    event.preventDefault();
  });
}
