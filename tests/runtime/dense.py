#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where many small blocks lie, the plane's cells are on huge pages, as far as the
kernel makes any; and no cell is lost on the way there."""
from harness import Work, equal

BLOCKS, ROUNDS = 10000, 20

work = Work("dense")
s = work.record("dense")
huge_kb, joins = map(int, s.done.stdout.split())
equal(huge_kb > 0, bool(joins), f"huge pages of the plane ({huge_kb} kB), where the kernel makes them")
counts = s.counts()
equal((s.lost_events, counts["bad"]), (0, 0), "lost, bad")
assert counts["allocations"] >= BLOCKS * ROUNDS, counts
s.pairs_check()
print(f"{huge_kb} kB of the plane on huge pages")
