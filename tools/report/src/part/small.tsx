// SPDX-License-Identifier: MIT
// Small pieces that several views use.
import type { ComponentChildren, JSX } from "preact";
import { bytes, count, percent } from "../format";
import { Icon } from "./icons";

/** A figure with its name above and what it means below. */
export function Figure(props: { label: string; value: ComponentChildren; note?: ComponentChildren; tone?: string; title?: string }): JSX.Element {
  return (
    <div class="figure" title={props.title}>
      <dt>{props.label}</dt>
      <dd class={`tab-num ${props.tone ?? ""}`}>{props.value}</dd>
      {props.note !== undefined && <dd class="note tab-num">{props.note}</dd>}
    </div>
  );
}

/** A number with a bar behind it that shows its share of the largest. */
export function Meter({ value, most, text }: { value: number; most: number; text: string }): JSX.Element {
  const share = most > 0 ? Math.max(0, Math.min(1, value / most)) : 0;
  return <span class="meter"><span class="fill" style={{ width: `${share * 100}%` }} /><span class="on">{text}</span></span>;
}

/** A table's figure, and of an estimate how far it may be off in a line of its own. */
export function Estimate({ error, children }: { error: string; children: ComponentChildren }): JSX.Element {
  return error ? <span class="estimate">{children}<small class="faint">{error.trim()}</small></span> : <>{children}</>;
}

/** What such a column needs to show both ends. */
export const estimateWidth = 140;

export function Badge({ tone, children, title }: { tone?: string; children: ComponentChildren; title?: string }): JSX.Element {
  return <span class={`badge ${tone ?? ""}`} title={title}>{children}</span>;
}

export function Card(props: { title?: ComponentChildren; side?: ComponentChildren; children: ComponentChildren; class?: string }): JSX.Element {
  return (
    <section class={`card ${props.class ?? ""}`}>
      {(props.title || props.side) && <header class="card-head"><h2>{props.title}</h2>{props.side && <div class="card-side">{props.side}</div>}</header>}
      {props.children}
    </section>
  );
}

export interface Choice { id: string; text: string }

/** A few exclusive choices side by side. */
export function Segments(props: { label: string; choices: Choice[]; value: string; onChange: (id: string) => void }): JSX.Element {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.choices.map((c) => (
        <button key={c.id} aria-pressed={c.id === props.value} class={c.id === props.value ? "on" : ""} onClick={() => props.onChange(c.id)}>{c.text}</button>
      ))}
    </div>
  );
}

/** Code whose arrows are never broken in two. */
export function Code({ text }: { text: string }): JSX.Element {
  return <>{text.split(/(->|::)/).map((part, i) => (i % 2 ? <span key={i} class="nobreak">{part}</span> : part))}</>;
}

/** "file.c:88": the file's name is cut when room is short, the line never. */
export function Place({ text, title }: { text: string; title?: string }): JSX.Element {
  const colon = text.lastIndexOf(":");
  if (!/^:\d+$/.test(text.slice(colon))) return <span class="mono clip" title={title}>{text}</span>;
  return <span class="place mono" title={title}><span class="clip">{text.slice(0, colon)}</span><span class="line-no">{text.slice(colon)}</span></span>;
}

/** Holder and type as a reader of C writes them. */
export function Name({ holder, type }: { holder: string; type: string }): JSX.Element {
  return (
    <span class="name mono" title={type ? `${holder || "unnamed"} : ${type}` : holder}>
      <span class="holder">{holder ? <Code text={holder} /> : "unnamed"}</span>
      {type && <><span class="colon"> : </span><span class="type"><Code text={type} /></span></>}
    </span>
  );
}

/** One row of a list whose bar shows its share. */
export function BarRow(props: { href: string; name: ComponentChildren; note?: ComponentChildren; value: number; most: number; text: string; share?: number }): JSX.Element {
  return (
    <a class="bar-row" href={props.href}>
      <span class="bar-name clip">{props.name}</span>
      <span class="num bar-value">{props.text}{props.share !== undefined && <span class="faint share">{percent(props.share)}</span>}</span>
      <span class="bar-track"><span class="bar-fill" style={{ width: `${Math.max(0.4, props.most ? (props.value / props.most) * 100 : 0)}%` }} /></span>
      {props.note && <span class="bar-note clip faint">{props.note}</span>}
    </a>
  );
}

export interface Part { id: string; name: string; value: number; tone: string }

/** Shares of a whole as one bar with its key below; a share too thin to see keeps two pixels. */
export function ShareBar({ parts, label, unit }: { parts: Part[]; label: string; unit: (n: number) => string }): JSX.Element {
  const whole = parts.reduce((sum, p) => sum + p.value, 0);
  const text = parts.map((p) => `${p.name} ${percent(whole ? p.value / whole : 0)}`).join(", ");
  return (
    <div class="share-bar" role="img" aria-label={`${label}: ${text}`}>
      {parts.map((p) => p.value > 0 && <span key={p.id} class={`part ${p.tone}`} style={{ flexGrow: p.value / whole }} title={`${p.name}: ${unit(p.value)}`} />)}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty-state"><Icon name={icon} size={28} /><h2>{title}</h2>{children && <p class="muted">{children}</p>}</div>;
}

export const bytesOrDash = (n: number): string => (n > 0 ? bytes(n) : "–");
export const countOrDash = (n: number): string => (n > 0 ? count(n) : "–");
