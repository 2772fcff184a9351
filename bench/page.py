# SPDX-License-Identifier: MIT
"""results.md and results.svg from the figures."""
import html
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def machine(clang):
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    return f"{os.cpu_count()} cores, {model}, Linux {os.uname().release}, {clang} -O2"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def dense(all_figures):
    return table(["program", "events", "plain s", "plain ns/event", "stream bytes/event"],
                 [[f.program.name, f"{f.events:,}", f"{f.plain():.2f}", f"{f.plain() * 1e9 / f.events:.0f}", f"{f.bytes / f.events:.1f}"]
                  for f in all_figures])


def cell(figures, variant, interval):
    if variant.name not in figures.cpu: return "-"
    low, high = figures.range(variant.name)
    return f"{figures.ratio(variant.name):.2f}" + (f" ({low:.2f}-{high:.2f})" if interval else "")


def ratios(all_figures, variants, interval):
    head = ["program", *(v.name for v in variants)] + (["goal"] if interval else [])
    rows = [[f.program.name, *(cell(f, v, interval) for v in variants)] + ([f"{f.program.goal:.2f}"] if interval else [])
            for f in all_figures]
    return table(head, rows)


def added(all_figures, variants):
    return table(["program", *(v.name for v in variants)],
                 [[f.program.name, *(f"{f.ns(v.name):.1f}" if v.name in f.cpu else "-" for v in variants)] for f in all_figures])


def scaling(all_figures):
    """Added per event by the number of threads, and against one thread; nothing without that row."""
    rows = [(f, int(f.program.name.split()[1])) for f in all_figures if f.program.name.startswith("torture ")]
    one = next((f.ns("memscope") for f, threads in rows if threads == 1), None)
    if one is None or len(rows) < 2: return ""
    return "\nBy threads (torture, goal 1.30 of one thread's):\n\n" + table(
        ["threads", "added ns/event", "against one thread"],
        [[str(threads), f"{f.ns('memscope'):.1f}", f"{f.ns('memscope') / one:.2f}"] for f, threads in rows]) + "\n"


def text(all_figures, variants, rounds, clang):
    ours = [v for v in variants if not v.peer and v.name != "plain"]
    peers = [v for v in variants if v.peer]
    parts = [f"""# What recording costs

Written by `bench/record --write`. CPU time (user + system) of the program's own process against
the plain build, in pairs of one round; the median of {rounds} rounds or more (of peers: 3, slow ones: 1) and its 95 % interval.
Machine: {machine(clang)}. Figures move from run to run: compare those of one table only.
""", dense(all_figures), "\n## MemScope\n", "\n".join(f"- *{v.name}*: {v.help}" for v in ours) + "\n", ratios(all_figures, ours, True),
             "\nAdded for each event, in ns:\n", added(all_figures, ours), scaling(all_figures)]
    if peers:
        parts += ["\n## Peers, in the same rounds\n", "\n".join(f"- *{v.name}*: {v.help}" for v in peers) + "\n",
                  ratios(all_figures, peers, False), "\nAdded for each of the same events, in ns:\n", added(all_figures, peers)]
        failed = [f"- {f.program.name}, {name}: {why}" for f in all_figures for name, why in f.failed.items()]
        if failed: parts += ["\nNot measured:\n", "\n".join(failed)]
    return "\n".join(parts) + "\n"


# ---- the picture: one band a program, one bar a variant, on a logarithmic scale ----

BAR, GAP, LEFT, WIDTH, TOP = 12, 14, 150, 820, 58
STYLE = """text{font:12px system-ui,sans-serif;fill:#24292f}.n{fill:#57606a}.g{stroke:#d0d7de}.m{fill:#0969da}.p{fill:#afb8c1}.t{stroke:#cf222e;stroke-width:2}
.b{font-weight:600}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#8d96a0}.g{stroke:#30363d}.m{fill:#4493f8}.p{fill:#656c76}.t{stroke:#f85149}}"""


def x_of(ratio, most):
    return LEFT + (WIDTH - LEFT - 90) * math.log(max(ratio, 1.0)) / math.log(most)


def ticks(most):
    return [t for t in (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200) if t <= most]


def bars(figures, variants, y, most):
    lines = [f'<text class="b" x="0" y="{y + BAR}">{html.escape(figures.program.name)}</text>']
    goal = x_of(figures.program.goal, most)
    for v in variants:
        ratio = figures.ratio(v.name)
        x = max(x_of(ratio, most), LEFT + 2)
        lines.append(f'<rect class="{"p" if v.peer else "m"}" x="{LEFT}" y="{y}" width="{x - LEFT:.1f}" height="{BAR - 2}"/>'
                     f'<text class="n" x="{x + 5:.1f}" y="{y + BAR - 3}">{ratio:.2f} {html.escape(v.name)}</text>')
        if v.name == "memscope": lines.append(f'<line class="t" x1="{goal:.1f}" x2="{goal:.1f}" y1="{y - 2}" y2="{y + BAR}"/>')
        y += BAR
    return lines, y + GAP


def picture(all_figures, variants):
    shown = [v for v in variants if v.name == "memscope" or v.peer]
    most = max(f.ratio(v.name) for f in all_figures for v in shown if v.name in f.cpu) * 1.05
    body, y = [], TOP
    for f in all_figures:
        lines, y = bars(f, [v for v in shown if v.name in f.cpu], y, max(most, 2))
        body += lines
    grid = [f'<line class="g" x1="{x_of(t, max(most, 2)):.1f}" x2="{x_of(t, max(most, 2)):.1f}" y1="{TOP - 8}" y2="{y - GAP}"/>'
            f'<text class="n" text-anchor="middle" x="{x_of(t, max(most, 2)):.1f}" y="{TOP - 14}">{t}</text>' for t in ticks(max(most, 2))]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}"><style>{STYLE}</style>'
            f'<text class="b" x="0" y="16">CPU time against the plain program (logarithmic; red: MemScope\'s goal)</text>'
            + "".join(grid + body) + "</svg>\n")


def write(all_figures, variants, rounds, clang):
    with open(os.path.join(HERE, "results.md"), "w") as f: f.write(text(all_figures, variants, rounds, clang))
    with open(os.path.join(HERE, "results.svg"), "w") as f: f.write(picture(all_figures, variants))
