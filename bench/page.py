# SPDX-License-Identifier: MIT
"""results.md, results.svg and README's quote from the figures."""
import html
import math
import os
import statistics
from dataclasses import dataclass

import goals
import reading
import variants

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURE = "![Bars: CPU time against the plain program, MemScope's and its peers']({}results.svg)"
README, MARKS = os.path.join(HERE, "../README.md"), ("<!-- bench/record --write -->\n", "<!-- end -->\n")


@dataclass(frozen=True)
class About:
    """The run."""
    goals: bool
    apart: bool
    minutes: float
    clang: str
    speeds: tuple  # programs.speeds(), before and behind


def machine(clang):
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    return f"{os.cpu_count()} CPUs, {model}, Linux {os.uname().release}, {clang} -O2"


def speeds(about):
    before, behind = about.speeds
    both = [f"{a:g} and {b:g}" for a, b in zip(before, behind)]
    return (f"Before the run and behind it an addition took {both[0]} ns, a load from memory {both[1]} ns, and 4 KiB of a new file\n"
            f"{both[2]} ns (`machine.c`): figures in ns go up and down with these.")


def table(head, rows):
    """Padded, so that it reads as text too; figures stand at the right."""
    figures = [i > 0 and any(r[i].lstrip("-")[:1].isdigit() for r in rows) for i in range(len(head))]
    wide = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
    cells = lambda r: "| " + " | ".join(c.rjust(w) if f else c.ljust(w) for c, w, f in zip(r, wide, figures)) + " |"
    rule = "|" + "|".join("-" * (w + 1) + (":" if f else "-") for w, f in zip(wide, figures)) + "|"
    return "\n".join([cells(head), rule, *map(cells, rows)])


def promised(measured):
    """A row for each goal of the programs that ran."""
    rows = []
    for goal in goals.GOALS:
        found = goals.figure(goal, measured) if goal.program in measured.facts else None
        if not found: continue
        value, low, high, wide = (goals.said(goal, v) for v in (*found, found[2] - found[1]))
        case = measured.case(goal.program, goal.variant, goal.against)
        counted = [""] * 3 if "bytes" in goal.unit else [f"{low} to {high}", wide, str(len(case.used()))]
        rows.append([goal.line, goal.program, value, *counted, f"{goal.limit:g}", goal.unit, *goals.verdict(goal, measured)[:1],
                     goals.heaptrack(goal, measured)])
    return table(["recorded", "program", "figure", "95 % interval", "its width", "pairs", "limit", "unit", "limit is", "heaptrack, by plain"], rows)


def one_block(measured):
    """What stands beside the nanoseconds of an event."""
    case, facts = measured.case(goals.ONE, "memscope", "plain"), measured.facts.get(goals.ONE)
    if not case: return ""
    return f"\nOf {goals.ONE} a plain block takes {case.base() * 1e9 / facts.allocations:.0f} ns, of two events: malloc, filling it, free."


def plain(measured):
    """The programs as they are without us, and their streams."""
    rows = []
    for program in measured.order:
        facts = measured.facts[program.name]
        cases = [c for c in measured.cases.values() if c.program == program and c.against.name == "plain" and any(c.pairs)]
        if not cases: continue
        cpu = statistics.median(c.base() for c in cases)
        rows.append([program.name, f"{facts.events:,}", f"{cpu:.2f}", f"{cpu * 1e9 / facts.events:.0f}", f"{cpu * 1e9 / facts.allocations:.0f}",
                     f"{facts.rows / facts.events:.2f}", f"{facts.bytes / facts.events:.2f}", f"{facts.packed / facts.events:.2f}"])
    return table(["program", "events", "plain CPU s", "plain ns/event", "plain ns/allocation", "rows bytes/event", "stream bytes/event", "packed bytes/event"], rows)


def kinds(measured, peer):
    """(variant, against) that were measured, in their order."""
    found = {(c.variant, c.against) for c in measured.cases.values() if c.variant.peer == peer and any(c.pairs)}
    return sorted(found, key=lambda k: (variants.VARIANTS.index(k[0]), k[1].name))


def by_program(measured, columns, cell, names=None):
    """A row for each program; '-' where it was not measured."""
    rows = []
    for program in (p for p in measured.order if not names or p.name in names):
        cases = [measured.case(program.name, v.name, a.name) for v, a in columns]
        if any(cases): rows.append([program.name, *(cell(c) if c else "-" for c in cases)])
    return table(["program", *(v.name if a.name == "plain" else f"{v.name} by {a.name}" for v, a in columns)], rows)


def ratio(case):
    if case.variant.peer: return f"{case.ratio():.2f}"
    low, high = case.range()
    return f"{case.ratio():.3f} ({low:.3f}-{high:.3f})"


def added(measured):
    return lambda case: f"{statistics.median(case.added(measured.facts[case.program.name].events)):.1f}"


def helps(columns):
    return "\n".join(f"- *{v.name}*: {v.help}" for v in dict.fromkeys(w for pair in columns for w in pair) if v.name != "plain") + "\n"


def compared(measured, peer, title):
    columns = kinds(measured, peer)
    if not columns: return []
    return [f"\n## {title}\n", helps(columns), "Ratios:\n", by_program(measured, columns, ratio),
            "\nAdded for each event (of the full stream), in ns:\n", by_program(measured, columns, added(measured))]


def not_measured(measured):
    failed = [f"- {c.program.name}, {c.variant.name}: {c.failed}" for c in measured.cases.values() if c.failed]
    return ["\nNot measured:\n", "\n".join(failed)] if failed else []


