#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An event's time is the coarse clock's at that event, also of one that comes after
a pause that follows a burst; also in a program of very many libraries."""
import os
import shutil
import sys

from harness import BIN, Work
from stream import ALLOC

if "[vvar]" not in open("/proc/self/maps").read():
    print("the kernel shows no [vvar] page here")
    sys.exit(77)
work = Work("clock", alike="end")


def times_check(preload):
    s = work.record("clock", preload=preload)
    told = {int(size): (int(before), int(behind)) for size, before, behind in map(str.split, s.done.stdout.splitlines())}
    assert len(told) == 32, s.done.stdout
    times, ns = {}, 0
    for row in s.threads[1]:
        if row.kind == "time":
            ns = row.ns
        elif row.kind == "hot" and row.op == ALLOC and row.size in told:
            times[row.size] = s.start_mono_ns + ns
    for size, (before, behind) in told.items():
        before, behind = max(before, s.start_mono_ns), max(behind, s.start_mono_ns)  # the stream began at the fine clock's time
        assert before <= times[size] <= behind, f"block of {size}: {(times[size] - before) / 1e6:.3f} ms off"
    print(f"{len(told)} events at their time")


times_check([])
libraries = [work.file(f"{'long' * 40}{i}.so") for i in range(150)]  # some 150 KB of /proc/self/maps
for path in libraries:
    shutil.copy(os.path.join(BIN, "libplain.so"), path)
times_check(libraries)
