// SPDX-License-Identifier: MIT
// The panel about what is chosen: beside the list on wide screens, over it on a phone.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Report } from "../data/report";
import { Icon } from "../part/icons";
import { Name } from "../part/small";
import { go, type Route } from "../state/route";
import { parseSelection, siteTabs, typeTabs } from "./registry";

export function Inspector({ report, route }: { report: Report; route: Route }): JSX.Element | null {
  const selection = parseSelection(report, route.params["sel"]);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => { body.current?.scrollTo(0, 0); }, [route.params["sel"], route.params["tab"]]);
  if (!selection) return null;
  const { kind, row } = selection;
  const tabs = kind === "type" ? typeTabs : siteTabs;
  const tab = tabs.find((t) => t.id === route.params["tab"]) ?? tabs[0]!;
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]!;
    go({ params: { tab: next.id } }, "replace");
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <aside class="inspector" aria-label="Inspector">
      <header class="inspector-head">
        <h2 class="wrap">{kind === "type" ? <span class="mono">{report.typeName(row + 1)}</span> : <Name holder={report.holder(row)} type={report.siteType(row)} />}</h2>
        <button class="icon-button" aria-label="Close the inspector (Esc)" title="Close (Esc)" onClick={() => go({ params: { sel: undefined, tab: undefined } })}><Icon name="close" /></button>
        <p class="faint mono clip">{kind === "type" ? "type" : report.placeShort(report.sitePlace(row))}</p>
      </header>
      <div class="tabs" role="tablist" aria-label="About the chosen one" data-keys onKeyDown={move}>
        {tabs.map((t) => (
          <button key={t.id} id={`tab-${t.id}`} role="tab" aria-selected={t === tab} aria-controls="tab-panel" tabIndex={t === tab ? 0 : -1}
            onClick={() => go({ params: { tab: t === tabs[0] ? undefined : t.id } }, "replace")}>{t.title}</button>
        ))}
      </div>
      <div class="inspector-body" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab.id}`} ref={body} tabIndex={0}>
        <tab.render key={`${kind}${row}`} report={report} row={row} />
      </div>
    </aside>
  );
}
