#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""early.py LIBRARY: the process's very first event comes before the runtime knows what is to be
recorded. It is what it would be later: recorded, drawn, counted; and from before, while paused."""
import sys

from harness import Work, equal
from stream import ALLOC, BEGIN, END

EARLY, BYTES = sys.argv[1], 6001
GIVES = ("malloc", "calloc", "memalign", "realloc", "resize")
work = Work("early", alike="all")


def record(what, **options):
    s = work.record("counted", "none", preload=[EARLY], EARLY=what, **options)
    equal(s.lost_events, 0, f"{what} {options}: lost")
    return s


def births(s):
    return [r for r in s.hot(ALLOC, END) if r.size == BYTES]


def unknown(s, kind):
    return len(list(s.rows(kind)))


for what in (*GIVES, "free"):
    s = record(what)
    equal((len(births(s)), unknown(s, "bad_free"), unknown(s, "unseen_free")), (what != "free", what in ("resize", "free"), 0), f"{what}: recorded")
    s = record(what, MEMSCOPE_MODE="sample=100%")
    equal((len(births(s)), unknown(s, "bad_free"), unknown(s, "unseen_free")), (what != "free", 0, 0), f"{what}: drawn")
    counted = record(what, MEMSCOPE_MODE="counters").counted()
    equal(sum(c[2] for c in counted.values() if c[2] >= BYTES) >= BYTES, what != "free", f"{what}: counted {counted}")

    # Paused from the start: nothing comes, and what goes is a block from before.
    for mode in ("full", "sample=100%"):
        s = record(what, MEMSCOPE_MODE=mode, MEMSCOPE_PAUSED="on")
        equal([(r.kind, getattr(r, "size", None)) for r in s.rows("hot", "bad_free")], [], f"{what}: rows while paused, {mode}")
        if mode == "full": equal(unknown(s, "unseen_free"), what != "free", f"{what}: frees of blocks from the pause")
    s = record(what, MEMSCOPE_MODE="counters", MEMSCOPE_PAUSED="on")
    equal((len(s.hot()), unknown(s, "bad_free"), unknown(s, "unseen_free")), (0, 0, 0), f"{what}: rows of events")
    counted = s.counted()
    equal({name: c for name, c in counted.items() if name != "unseen"}, {}, f"{what}: counted while paused")
    equal(counted.get("unseen", [0] * 6)[3], what != "free", f"{what}: frees of blocks from the pause, counted")
print(f"{len(GIVES) + 1} first events, recorded, drawn, counted and paused")
