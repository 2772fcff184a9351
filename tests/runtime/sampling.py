#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sampling: what is drawn is recorded whole and true, what is not leaves no row."""
import resource
import sys

from harness import Work, equal
from stream import ALLOC, BEGIN, END, FREE, SAMPLE

REENTRANT = sys.argv[1]
ROUNDS = 20000
work = Work("sampling")


def record(program, *args, mode="sample=5%", seed="1", **options):
    s = work.record(program, *args, MEMSCOPE_MODE=mode, MEMSCOPE_SEED=seed, **options)
    equal((s.mode, s.version, s.lost_events), (SAMPLE, 5, 0), "mode, version, lost events")
    equal([r.kind for r in s.rows("bad_free", "unseen_free")], [], "frees of blocks that were not drawn")
    return s


def near(got, wanted, p, what):
    """Of `wanted` independent draws; six standard deviations are one in a billion."""
    assert abs(got - wanted * p) < 6 * (wanted * p * (1 - p)) ** 0.5 + 1, f"{what}: {got} drawn, about {wanted * p:.0f} of {wanted} wanted"


# Names: what is drawn has its own, whatever passes between.
s = record("sampled", "names")
names, count = {}, {}
for name, size in s.named_blocks():
    names.setdefault(size, set()).add(name)
    count[size] = count.get(size, 0) + 1
equal({size: names.get(size) for size in (1001, 1002, 1003, 1004)},
      {1001: {"first"}, 1002: {"inner>second"}, 1003: {"inner"}, 1004: {"@sampled"}}, "names by size")
for size in (1001, 1002, 1003, 1004):
    near(count[size], ROUNDS, 0.05, f"blocks of {size}")
places, live = {}, {}
for row, name in s.places(1):
    places[id(row)] = name
freed = {}
for row in s.threads[1]:
    if row.kind == "hot" and row.op == ALLOC:
        live[row.address] = row.size
    elif row.kind == "hot" and row.op == FREE:
        freed.setdefault(live.pop(row.address), set()).add(places[id(row)])
equal({size: freed[size] for size in (1001, 1002, 1003, 1004)},
      {1001: {"place"}, 1002: {"other place"}, 1003: {"place"}, 1004: {"@sampled"}}, "freeing places by size")

# The same seed draws the same, another one others.
sizes = lambda s: [(r.op, r.size) for r in s.hot(ALLOC) if 1000 < r.size < 1005]
first = sizes(s)
assert sizes(record("sampled", "names")) == first, "the same seed drew otherwise"
assert sizes(record("sampled", "names", seed="2")) != first, "another seed drew the same"

# Blocks that others free; and each (address, generation) dies at most once.
s = record("sampled", "threads")
drawn = len([r for r in s.hot(ALLOC) if r.size < 400])
near(drawn, 4 * ROUNDS, 0.05, "blocks of four threads")
left = s.pairs_check()
assert 0 <= left < 40, f"{left} of the program's blocks were freed without a row"

# Reallocations: drawn anew each time, by what they give.
s = record("sampled", "reallocs")
rows = [r for r in s.threads[1] if r.kind in ("hot", "realloc_fail", "realloc_unsampled")]
opens = ends = unsampled = 0
for r in rows:
    if r.kind == "hot" and r.op == BEGIN:
        opens += 1
    elif r.kind != "hot" or r.op == END:
        opens -= 1
        assert opens >= 0, "an end without a begin"
        ends += r.kind == "hot" and r.address != 0
        unsampled += r.kind == "realloc_unsampled"
equal(opens, 0, "reallocations that never end")
near(ends, 5 * ROUNDS, 0.05, "reallocations")
near(unsampled, 5 * ROUNDS, 0.05 * 0.95, "drawn blocks that became others")
near(len([r for r in s.hot(ALLOC) if r.size == 70]), ROUNDS, 0.05, "realloc of NULL")
near(len([r for r in s.hot(FREE) if r.address]), 1.5 * ROUNDS, 0.05, "frees")

# Functions that come down to one another draw once: calloc and realloc are a malloc there.
for beneath in ((), (REENTRANT,)):
    s = record("sampled", "outers", preload=beneath)
    for size in (93, 94, 95, 128):
        near(len([r for r in s.hot(ALLOC) if r.size == size]), ROUNDS, 0.05, f"blocks of {size} {beneath}")
    equal({r.fn for r in s.hot(ALLOC) if r.size == 93}, {2}, f"function of calloc's blocks {beneath}")

# By bytes: a block of s bytes is drawn with 1 - exp(-s / T).
s = record("sampled", "names", mode="sample=20K")
p = 1 - 2.718281828459045 ** (-1002 / 20480)
near(len([r for r in s.hot(ALLOC) if r.size == 1002]), ROUNDS, p, "blocks of 1002 in 20K")

# By rate large blocks are drawn by their size, and the count of small ones passes over them,
# also where it is longer than can be counted down at once.
for mode, rate, from_bytes in (("sample=5%", 0.05, 4096), ("sample=0.02%", 0.0002, 1024)):
    s = record("sampled", "larges", mode=mode)
    near(len([r for r in s.hot(ALLOC) if r.size == 71]), 20 * ROUNDS, rate, f"small blocks, {mode}")
    for size in (2001, 20001, 70001):
        p = max(rate, min(1, size / 65536)) if size >= from_bytes else rate
        near(len([r for r in s.hot(ALLOC) if r.size == size]), ROUNDS, p, f"blocks of {size}, {mode}")

# Without the plane nothing tells a drawn block: all is recorded, and that is said.
def small():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


s = work.record("sampled", "names", preexec=small, MEMSCOPE_MODE="sample=5%")
equal((s.mode, s.version), (2, 4), "mode without the plane")
equal(len([r for r in s.hot(ALLOC) if r.size == 1001]), ROUNDS, "blocks without the plane")
assert "every event is recorded" in s.done.stderr and s.done.stderr.count("\n") == 1, s.done.stderr

# A word that is none is said, and full is used.
s = work.record("sampled", "outers", MEMSCOPE_MODE="sample=200%")
equal(s.mode, 1, "mode of a wrong word")
assert "sample=200%" in s.done.stderr, s.done.stderr
print("names, threads, reallocations, operators, no plane")
