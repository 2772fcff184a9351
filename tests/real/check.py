#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads `memscope summary --json` and holds it against what the source says.

  check.py names    SUMMARY NAMES [--source TREE] [--only]   a 7th column is the exact count
  check.py coverage SUMMARY [--named P --wrapper P --typed P] [--layers LAYERS --source DIR]
  check.py drawn    SUMMARY DRAWN [--judge]
  check.py counts   SUMMARY COUNTS
  check.py same     SUMMARY FULL       the figures counters have, of every site, thread, type and module
  check.py sites    SUMMARY            one line per site: holder, type, file, line

Exit 0 when all holds, 1 with one line for each difference.
"""
import argparse, json, os, random, re, sys


def table(path, columns):
    rows = []
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line and not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) < columns:
                sys.exit(f"{path}: {columns} columns wanted: {line}")
            rows.append(cells)
    return rows


def key(site):
    return site["holder"], site["type"], os.path.basename(site["file"] or ""), site["function"]


def find(tree, name):
    """A source file below tree, nearest to the root first."""
    found = [os.path.join(d, name) for d, _, files in os.walk(tree) if name in files]
    return sorted(found, key=lambda p: (p.count("/"), p))


def names(a):
    sites = {}
    for s in a.summary["sites"]:
        sites.setdefault(key(s), []).append(s)
    rows, wrong, quoted = table(a.list, 6), [], {}
    for row in rows:
        holder, type_, file, function, line, text = row[:6]
        if a.source:
            if file not in quoted:
                quoted[file] = [open(p, errors="replace").read().split("\n") for p in find(a.source, file)]
            if not any(len(t) >= int(line) and " ".join(t[int(line) - 1].split()) == text for t in quoted[file]):
                wrong.append(f"{file}:{line} does not read `{text}`: another source?")
        got = [s for h in holder.split(" | ") for s in sites.get((h, type_, file, function), [])
               if s["allocations"] > 0 and s["line"] == int(line)]
        total = sum(s["allocations"] for s in got)
        if len(row) > 6 and got and total != int(row[6]):
            wrong.append(f"{holder} : {type_} in {function} has {total} allocations, not {row[6]}")
        if not got:
            near = sorted({f'{s["holder"]} : {s["type"]} ×{s["allocations"]} (:{s["line"]})' for s in a.summary["sites"]
                           if os.path.basename(s["file"] or "") == file and s["function"] == function and s["allocations"]})
            wrong.append(f"missing {holder} : {type_} in {function}, {file}:{line}; there: {', '.join(near) or 'nothing'}")
    if a.only:
        true = {tuple(r[:4]) for r in rows}
        wrong += [f'not a true name: {s["holder"]} : {s["type"]} in {s["function"]}, {s["file"]}:{s["line"]} ×{s["allocations"]}'
                  for k, group in sites.items() if k not in true for s in group if s["allocations"] and s["file"]]
    print(f"{max(0, len(rows) - len(wrong))} of {len(rows)} true names found")
    return wrong


SAME = {  # group: what a row is known by, and the figures that need no events
    "sites": (("holder", "type", "file", "line", "column", "function", "module", "chain"),
              ("allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes", "threads")),
    "types": (("name", "size"), ("allocations", "live_bytes")),
    "holders": (("holder", "type"), ("allocations", "live_bytes")),
    "modules": (("name",), ("allocations", "live_bytes")),
    "threads": (("id",), ("allocations", "frees", "allocated_bytes")),
}


def figures(rows, known_by, fields):
    found = {}
    for row in rows:
        name = json.dumps([row[k] for k in known_by])
        found.setdefault(name, []).append([row[f] for f in fields])
    return {name: sorted(values) for name, values in found.items()}


def same(a):
    full, wrong = json.load(open(a.list, encoding="utf-8")), []
    for group, (known_by, fields) in SAME.items():
        got, want = figures(a.summary[group], known_by, fields), figures(full[group], known_by, fields)
        wrong += [f"{group} {n[:200]}: {got.get(n)}, in full mode {want.get(n)}" for n in sorted(set(got) | set(want)) if got.get(n) != want.get(n)]
    for field in ("allocations", "frees", "reallocations", "allocated_bytes", "live_blocks", "live_bytes", "threads", "events", "lost_events"):
        if a.summary["totals"][field] != full["totals"][field]:
            wrong.append(f'total {field} {a.summary["totals"][field]}, in full mode {full["totals"][field]}')
    if a.summary["coverage"] != full["coverage"]: wrong.append(f'coverage {a.summary["coverage"]}, in full mode {full["coverage"]}')
    print(f'{len(full["sites"])} sites, {full["totals"]["events"]} events, {full["totals"]["live_bytes"]} bytes live')
    return wrong


def share(part, whole):
    return 100.0 * part / whole if whole else 100.0


def layer_sites(a):
    """Named sites inside the programs' allocation layers."""
    wrong = []
    for file, function in (r[:2] for r in table(a.layers, 2)):
        first, last = 0, 1 << 60
        if "@" in file:
            file, part = file.split("@")
            for path in find(a.source, file)[:1]:
                text = open(path, errors="replace").read().split("\n")
                first = next(i for i, t in enumerate(text, 1) if f"Begin file {part} " in t)
                last = next(i for i, t in enumerate(text, 1) if f"End of {part} " in t)
        for s in a.summary["sites"]:
            if (os.path.basename(s["file"] or "") == file and first <= s["line"] <= last and s["allocations"] > 0
                    and (function == "*" or s["function"] == function)):
                wrong.append(f'a name stands in {function} of {file}: {s["holder"]} : {s["type"]} :{s["line"]} ×{s["allocations"]}')
    return wrong


