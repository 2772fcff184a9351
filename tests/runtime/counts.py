#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""counts.py COUNTER [ALLOCATOR…]: totals against an interposer that counts,
preloaded beneath us in the same process, to the last event; over glibc's malloc
and over other allocators put beneath both."""
import os
import struct
import sys

from harness import Work, equal, skip

COUNTER, ALLOCATORS = sys.argv[1], sys.argv[2:]
NAMES = "allocations frees reallocations live_blocks live_bytes allocated_bytes strange pid".split()
work = Work("counts")


def totals(path):
    return dict(zip(NAMES, struct.unpack("<8Q", open(path, "rb").read(64))))


def totals_file():
    """Of one run: the interposer adds to what is there."""
    path = work.file("totals")
    if os.path.exists(path):
        os.unlink(path)
    return path


def compare(program, args, beneath, **options):
    path = totals_file()
    s = work.record(program, *args, preload=[COUNTER, *beneath], MS_COUNTER=path, **options)
    want, got = totals(path), s.counts()
    what = f"{program} {' '.join(args)} over {beneath or 'glibc'} {options or ''}"
    assert want["allocations"] > 1000, f"{what}: the counter saw {want['allocations']} allocations"
    equal(want["strange"], 0, f"{what}: frees the counter does not know")
    for name in ("allocations", "frees", "reallocations"):
        equal(got[name], want[name], f"{what}: {name}")
    equal(got["bad"], 0, f"{what}: bad frees")
    equal(s.lost_events, 0, f"{what}: lost events")
    live = s.pairs_check() if not options else got["allocations"] - got["frees"]
    equal(live, want["live_blocks"], f"{what}: live blocks")
    equal(sum(r.size for r in s.sizes()), want["allocated_bytes"], f"{what}: allocated bytes")
    print(f"{what}: {want['allocations']} allocations, {want['frees']} frees, {want['reallocations']} reallocations")


def compare_counters(program, args, beneath):
    """The same of counters, which have live bytes besides."""
    path = totals_file()
    s = work.record(program, *args, preload=[COUNTER, *beneath], MS_COUNTER=path, MEMSCOPE_MODE="counters")
    want, sums = totals(path), [0] * 6
    for figures in s.counted().values():
        sums = [a + b for a, b in zip(sums, figures)]
    got = dict(zip("allocations reallocations allocated_bytes frees live_blocks live_bytes".split(), sums))
    equal(got, {name: want[name] for name in got}, f"counters of {program} over {beneath or 'glibc'}")
    equal(s.lost_events, 0, "lost events")


for beneath in [[]] + [[a] for a in ALLOCATORS]:
    compare("threads", ["8", "4000"], beneath)
    compare("threads", ["8", "4000"], beneath, MEMSCOPE_MODE="exact")
    compare("mixed", ["4000"], beneath)
    for program, args in (("threads", ["8", "4000"]), ("mixed", ["4000"])):
        compare_counters(program, args, beneath)
compare("dl", [os.path.join(os.environ["MS_BIN"], "libaddon.so")], [])
compare_counters("dl", [os.path.join(os.environ["MS_BIN"], "libaddon.so")], [])
