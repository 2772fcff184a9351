#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""handlers.py REENTRANT: signal handlers that allocate, in the middle of rows,
on either stack, and that never come back. Every event is there, every stream
whole, and an interrupted thread goes on with a window of its own, and with its draws."""
import sys

from harness import Work, equal
from stream import BEGIN

work = Work("handlers", alike="end")
for how in ("return", "stack", "jump"):
    s = work.record("handlers", how, preload=[sys.argv[1]])
    interruptions, events = map(int, s.done.stdout.split())
    rows = list(s.sizes())
    count = lambda size: sum(r.size == size for r in rows)
    assert interruptions >= 2000, interruptions
    equal((count(9001), count(9002)), (interruptions, interruptions), f"{how}: the handler's blocks")
    # A jump leaves the interrupted allocation in its middle, with or without its row.
    least, most = (events, events + interruptions) if how == "jump" else (events, events)
    assert least <= count(9003) <= most, f"{how}: {count(9003)} blocks of the loop, it counted {events}"
    equal((s.lost_events, s.counts()["bad"]), (0, 0), f"{how}: lost, bad")
    s.pairs_check()
    nested = len([r for r in s.shared if r.kind == "hot"])
    own = len([r for r in s.hot() if not r.shared])
    unfinished = len(list(s.rows("unfinished")))
    assert unfinished <= (20 if how == "jump" else 0), f"{how}: {unfinished} unfinished slots"
    # Both ways were taken; how often each depends on what else the machine does.
    assert nested > 0 and own > 100, f"{how}: {own} rows in the thread's own windows, {nested} in the shared one"
    print(f"{how}: {interruptions} interruptions, {nested} rows inside rows")

# Drawn behind it all as often as ever: large ones with 9005 / 64 KiB.
BLOCKS = 50000
for how in ("return", "jump"):
    for mode, chances in (("sample=10%", {75: 0.1, 9005: 9005 / 65536}), ("sample=64K", {9005: 0.128})):
        s = work.record("handlers", how, BLOCKS, preload=[sys.argv[1]], MEMSCOPE_MODE=mode, MEMSCOPE_SEED="7")
        sizes = [r.size for r in s.sizes()]
        for size, chance in chances.items():
            wanted, got = chance * BLOCKS, sizes.count(size)
            assert abs(got - wanted) < 5 * wanted**0.5, f"{how}, {mode}: {got} blocks of {size} drawn, expected {wanted:.0f}"
        print(f"{how}, {mode}: drawn behind {len(sizes)} of them as before")
