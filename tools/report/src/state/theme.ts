// SPDX-License-Identifier: MIT
// Dark or light: the system's wish until the reader chooses. Storage may be
// refused (file://, private windows): then the choice lasts as long as the page.
import { useEffect, useState } from "preact/hooks";

export type Theme = "dark" | "light";
const key = "memscope.theme";
const dark = typeof matchMedia === "undefined" ? undefined : matchMedia("(prefers-color-scheme: dark)");
let chosen: Theme | undefined;
const listeners = new Set<() => void>();

function stored(): Theme | undefined {
  try {
    const value = localStorage.getItem(key);
    return value === "dark" || value === "light" ? value : undefined;
  } catch {
    return undefined;
  }
}

export function theme(): Theme { return chosen ?? (dark?.matches ? "dark" : "light"); }

function apply(): void {
  document.documentElement.dataset["theme"] = theme();
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  chosen = stored();
  dark?.addEventListener("change", apply);
  apply();
}

export function toggleTheme(): void {
  chosen = theme() === "dark" ? "light" : "dark";
  try { localStorage.setItem(key, chosen); } catch { /* lasts as long as the page */ }
  apply();
}

export function useTheme(): Theme {
  const [value, set] = useState(theme());
  useEffect(() => {
    const listener = () => set(theme());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return value;
}
