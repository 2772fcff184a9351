#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""survival.py [TIMES]: programs that fork, spawn, jump, overflow and delete. Each
prints and ends as it does alone; its stream is whole, and nothing is lost that
is not counted."""
import sys

from harness import Work, equal
from stream import COUNTED, Stream

work = Work("survival")
times = int(sys.argv[1]) if len(sys.argv) > 1 else 1

def lives(s):
    """Blocks, by rows or by counters."""
    return sum(figures[4] for figures in s.counted().values()) if s.mode == COUNTED else s.pairs_check()


for how in ("vfork", "spawn", "system", "threads", "jumps", "overflow", "alarms", "deletion"):
    alone = work.run("survival", how, work.path, on=False, check=7)
    for mode in ["full", "counters"] * times:
        work.clear()
        done = work.run("survival", how, work.path, check=7, MEMSCOPE_MODE=mode)
        equal((done.stdout, done.stderr), (alone.stdout, alone.stderr), f"{how}: what it says")
        paths = work.streams("survival.*.memscope")
        equal(len(paths), 0 if how == "deletion" else 1, f"{how}: streams")
        for path in paths:
            s = Stream(path)
            equal(s.lost_events, 0, f"{how}: lost")
            live = lives(s)
            assert live is not None and 0 <= live < 6000, f"{how}: {live} blocks live"
            equal(s.counts()["bad"], 0, f"{how}: bad frees")
    if how == "threads":
        equal(len(s.threads), 2001, "threads")
    if how == "jumps":
        assert live >= 100 * 51, f"jumps: {live} blocks left behind by longjmp"
