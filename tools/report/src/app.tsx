// SPDX-License-Identifier: MIT
// The frame: menu, search, the view, the inspector, and the keys that work everywhere.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Report } from "./data/report";
import { count } from "./format";
import { Inspector } from "./inspect/inspector";
import { parseSelection } from "./inspect/registry";
import { Help } from "./part/help";
import { Icon } from "./part/icons";
import { RangeChip } from "./part/range";
import { onKey } from "./state/keys";
import { go, linkTo, useRoute, type Route } from "./state/route";
import { toggleTheme, useTheme } from "./state/theme";
import { viewOf, views, type View } from "./view/registry";

/** Into another view go the search, the stretch of time and nothing else. */
export const viewLink = (view: View): string =>
  linkTo({ view: view.id, params: { sel: undefined, tab: undefined, sort: undefined, as: undefined, type: undefined, module: undefined, thread: undefined, file: undefined, provenance: undefined, naming: undefined, state: undefined, ...(view.searched ? {} : { q: undefined }) } });

export function App({ report }: { report: Report }): JSX.Element {
  const route = useRoute();
  const view = viewOf(route.view);
  const search = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const chosen = parseSelection(report, route.params["sel"]) !== undefined;

  useEffect(() => {
    const undo = [
      onKey("/", () => { search.current?.focus(); search.current?.select(); }),
      onKey("t", toggleTheme),
      onKey("?", () => setHelp((on) => !on)),
      onKey("Escape", () => {
        if (help) setHelp(false);
        else if (menu) setMenu(false);
        else if (chosen) go({ params: { sel: undefined, tab: undefined } });
        else if (route.params["range"]) go({ params: { range: undefined } });
      }),
      ...views.slice(0, 9).map((v, i) => onKey(String(i + 1), () => { location.hash = viewLink(v); })),
    ];
    return () => undo.forEach((f) => f());
  }, [help, menu, chosen, route]);
  useEffect(() => setMenu(false), [route.view]);
  useEffect(() => { document.title = `${view.title} · ${report.text("name")} · MemScope`; }, [view, report]);

  return (
    <div class={`app${chosen ? " inspecting" : ""}`}>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the view</a>
      <Menu report={report} view={view} open={menu} onClose={() => setMenu(false)} />
      <Top report={report} route={route} view={view} search={search} onHelp={() => setHelp(true)} onMenu={() => setMenu(true)} />
      <main id="main" class={view.full ? "main full" : "main"} tabIndex={-1} key={view.id}><view.render report={report} route={route} /></main>
      <Inspector report={report} route={route} />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function Menu({ report, view, open, onClose }: { report: Report; view: View; open: boolean; onClose: () => void }): JSX.Element {
  return <>
    {open && <div class="scrim" onClick={onClose} />}
    <nav class={`nav${open ? " open" : ""}`} aria-label="Views">
      <a class="brand" href={viewLink(views[0]!)} title="MemScope names every heap byte">
        <svg width="22" height="22" viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3.6" fill="#5867e8" /><path d="M3 12.300V9h2v3.300zm4 0V3.700h2v8.600zm4 0V6.600h2v5.700z" fill="#fff" /></svg>
        <span class="brand-name">MemScope</span>
      </a>
      <ul>
        {views.map((v, i) => {
          const n = v.count?.(report);
          return (
            <li key={v.id}>
              <a class="nav-item" href={viewLink(v)} onClick={onClose} title={`${v.title} (${i + 1})`} {...(v === view ? { "aria-current": "page" as const } : {})}>
                <Icon name={v.icon} size={17} /><span class="nav-title">{v.title}</span>
                {n !== undefined && <span class="nav-count tab-num">{count(n)}</span>}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  </>;
}

interface TopProps { report: Report; route: Route; view: View; search: { current: HTMLInputElement | null }; onHelp: () => void; onMenu: () => void }

function Top({ report, route, view, search, onHelp, onMenu }: TopProps): JSX.Element {
  const now = useTheme();
  const q = route.params["q"] ?? "";
  const type = (value: string) =>
    go({ ...(view.searched ? {} : { view: "variables" }), params: { q: value } }, view.searched ? "replace" : "push");
  return (
    <header class="top">
      <button class="icon-button only-narrow" aria-label="Menu" onClick={onMenu}><Icon name="menu" size={18} /></button>
      <div class="top-title"><b class="clip">{report.text("name")}</b><span class="faint clip">{view.title}</span></div>
      <label class="search">
        <Icon name="search" />
        <span class="sr">Search variables, types, files, functions</span>
        <input ref={search} type="search" placeholder={innerWidth > 860 ? "Search variables, types, files…" : "Search"} value={q} spellcheck={false} autocomplete="off"
          onInput={(e) => type(e.currentTarget.value)} />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <div class="top-end">
        {view.chip && <RangeChip report={report} params={route.params} />}
        <button class="icon-button" aria-label={`Change to ${now === "dark" ? "light" : "dark"} colours (t)`} title="Dark or light (t)" onClick={toggleTheme}><Icon name={now === "dark" ? "light" : "dark"} size={17} /></button>
        <button class="icon-button" aria-label="Keys and help (?)" title="Keys and help (?)" onClick={onHelp}><Icon name="help" size={17} /></button>
      </div>
    </header>
  );
}
