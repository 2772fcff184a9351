// SPDX-License-Identifier: MIT
// Live bytes over time, stacked. uPlot draws areas and axes; the pointer, the
// chosen range and the peak's label are ours, so that touch and keys work too.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { colourValue } from "../colour";
import { markNames, stacked, type Axis, type Curve, type Mark } from "../data/history";
import { bytes, count, time } from "../format";
import { useTheme } from "../state/theme";

export interface TimelineProps {
  curves: Curve[];
  /** Largest live bytes within each point: the outline above the stack. */
  most: Float64Array;
  x: Float64Array;
  axis: Axis;
  peak: number;
  /** When it was: exact to the clock's step, where the point is spread within it. */
  peakText: string;
  marks: Mark[];
  /** Stretches in which recording was paused. */
  pauses: [number, number][];
  range: [number, number] | undefined;
  onRange: (range: [number, number] | undefined) => void;
  onHover: (point: number | undefined) => void;
  height: number;
}

const labelWidth = 200, markHeight = 17;
const axisText = (axis: Axis, v: number): string => (axis === "time" ? time(v * 1e9) : count(v));
/** Round figures want no zeros behind the point. */
const tickText = (text: string): string => text.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");

function byteSplits(_: uPlot, __: number, min: number, max: number, incr: number): number[] {
  const unit = 2 ** Math.ceil(Math.log2(Math.max(1, incr)));
  const out: number[] = [];
  for (let v = Math.ceil(min / unit) * unit; v <= max; v += unit) out.push(v);
  return out;
}

function options(props: TimelineProps, width: number, hooks: uPlot.Hooks.Arrays): uPlot.Options {
  const text = colourValue("--text-3"), line = colourValue("--hatch"), surface = colourValue("--surface");
  const dense = props.x.length > width * 0.5;
  const font = `11px ${colourValue("--font")}`;
  const paths = uPlot.paths.stepped!({ align: 1 }); // a level holds until the next sample
  const axis: uPlot.Axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, gap: 6 };
  return {
    width,
    height: props.height,
    padding: [6, 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false, x: true },
    drawOrder: ["series", "axes"] as uPlot.DrawOrderKey[],
    scales: {
      x: { time: false, range: () => [0, props.x[props.x.length - 1]! || 1] },
      y: { range: (_, __, max) => [0, Math.max(1, max) * 1.16] },
    },
    axes: [
      { ...axis, size: 28, space: width < 480 ? 68 : 92, grid: { show: false }, values: (_, at) => at.map((v) => tickText(axisText(props.axis, v))) },
      { ...axis, size: 66, space: 40, splits: byteSplits, values: (_, at) => at.map((v) => (v ? tickText(bytes(v)) : "0")) },
    ],
    series: [
      {},
      { stroke: colourValue("--text-3"), width: 1, points: { show: false }, paths: uPlot.paths.stepped!({ align: -1 }) }, // the most before a sample's end
      ...props.curves.map((curve) => ({
        // Lines between the areas, unless they would be all there is to see.
        ...(dense ? {} : { stroke: surface, width: 0.75 }), fill: colourValue(`--c${curve.colour}`), points: { show: false }, paths,
      })).reverse(),
    ],
    hooks,
  };
}

