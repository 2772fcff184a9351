// SPDX-License-Identifier: MIT
// What was recorded, what is missing, and how the figures are to be read.
import type { JSX } from "preact";
import type { Report } from "../data/report";
import { bytes, grouped, moment, time } from "../format";
import { isSampled, notOfSamples, samplingText, unknownText } from "../data/error";
import { BadFrees } from "../part/badfrees";
import { Badge, Card } from "../part/small";
import { endText } from "./overview";
import type { ViewProps } from "./registry";

const reading = (report: Report): [string, string][] => [
  ["Bytes", "what the program asked for, not what the allocator or the kernel added to it."],
  ["Peak", "the first instant of most live bytes. “At peak” is a variable's part of it; the parts add up. “Own peak” is the variable's own maximum, at any time, and does not add up."],
  ["Times", "as coarse as the recording's clock. A life shorter than one step counts as 0; the order of events is exact all the same."],
  ["Temporary", "freed before its thread's next allocation."],
  ["Not freed", `alive ${report.endWhen}. Whether it could still be reached is not known from this.`],
  ["Live", "allocations minus frees: a realloc that frees counts as a free, realloc(NULL) as an allocation."],
];

function streamText(report: Report): string {
  const size = bytes(report.num("stream_bytes")), events = report.num("events");
  if (isSampled(report)) return `${size}, ${grouped(report.table("sampling").num("sampled_allocations")[0]!)} samples for about ${grouped(events)} events`;
  return `${size}, ${grouped(events)} events${events ? `, ${(report.num("stream_bytes") / events).toFixed(1)} bytes each` : ""}`;
}

export function About({ report }: ViewProps): JSX.Element {
  const n = (name: string) => report.num(name);
  const facts: [string, string][] = [
    ["Program", report.text("program")],
    ["Arguments", report.argv.slice(1).join(" ") || "none"],
    ["Directory", report.text("directory")],
    ["Process", `${n("pid")}, parent ${n("parent_pid")}, on ${report.text("host")}`],
    ["Started", moment(n("start_unix_ms"))],
    ["Ran", `${time(n("duration_ns"))}, ${endText(report)}`],
    ["Mode", isSampled(report) ? `sampled, ${samplingText(report)}` : report.text("mode")],
    ["Clock step", time(n("clock_step_ns"))],
    ["Stream", streamText(report)],
    ["Lost events", grouped(n("lost_events"))],
    ["Bad frees", isSampled(report) ? `– ${notOfSamples}: the freed block may merely not have been drawn` : grouped(n("bad_frees"))],
    ["Failed reallocations", unknownText(report) ? `– ${unknownText(report)}` : grouped(n("failed_reallocations"))],
    ["Placed by time alone", `${grouped(n("forced"))} events`],
    ["Made by", `memscope ${report.text("version")}`],
  ];
  if (report.text("parent_stream")) facts.push(["Parent's stream", report.text("parent_stream")]);
  return (
    <div class="page">
      <header class="page-head"><h1>About this report</h1></header>
      <Notes report={report} />
      <BadFrees report={report} />
      <Card title="The recording"><dl class="terms facts-table">{facts.map(([k, v]) => <div key={k}><dt>{k}</dt><dd class="tab-num mono wrap">{v}</dd></div>)}</dl></Card>
      <Card title="How to read the figures"><dl class="terms">{reading(report).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl></Card>
    </div>
  );
}

const noteKinds = [["note", "info"], ["loss", "warn"], ["damage", "bad"]] as const;

function Notes({ report }: { report: ViewProps["report"] }): JSX.Element {
  const { notes } = report;
  return (
    <Card title="Notes">
      {notes.rows === 0
        ? <p class="muted pad">Nothing was lost and nothing is damaged.</p>
        : <ul class="notes">
            {Array.from({ length: notes.rows }, (_, i) => {
              const [word, tone] = noteKinds[notes.num("kind")[i]!] ?? noteKinds[0];
              return <li key={i}><Badge tone={tone}>{word}</Badge><span>{notes.text("text", i)}{notes.num("kind")[i] === 2 && <span class="faint"> at byte {grouped(notes.num("offset")[i]!)}</span>}</span></li>;
            })}
          </ul>}
    </Card>
  );
}
