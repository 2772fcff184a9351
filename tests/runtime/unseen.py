#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unseen.py STATIC: what a program must not notice: off is off, its environment
is its own, a program it starts is not recorded unless asked for; and a static
program records as any other, once, also when the library is preloaded."""
import sys

from harness import Work, equal
from stream import Stream

work = Work("unseen")
for off in ({"MEMSCOPE": None}, {"MEMSCOPE": "off"}):
    done = work.run("threads", 2, 100, **off)
    equal((work.streams(), done.stderr), ([], ""), f"off by {off}")

shell = ["-c", "env; exec env"]
done = work.run("/bin/sh", *shell)
ours = [line for line in done.stdout.splitlines() if line.startswith(("MEMSCOPE", "LD_PRELOAD"))]
equal(ours, [], "what is left of us in the environment")
names = {Stream(path).program["argv"][0] for path in work.streams()}
equal(names, {"/bin/sh"}, "programs recorded")

work.clear()
work.run("/bin/sh", "-c", "exec env", MEMSCOPE_FOLLOW_EXEC="on")
names = sorted(Stream(path).program["argv"][0] for path in work.streams())
equal(names, ["/bin/sh", "env"], "programs recorded when exec is followed")

s = work.record(sys.argv[1], 4, 2000, LD_PRELOAD=None)
counts = s.counts()
equal(len(s.threads), 9, "threads of the static program")
assert 16000 <= counts["allocations"] < 16050, counts
equal((s.lost_events, s.end_how, counts["bad"]), (0, "exit", 0), "its losses, its end, bad frees")
s.pairs_check()
