#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads: first and last rows, creators, names, late destructors, and windows
handed on from ended threads to new ones."""
import os

from harness import Work, equal
from stream import WINDOW

work = Work("thread_life", alike="all")
BRIEF = 200
s = work.record("thread_life", BRIEF)
for thread, rows in s.threads.items():
    equal(rows[0].kind, "thread_start", f"first row of thread {thread}")
    if thread > 1:
        equal(rows[-1].kind, "thread_exit", f"last row of thread {thread}")
starts = {thread: rows[0] for thread, rows in s.threads.items()}
equal(starts[1].creator, 0, "main thread's creator")
names = {row.text: row.thread for row in s.rows("thread_name")}
equal(set(names), {"outer one", "inner one"}, "names")
equal(starts[names["outer one"]].creator, 1, "outer one's creator")
equal(starts[names["inner one"]].creator, names["outer one"], "inner one's creator")
equal(len({row.tid for row in starts.values()}), len(starts), "distinct system ids")
equal(s.counts()["bad"], 0, "bad frees")

# What the destructors of four rounds did is there, whether before or behind the thread's last row.
outer = names["outer one"]
late = sorted(row.size for row in s.sizes() if row.thread == outer and 4000 < row.size < 4010)
equal(late, [4001, 4002, 4003], "blocks of late destructors")
left = s.pairs_check()
known = sum(1 for row in s.sizes() if row.size in range(3000, 5001))
equal(known, 1 + 3 + 3 + 3 * BRIEF, "blocks of the program")

# One thread at a time: one window each for main and the others, for whatever number of them.
windows = [r for r in s.records if r[1] == WINDOW and r[3] != 0]
assert len(windows) <= 6, f"{len(windows)} windows for threads that came one behind the other"
size = os.path.getsize(s.path)
assert size < BRIEF * 4096 * 2 + (1 << 20), f"{size} bytes"
print(f"{len(s.threads)} threads, {len(windows)} windows, {left} blocks left")