def coverage(a):
    c, t = a.summary["coverage"], a.summary["totals"]
    count = c["named_allocations"] + c["wrapper_only_allocations"] + c["unnamed_allocations"]
    size = c["named_bytes"] + c["wrapper_only_bytes"] + c["unnamed_bytes"]
    named, wrapper, typed = share(c["named_allocations"], count), share(c["wrapper_only_allocations"], count), share(c["typed_bytes"], size)
    print(f"{count} allocations, {size} bytes: named {named:.3f} %, wrapper only {wrapper:.3f} %, typed bytes {typed:.2f} %")
    wrong = []
    if count != t["allocations"]:
        wrong.append(f'coverage adds up to {count} allocations, totals say {t["allocations"]}')
    if a.named and named < a.named: wrong.append(f"named {named:.3f} % < {a.named} %")
    if a.wrapper and wrapper > a.wrapper: wrong.append(f"wrapper only {wrapper:.3f} % > {a.wrapper} %")
    if a.typed and typed < a.typed: wrong.append(f"typed bytes {typed:.2f} % < {a.typed} %")
    return wrong + (layer_sites(a) if a.layers else [])


def draw(summary, seed=20, per=20):
    """40 allocations: half uniformly over allocations, half over bytes."""
    rng = random.Random(seed)
    sites = sorted((s for s in summary["sites"] if s["allocations"] > 0),
                   key=lambda s: (os.path.basename(s["file"] or ""), s["line"], s["column"], s["holder"] or "", s["type"] or ""))
    out = []
    for weight in ("allocations", "allocated_bytes"):
        total = sum(s[weight] for s in sites)
        for point in sorted(rng.random() for _ in range(per)):
            left = point * total
            for s in sites:
                left -= s[weight]
                if left < 0:
                    out.append(s)
                    break
    return out


def site_key(s):
    return s["holder"] or "", s["type"] or "", os.path.basename(s["file"] or ""), str(s["line"]), s["function"] or ""


def drawn(a):
    """Verdicts: true; inner, a constructor's own name where more was allocated before its end; or what is wrong."""
    judged = {tuple(r[:5]): r[5] for r in table(a.list, 6)} if os.path.exists(a.list) else {}
    wrong, picks = [], draw(a.summary)
    for s in picks:
        k = site_key(s)
        verdict = judged.get(k)
        if a.judge:
            text = ""
            if s["file"] and os.path.exists(s["file"]):
                text = open(s["file"], errors="replace").read().split("\n")
                text = " | ".join(t.strip() for t in text[max(0, s["line"] - 2):s["line"] + 2])
            chain = " ← ".join("%s:%d %s" % (c["function"], c["line"], c["holder"]) for c in reversed(s["chain"][:-1]))
            print("\t".join(k), verdict or "?", f'×{s["allocations"]} {s["allocated_bytes"]}B', chain, text, sep="\t")
        elif verdict is None:
            wrong.append("not judged yet: " + " ".join(k))
        elif verdict not in ("true", "inner"):
            wrong.append(f"judged {verdict}: " + " ".join(k))
    inner = sum(judged.get(site_key(s)) == "inner" for s in picks)
    print(f"{len(picks) - len(wrong)} of {len(picks)} drawn allocations judged true, "
          f"{inner} of them by the name their constructor gave; {len(judged)} sites judged")
    return wrong


def counts(a):
    """COUNTS: lines `name value` of the counting interposer."""
    told = {r.split()[0]: int(r.split()[1]) for r in open(a.list)}
    t, wrong = a.summary["totals"], []
    for name in ("allocations", "frees", "reallocations", "live_blocks", "live_bytes", "allocated_bytes"):
        if name in told:
            print(f"{name}: interposer {told[name]}, summary {t[name]}")
            if told[name] != t[name]: wrong.append(f"{name} differs by {t[name] - told[name]}")
    if t["lost_events"]: wrong.append(f'{t["lost_events"]} events lost')
    if not a.summary["process"]["complete"]: wrong.append("the stream is not complete")
    return wrong


def sites(a):
    rows = {(s["holder"], s["type"], os.path.basename(s["file"]), s["line"]) for s in a.summary["sites"] if s["file"] and s["allocations"] > 0}
    for r in sorted(rows, key=str): print(*r, sep="\t")
    return []


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("step", choices=["names", "coverage", "drawn", "counts", "same", "sites"])
    p.add_argument("summary")
    p.add_argument("list", nargs="?")
    for name in ("--named", "--wrapper", "--typed"): p.add_argument(name, type=float)
    for name in ("--layers", "--source"): p.add_argument(name)
    p.add_argument("--judge", action="store_true", help="print the drawn sites with their source lines")
    p.add_argument("--only", action="store_true", help="no other name may be given")
    a = p.parse_args()
    a.summary = json.load(open(a.summary, encoding="utf-8"))
    wrong = globals()[a.step](a)
    for line in wrong: print("  " + line)
    return 1 if wrong else 0


sys.exit(main())
