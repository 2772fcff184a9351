// SPDX-License-Identifier: MIT
// How much of the memory has a name. Shown before anything else that rests on it.
import type { JSX } from "preact";
import type { Report } from "../data/report";
import { bytes, count, percent } from "../format";
import { ShareBar } from "./small";

export const coverageParts = [
  { id: "named", name: "Named", tone: "good", naming: 0, why: "goes to a variable, field, return value or argument outside allocation wrappers" },
  { id: "wrapper_only", name: "Wrapper only", tone: "warn", naming: 1, why: "the name stayed inside a function that only hands blocks on, such as xmalloc" },
  { id: "unnamed", name: "Unnamed", tone: "bad", naming: 2, why: "allocated by code that was not compiled with the plugin; the caller's address is known" },
] as const;

export function coverageOf(report: Report, by: "allocations" | "bytes") {
  const whole = report.num(by === "bytes" ? "allocated_bytes" : "allocations");
  return coverageParts.map((part) => {
    const value = report.num(`${part.id}_${by}`);
    return { ...part, value, share: whole ? value / whole : 0 };
  });
}

export function CoverageBar({ report, by }: { report: Report; by: "allocations" | "bytes" }): JSX.Element {
  const parts = coverageOf(report, by);
  const unit = by === "bytes" ? bytes : count;
  return (
    <div class="coverage">
      <ShareBar parts={parts} label={`Coverage by ${by}`} unit={unit} />
      <ul class="coverage-key">
        {parts.map((p) => (
          <li key={p.id} title={p.why}>
            <span class={`swatch ${p.tone}`} />
            <span>{p.name}</span>
            <b class="tab-num">{percent(p.share)}</b>
            <span class="faint tab-num">{unit(p.value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
