// SPDX-License-Identifier: MIT
// The timeline as the chart wants it: an axis, the stacked curves, the peak.
import type { Report } from "./report";
import { largest, lowerBound, type NumberColumn } from "./table";
import { others as othersColour, categories } from "../colour";
import { time } from "../format";

export type Group = "types" | "holders";
export type Axis = "time" | "events";
export interface Curve { name: string; detail: string; id: number; colour: number; live: Float64Array; /** Its exact part of the peak, which lies within a sample. */ atPeak: number }

/** A run shorter than the clock's step has hardly any times: it is drawn along its events. */
export function axisOf(report: Report, wanted?: string): Axis {
  if (wanted === "time" || wanted === "events") return wanted;
  const ends = report.timeline.num("end_ns");
  let distinct = 0;
  for (let i = 1; i < ends.length && distinct < 24; i++) if (ends[i] !== ends[i - 1]) distinct++;
  return distinct >= Math.min(24, ends.length / 2) ? "time" : "events";
}

/** Where each sample ends, along an axis: seconds or events. Sample i is point i + 1; point 0 is the beginning. */
export function axisPoints(report: Report, axis: Axis): Float64Array {
  const events = report.timeline.num("end_event");
  const points = new Float64Array(events.length + 1);
  points.set(axis === "events" ? events : spreadTimes(report.timeline.num("end_ns"), events, report.num("duration_ns"), report.num("clock_step_ns")), 1);
  return points;
}

/**
 * The clock is coarse: all samples of one of its steps bear the same time. They
 * lie within that step, before the next time, and by their events is where.
 */
export function spreadTimes(ends: ArrayLike<number>, events: ArrayLike<number>, duration: number, step: number): Float64Array {
  const out = new Float64Array(ends.length);
  for (let i = 0, next; i < ends.length; i = next) {
    for (next = i + 1; next < ends.length && ends[next] === ends[i]; ) next++;
    const until = Math.min(next < ends.length ? ends[next]! : Math.max(duration, ends[i]!), ends[i]! + step);
    const first = events[i]!, span = (next < ends.length ? events[next]! : events[next - 1]! + 1) - first;
    for (let k = i; k < next; k++) out[k] = (ends[i]! + ((until - ends[i]!) * (events[k]! - first)) / span) / 1e9;
  }
  return out;
}

/** Where a time lies along an axis: on the events' axis at the end of its sample. */
export function axisAt(report: Report, axis: Axis, x: Float64Array, ns: number): number {
  if (axis === "time") return ns / 1e9;
  return x[Math.min(lowerBound(report.timeline.num("end_ns"), ns), x.length - 2) + 1]!;
}

export interface Mark { name: string; x: number; live: number; snapshot: boolean; at: string }

/** Moments with a name, and the stretches in which nothing was recorded. */
export function moments(report: Report, axis: Axis, x: Float64Array): { marks: Mark[]; pauses: [number, number][] } {
  const marks = report.table("marks"), pauses = report.table("pauses");
  const place = (ns: number): number => axisAt(report, axis, x, ns);
  return {
    marks: Array.from({ length: marks.rows }, (_, i) => ({
      name: marks.text("name", i), x: place(marks.num("ns")[i]!), live: marks.num("live_bytes")[i]!, snapshot: !!marks.num("snapshot")[i]!, at: time(marks.num("ns")[i]!),
    })),
    pauses: Array.from({ length: pauses.rows }, (_, i) => [place(pauses.num("from_ns")[i]!), place(pauses.num("to_ns")[i]!)]),
  };
}

/** Pixels a name takes along the chart, at least, and how many may stand one above the other. */
export const markWidth = 96, markLeast = 40, markLines = 3;

export interface MarkName { /** 0 is the lowest; -1: no room, the name is in the mark's title alone. */ line: number; /** At the chart's right end: before the mark. */ before: boolean; room: number }

/** Where each name stands, marks in their order, so that none covers another. */
export function markNames(lefts: number[], width: number): MarkName[] {
  const ends = new Array<number>(markLines).fill(-Infinity);
  const place = (from: number, room: number, before: boolean): MarkName => {
    const line = ends.findIndex((end) => end <= from);
    if (line >= 0) ends[line] = from + room;
    return { line, before, room };
  };
  return lefts.map((left) => {
    const room = Math.min(markWidth, width - left);
    const behind = room >= markLeast ? place(left, room, false) : undefined;
    return behind && behind.line >= 0 ? behind : place(left - markWidth, markWidth, true);
  });
}

/** The curves of a group that ever were the biggest, as many as there are colours; the rest as one. */
export function curves(report: Report, group: Group): Curve[] {
  return report.once(`curves.${group}`, () => {
    const table = report.table("curves"), points = report.table("curve_points").num("live_bytes");
    const samples = report.timeline.rows, sums = group === "types" ? report.types : report.holders;
    const rest: Curve = { name: "all others", detail: "", id: 0, colour: othersColour, live: new Float64Array(samples + 1), atPeak: report.num("peak_bytes") };
    const found: { id: number; values: NumberColumn; most: number }[] = [];
    for (let i = 0; i < table.rows; i++) {
      if (table.num("group")[i] !== (group === "types" ? 0 : 1)) continue;
      const values = points.subarray(i * samples, (i + 1) * samples), id = table.num("id")[i]!;
      found.push({ id, values, most: id ? largest(values) : -1 });
    }
    found.sort((a, b) => b.most - a.most);
    const out: Curve[] = [];
    for (const { id, values } of found) {
      if (!id || out.length >= categories) {
        for (let k = 0; k < samples; k++) rest.live[k + 1]! += values[k]!;
        continue;
      }
      const live = new Float64Array(samples + 1), atPeak = sums.num("bytes_at_peak")[id - 1]!;
      live.set(values, 1);
      rest.atPeak -= atPeak;
      out.push({ ...label(report, group, id), id, colour: 0, live, atPeak });
    }
    // In the legend's order: what was biggest at the peak first.
    out.sort((a, b) => b.atPeak - a.atPeak).forEach((curve, i) => (curve.colour = i));
    if (rest.live.some((v) => v > 0)) out.push(rest);
    return out;
  });
}

function label(report: Report, group: Group, id: number): { name: string; detail: string } {
  if (group === "types") return { name: report.typeName(id) || "type unknown", detail: "" };
  const { holders } = report;
  return { name: holders.text("holder", id - 1) || "unnamed", detail: holders.text("type", id - 1) };
}

/** Each curve on top of those before it: the k-th array is the upper edge of curve k. */
export function stacked(list: Curve[]): Float64Array[] {
  let below: Float64Array | undefined;
  return list.map((curve) => {
    const edge = new Float64Array(curve.live.length);
    for (let i = 0; i < edge.length; i++) edge[i] = curve.live[i]! + (below ? below[i]! : 0);
    return (below = edge);
  });
}

/** "12-80": samples, both included. */
export function parseRange(text: string | undefined, samples: number): [number, number] | undefined {
  const match = /^(\d+)-(\d+)$/.exec(text ?? "");
  if (!match || !samples) return undefined;
  const from = Math.min(Number(match[1]), samples - 1), to = Math.min(Number(match[2]), samples - 1);
  return from <= to ? [from, to] : undefined;
}
