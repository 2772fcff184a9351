#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""restricted.py [STATIC]: a program that gives up system calls behaves as without us, and
is recorded as far as the room goes that was mapped before; what is lost is counted."""
import os
import re
import resource
import sys

from harness import Work, equal

RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../runtime")
work = Work("restricted")
SAYS = "about to restrict its system calls"


def calls_of(name, part="(?s).*"):
    with open(os.path.join(RUNTIME, name)) as file:
        return set(re.findall(r"\bSYS_\w+", re.search(part, file.read()).group()))


# A filter is asked about every call there is.
equal(calls_of("restrict.c", r"int calls\[\] = \{[^}]*\}"), calls_of("os.c"), "calls a filter is asked about, calls made")


def recorded(program, how, threads, n, **options):
    """The stream and the process, beside an unrecorded run of the same."""
    plain = work.run(program, how, threads, n, on=False, check=None)
    s = work.record(program, how, threads, n, check=None, **options)
    equal((s.done.returncode, s.done.stdout), (plain.returncode, plain.stdout), f"{how}: exit code and output")
    equal(s.done.returncode, 3, f"{how}: exit code")
    return s


def judge(program, how, threads, n, **options):
    s = recorded(program, how, threads, n, **options)
    counts, what = s.counts(), f"{program} {how} {options or ''}"
    blocks = 2 * n * (threads + 1)
    assert blocks <= counts["allocations"] < blocks + 60, (what, counts)
    live = counts["allocations"] - counts["frees"] - n * (threads + 1)
    assert live < 60, f"{what}: {live} live blocks too many, of {counts}"
    equal((counts["bad"], s.lost_events), (0, 0), f"{what}: bad frees, lost events")
    equal(SAYS in s.done.stderr, how in ("strict", "kill", "eperm", "wrong"), f"{what}: {s.done.stderr}")
    s.pairs_check()
    return counts


for program in ["restricted", *sys.argv[1:]]:
    for how, threads in (("none", 2), ("strict", 0), ("kill", 2), ("eperm", 2), ("deny", 2), ("twice", 0), ("probe", 0), ("wrong", 0)):
        print(program, how, judge(program, how, threads, 8000))
judge("restricted", "kill", 1, 20000, MEMSCOPE_WINDOW="4M")
same = [judge("restricted", how, 1, 5000) for how in ("none", "kill", "eperm")]
equal(same[1:], same[:2], "restricted or not, the same events")

# libunwind makes system calls of its own: call stacks end where the filter begins.
for how in ("strict", "kill", "deny"):
    s = recorded("restricted", how, 0, 2000, MEMSCOPE_STACK="dwarf")
    equal((s.counts()["bad"], s.lost_events), (0, 0), f"dwarf, {how}: bad frees, lost events")

# More than the room, which is small where files must be: what does not fit is counted.
s = recorded("restricted", "kill", 0, 100000, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)))
counts = s.counts()
events = counts["allocations"] + counts["frees"] + s.lost_events
assert s.lost_events > 0 and 300000 <= events < 300100, (counts, s.lost_events)
equal(s.lost_reason, "seccomp", "why")
print("beyond the room:", counts, "lost", s.lost_events)

# Where recording has ended before, we make no system calls either.
s = recorded("restricted", "stopped", 0, 100000, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, 256 << 10)))
equal(s.lost_reason, "space", "stopped: why")

# Little address space: less room, which is said, and the host keeps as much.
MOST = 320 << 20
s = recorded("restricted", "kill", 0, 8000, preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST)))
equal(s.lost_events, 0, f"little address space: lost events; {s.done.stderr}")
assert "no more was to be had" in s.done.stderr, s.done.stderr

# A filter that was refused leaves nothing behind.
s = recorded("restricted", "wrong", 0, 8000)
assert s.tail < 8 << 20 and os.stat(s.path).st_size == s.tail, (s.tail, os.stat(s.path))

# What a filter lets the host do, it does as without us; none of it is its stream's end.
for program in ["restricted", *sys.argv[1:]]:
    for how in ("numbers", "vfork", "lock"):
        s = recorded(program, how, 0, 2000)
        equal(s.done.stdout, "restricted\n", f"{program} {how}")
        equal(([(r.how, r.status) for r in s.rows("end")], list(s.rows("exec"))), ([("exit", 3)], []), f"{program} {how}: its end")

# Each thread counts for itself, also one that begins behind the filter in place of another.
N = 3000
s = recorded("restricted", "threads", 0, N, MEMSCOPE_MODE="counters")
made = [sum(counts["allocations"] for t, _, counts in s.counters if t == thread) for thread in (2, 3)]
assert all(N <= n < N + 40 for n in made), f"allocations of two threads, {N} each: {made}"