def read(results):
    """What reading costs."""
    if not results: return []
    missed = [f"{r.case.stream.name}, {r.case.verb}: {words}" for r in results for words in r.missed()]
    return ["\n## Reading a stream\n", table(reading.HEAD, [reading.row(r) for r in results]),
            "\nMissed: " + "; ".join(missed) + "." if missed else "\nAll goals are met."]


HOW = "the two of a pair at once on one CPU, taking turns; programs of several threads, which want all CPUs, one behind the other"


def text(measured, results, about):
    how = "the two of a pair one behind the other" if about.apart else HOW
    parts = [f"""# What recording costs

`bench/record` wrote this in {about.minutes:.0f} minutes. CPU time (user + system) of the program's own process, in pairs:
{how} (`measure.py` says why). larson is compared by throughput.
Figures are medians of the pairs, with their 95 % interval (of fewer than six pairs: their range); ratios are against the
plain program where nothing else is said. Programs that share a CPU's caches are dearer, so that ratios of those that
use much memory come out lower at once than apart (`--apart`); what is added for an event does not.
Machine: {machine(about.clang)}.
{speeds(about)}
Figures move from machine to machine and from run to run: compare those of one table only.
"""]
    if about.goals: parts += ["## What is promised\n", promised(measured), one_block(measured), ""]
    parts += ["## The programs\n", plain(measured), *compared(measured, False, "MemScope"), *compared(measured, True, "Peers"),
              *not_measured(measured), *read(results)]
    return "\n".join(parts) + "\n"


def quote(measured):
    """README's lines: our ratios and heaptrack's, of the programs that something is promised of."""
    columns = [(variants.BY_NAME[name], variants.BY_NAME["plain"]) for name in ("memscope", "sample 512K", "heaptrack")]
    short = lambda case: f"{case.ratio():.2f}"
    return ("CPU time against the plain program, of every event with its name, of a sample, and of heaptrack:\n\n"
            + by_program(measured, columns, short, (*goals.FULL, goals.ONE)) + f"\n\n{PICTURE.format('bench/')}\n")


# ---- the picture: one band a program, one bar a variant, on a logarithmic scale ----

BAR, GAP, LEFT, WIDTH, TOP, EDGE = 15, 12, 165, 860, 58, 10
STYLE = """text{font:12px system-ui,sans-serif;fill:#24292f}.n{fill:#57606a}.g{stroke:#d0d7de}.m{fill:#0969da}.p{fill:#afb8c1}.t{stroke:#cf222e;stroke-width:2}
.b{font-weight:600}.w{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#8d96a0}.g{stroke:#30363d}.m{fill:#4493f8}.p{fill:#656c76}.t{stroke:#f85149}.w{fill:#0d1117}}"""


def x_of(ratio, most):
    return LEFT + (WIDTH - LEFT - 130) * math.log(max(ratio, 1.0)) / math.log(most)


def ticks(most):
    return [t for t in (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200) if t <= most]


def bars(measured, program, shown, y, most):
    lines = [f'<text class="b" x="0" y="{y + BAR - 3}">{html.escape(program.name)}</text>']
    limit = goals.limit_of(program.name, "memscope", "plain")
    for case in shown:
        x = max(x_of(case.ratio(), most), LEFT + 2)
        lines.append(f'<rect class="{"p" if case.variant.peer else "m"}" x="{LEFT}" y="{y}" width="{x - LEFT:.1f}" height="{BAR - 2}"/>'
                     f'<text class="n" x="{x + 5:.1f}" y="{y + BAR - 3}">{case.ratio():.2f} {html.escape(case.variant.name)}</text>')
        if case.variant.name == "memscope" and limit < 9:
            lines.append(f'<line class="t" x1="{x_of(limit, most):.1f}" x2="{x_of(limit, most):.1f}" y1="{y - 2}" y2="{y + BAR}"/>')
        y += BAR
    return lines, y + GAP


def picture(measured):
    """A band for each program whose full recording was measured."""
    columns = kinds(measured, False) + kinds(measured, True)
    of = lambda p: [c for v, a in columns if (v.name == "memscope" or v.peer) and a.name == "plain" and (c := measured.case(p.name, v.name, a.name))]
    bands = [(p, of(p)) for p in measured.order if any(c.variant.name == "memscope" for c in of(p))]
    most, body, y = max([2, *(c.ratio() * 1.05 for _, cases in bands for c in cases)]), [], TOP
    for program, cases in bands:
        lines, y = bars(measured, program, cases, y, most)
        body += lines
    grid = [f'<line class="g" x1="{x_of(t, most):.1f}" x2="{x_of(t, most):.1f}" y1="{TOP - 8}" y2="{y - GAP}"/>'
            f'<text class="n" text-anchor="middle" x="{x_of(t, most):.1f}" y="{TOP - 14}">{t}</text>' for t in ticks(most)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-EDGE} 0 {WIDTH} {y}" width="{WIDTH}" height="{y}"><style>{STYLE}</style>'
            f'<rect class="w" x="{-EDGE}" width="{WIDTH}" height="{y}"/>'
            f'<text class="b" x="0" y="20">CPU time against the plain program (logarithmic; red: what is promised)</text>'
            + "".join(grid + body) + "</svg>\n")


def put(path, content):
    with open(path, "w") as file: file.write(content)


def write(measured, results, about):
    put(os.path.join(HERE, "results.md"), text(measured, results, about) + f"\n{PICTURE.format('')}\n")
    put(os.path.join(HERE, "results.svg"), picture(measured))
    with open(README) as file: readme = file.read()
    before, rest = readme.split(MARKS[0])
    put(README, before + MARKS[0] + quote(measured) + MARKS[1] + rest.split(MARKS[1])[1])
