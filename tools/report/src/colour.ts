// SPDX-License-Identifier: MIT
// Colours that code needs as values (canvas) and as names (style). The nine
// categorical ones are told apart under the common colour deficiencies;
// tests/ui/unit.mjs measures that.
export const categories = 8; // c0 … c7; c8 is "all others"
export const others = 8;

export const colourName = (index: number): string => `var(--c${Math.min(index, others)})`;

/** The value a name has now, for drawing on a canvas. */
export function colourValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
