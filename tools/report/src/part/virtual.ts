// SPDX-License-Identifier: MIT
// Which of a million equally high rows are in sight. Browsers clip elements
// beyond some 16 million pixels, so the spacer is capped and the scroll bar
// scaled; the wheel then moves by pixels of the list, not of the spacer.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

const spacerMax = 8_000_000;
const ahead = 6; // rows drawn beyond the edges, so that fast scrolling shows no gap

export interface Sight { first: number; end: number; spacer: number; shift: number; width: number; height: number }
export interface Virtual extends Sight { scroller: RefObject<HTMLDivElement | null>; reveal: (row: number) => void }

export function sightOf(count: number, rowHeight: number, view: number, top: number): { first: number; end: number } {
  const first = Math.max(0, Math.floor(top / rowHeight) - ahead);
  const end = Math.min(count, Math.ceil((top + view) / rowHeight) + ahead);
  return { first: Math.min(first, end), end };
}

export function useVirtual(count: number, rowHeight: number, headHeight: number): Virtual {
  const scroller = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [, redraw] = useState(0);
  const top = useRef(0); // in pixels of the whole list

  const view = Math.max(0, size.height - headHeight);
  const content = count * rowHeight;
  const spacer = Math.min(content, spacerMax);
  const scale = content > spacer ? (content - view) / (spacer - view) : 1;

  const moveTo = useCallback((wanted: number) => {
    const element = scroller.current;
    if (!element) return;
    top.current = Math.max(0, Math.min(wanted, content - view));
    element.scrollTop = top.current / scale;
    redraw((n) => n + 1);
  }, [content, view, scale]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      if (scale === 1) top.current = element.scrollTop;
      else if (Math.abs(element.scrollTop - top.current / scale) > 1) top.current = element.scrollTop * scale;
      redraw((n) => n + 1);
    };
    const onWheel = (event: WheelEvent) => {
      if (scale === 1 || event.ctrlKey) return;
      event.preventDefault();
      moveTo(top.current + event.deltaY * (event.deltaMode === 1 ? rowHeight : 1));
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      element.removeEventListener("scroll", onScroll);
      element.removeEventListener("wheel", onWheel);
    };
  }, [scale, rowHeight, moveTo]);

  // A shorter list may leave us behind its end.
  useLayoutEffect(() => {
    if (top.current > Math.max(0, content - view)) moveTo(content - view);
  }, [content, view]);

  const reveal = useCallback((row: number) => {
    const start = row * rowHeight;
    if (start < top.current) moveTo(start);
    else if (start + rowHeight > top.current + view) moveTo(start + rowHeight - view);
  }, [rowHeight, view, moveTo]);

  const now = Math.max(0, Math.min(top.current, content - view));
  const shift = scale === 1 ? 0 : (scroller.current?.scrollTop ?? 0) - now;
  return { ...sightOf(count, rowHeight, view, now), spacer, shift, width: size.width, height: size.height, scroller, reveal };
}
