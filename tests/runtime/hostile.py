#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hosts that close our descriptor, take its number, lower the limits or lock all
memory: they run as they would alone, and what is lost is counted."""
import ctypes
import os
import resource
import sys

from harness import Work, equal
from stream import Stream

EVENTS = 20000
work = Work("hostile", alike="all")


def events(s):
    return sum(row.size == 100 for row in s.sizes())


for how in ("close", "closefrom", "close_range", "dup2"):
    s = work.record("hostile", how, work.file("host.file"))
    equal((events(s), s.lost_events), (2 * EVENTS, 0), f"{how}: blocks recorded and lost")
    if os.path.exists(work.file("host.file")):
        os.unlink(work.file("host.file"))

# Behind our back by a raw system call, and the number taken: the file is opened anew by its name.
s = work.record("hostile", "raw", work.file("host.file"))
equal((events(s), s.lost_events), (2 * EVENTS, 0), "raw: blocks recorded and lost")
# The host has taken every number there is: recording ends, counted, and the host's files stay its own.
s = work.record("hostile", "raw_full", work.file("host.file"))
equal((s.lost_reason, s.done.stderr.count("\n")), ("file_gone", 1), "raw_full: why, said once")
counts = s.counts()
total = counts["allocations"] + counts["frees"] + s.lost_events
assert 4 * EVENTS <= total <= 4 * EVENTS + 20, f"raw_full: {total} events recorded and lost"

# Over the file-size limit: no SIGXFSZ, the program runs on, recorded + lost = all.
for how in ("fsize", "fsize_late"):
    s = work.record("hostile", how, work.file("host.file"))
    assert "done" in s.done.stdout, s.done
    equal(s.lost_reason, "space", f"{how}: why")
    assert s.lost_events > 0 and events(s) > 1000, (s.lost_events, events(s))
    whole = s.counts()
    total = whole["allocations"] + whole["frees"] + s.lost_events
    baseline = 6 * EVENTS
    assert baseline <= total <= baseline + 20, f"{how}: {total} events recorded and lost, the program made {baseline}"
    assert "recording to" in s.done.stderr and "runs on" in s.done.stderr, s.done.stderr
    equal(s.done.stderr.count("\n"), 1, f"{how}: said once")

# The limit is there from the start: nothing is recorded, said in one line.
work.clear()
done = work.run("hostile", "churn", preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
assert "done" in done.stdout and done.stderr.count("\n") == 1, done
equal(work.streams(), [], "streams under a limit of 100 bytes")

# No address space for the plane: stamps order the events instead.
def small():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
s = work.record("hostile", "churn", preexec=small)
equal((events(s), s.lost_events, s.mode), (3 * EVENTS, 0, 2), "RLIMIT_AS: blocks, lost, mode")
stamps = [r.serial for r in s.threads[1] if r.kind == "stamp"]
assert stamps == sorted(set(stamps)) and len(stamps) >= 6 * EVENTS, len(stamps)

# Unwritable places: one line, no stream, the program's own exit code.
for path, why in [("/proc/no.memscope", "cannot write"), (work.file("none/x.memscope"), "no such directory"), ("/dev/full/x", "cannot write")]:
    done = work.run("hostile", "churn", MEMSCOPE_OUTPUT=path)
    assert done.stdout == "done\n" and why in done.stderr and done.stderr.count("\n") == 1, done

# An existing name is never touched.
first = work.file("same.memscope")
open(first, "w").write("precious")
for n in (2, 3):
    work.run("hostile", "churn", MEMSCOPE_OUTPUT=first)
    equal(Stream(f"{first}.{n}").lost_events, 0, f"same.memscope.{n}")
equal(open(first).read(), "precious", "the file that was there")

def bounded():
    """Without the right to lock what it likes: 32 TiB would be refused, not filled."""
    PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)
    most = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if most in (resource.RLIM_INFINITY, 0) or most > 256 << 20:
        most = 256 << 20
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most))


s = work.record("hostile", "mlockall", preexec=bounded)
assert s.done.stdout == "done\n", s.done
equal(events(s), 2 * EVENTS, "mlockall: blocks")