export function Timeline(props: TimelineProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const theme = useTheme();
  const [box, setBox] = useState({ left: 0, top: 0, width: 0, height: 0 });
  const [hover, setHover] = useState<number>();
  const [drag, setDrag] = useState<[number, number]>();
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const host = frame.current;
    if (!host) return;
    const edges = stacked(props.curves);
    const data = [props.x, props.most, ...edges.reverse()] as uPlot.AlignedData;
    const measured = (u: uPlot) => {
      const ratio = uPlot.pxRatio;
      setBox({ left: u.bbox.left / ratio, top: u.bbox.top / ratio, width: u.bbox.width / ratio, height: u.bbox.height / ratio });
    };
    const made = new uPlot(options(props, host.clientWidth, { ready: [measured], setSize: [measured] }), data, host);
    chart.current = made;
    const observer = new ResizeObserver(() => {
      if (host.clientWidth && host.clientWidth !== made.width) made.setSize({ width: host.clientWidth, height: props.height });
    });
    observer.observe(host);
    return () => { observer.disconnect(); made.destroy(); chart.current = undefined; };
  }, [props.curves, props.most, props.x, props.axis, props.height, theme]);

  const point = (event: PointerEvent): number => {
    const area = frame.current!.getBoundingClientRect();
    const left = Math.max(0, Math.min(event.clientX - area.left - box.left, box.width));
    return chart.current?.posToIdx(left) ?? 0;
  };
  const show = (at: number | undefined) => {
    setHover(at);
    props.onHover(at);
  };
  const toSamples = (a: number, b: number): [number, number] => [Math.max(0, Math.min(a, b) - 1), Math.max(0, Math.max(a, b) - 1)];
  const start = useRef<number | undefined>(undefined);
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    start.current = point(event);
  };
  const move = (event: PointerEvent) => {
    const at = point(event);
    show(at);
    if (start.current !== undefined && at !== start.current) setDrag([start.current, at]);
  };
  const up = (event: PointerEvent) => {
    const from = start.current, at = point(event);
    start.current = undefined;
    setDrag(undefined);
    if (from === undefined) return;
    if (Math.abs(at - from) >= 1) props.onRange(toSamples(from, at));
    else if (props.range) props.onRange(undefined);
  };
  const key = (event: KeyboardEvent) => {
    const last = props.x.length - 1;
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape" && props.range) { props.onRange(undefined); event.stopPropagation(); return; }
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const from = hover ?? props.peak;
    const at = Math.max(0, Math.min(last, from + step * Math.max(1, Math.round(last / 100))));
    show(at);
    if (event.shiftKey) {
      const [a, b] = props.range ? [props.range[0] + 1, props.range[1] + 1] : [from, from];
      props.onRange(toSamples(Math.abs(from - a) < Math.abs(from - b) ? b : a, at));
    }
  };

  const u = chart.current;
  const pos = (p: number): number => {
    const span = props.x[props.x.length - 1]! || 1;
    return box.width * (props.x[Math.min(p, props.x.length - 1)]! / span);
  };
  const across = (at: number): number => Math.max(0, Math.min(box.width, (box.width * at) / (props.x[props.x.length - 1]! || 1)));
  const names = markNames(props.marks.map((mark) => across(mark.x)), box.width);
  const chosen = drag ? toSamples(...drag) : props.range;
  const [from, to] = chosen ? [pos(chosen[0] + 1), pos(chosen[1] + 1)] : [0, 0];
  const peakX = pos(props.peak);
  const peakY = u ? u.valToPos(props.most[props.peak]!, "y") : 0;
  return (
    <div class="chart" style={{ height: `${props.height}px` }}>
      <div ref={frame} class="chart-frame" />
      <div class="chart-over" tabIndex={0} role="img" data-keys
        aria-label={`Live bytes over ${props.axis === "time" ? "time" : "events"}, peak ${bytes(props.most[props.peak]!)} at ${props.peakText}. Arrow keys read values, with Shift they choose a range.`}
        style={{ left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` }}
        onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={() => { start.current = undefined; setDrag(undefined); }}
        onPointerLeave={() => show(undefined)} onKeyDown={key} onBlur={() => show(undefined)}>
        {props.pauses.map(([a, b]) => <div class="pause" title="recording was paused" style={{ left: `${across(a)}px`, width: `${Math.max(1, across(b) - across(a))}px` }} />)}
        {props.marks.map((mark, i) => {
          const left = across(mark.x), { line, before, room } = names[i]!;
          return (
            <div class={mark.snapshot ? "mark snapshot" : "mark"} style={{ left: `${left}px` }} title={`${mark.name}: ${bytes(mark.live)} live at ${mark.at}`}>
              {line >= 0 && <span class={before ? "before" : ""} style={{ bottom: `${2 + line * markHeight}px`, maxWidth: `${room - 8}px` }}>{mark.name}</span>}
            </div>
          );
        })}
        {chosen && <>
          <div class="range-out" style={{ left: "0", width: `${from}px` }} />
          <div class="range-out" style={{ left: `${to}px`, right: "0" }} />
          <div class="range-in" style={{ left: `${from}px`, width: `${Math.max(1, to - from)}px` }} />
        </>}
        <div class="peak-line" style={{ left: `${peakX}px`, top: `${peakY}px` }} />
        <div class="peak-dot" style={{ left: `${peakX}px`, top: `${peakY}px` }} />
        <div class="peak-label" style={{ top: `${Math.max(0, peakY - 24)}px`, left: `${Math.max(0, Math.min(peakX - labelWidth / 2, box.width - labelWidth))}px`, width: `${labelWidth}px` }}>
          <span>peak <b>{bytes(props.most[props.peak]!)}</b> at {props.peakText}</span>
        </div>
        {hover !== undefined && <div class="hover-line" style={{ left: `${pos(hover)}px` }} />}
      </div>
    </div>
  );
}
