#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""restricted.py [STATIC]: a program that gives up system calls behaves as without us, and
is recorded as far as the room goes that was mapped before; what is lost is counted."""
import ctypes
import os
import platform
import re
import resource
import struct
import sys

from callstacks import stacks
from harness import Work, equal

RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../runtime")
work = Work("restricted")
SAYS = "about to restrict its system calls"


def calls_of(name, part="(?s).*"):
    with open(os.path.join(RUNTIME, name)) as file:
        return set(re.findall(r"\bSYS_\w+", re.search(part, file.read()).group()))


# A filter is asked about every call there is, but what a vfork child does before its own is in force.
equal(calls_of("restrict.c", r"int calls\[\] = \{[^}]*\}") | {"SYS_set_tid_address"}, calls_of("os.c"), "calls a filter is asked about, calls made")


def files_limit(most):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def refuse_fallocate():
    """As a file system or a kernel without it."""
    number, unsupported = {"x86_64": 285, "aarch64": 47}[platform.machine()], 95
    load, jump, give = 0x20, 0x15, 0x06  # of linux/filter.h
    ops = struct.pack("=" + "HBBI" * 4, load, 0, 0, 0, jump, 0, 1, number, give, 0, 0, 0x50000 | unsupported, give, 0, 0, 0x7FFF0000)
    buffer = ctypes.create_string_buffer(ops)
    program = struct.pack("@HP", 4, ctypes.addressof(buffer))
    assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0 and ctypes.CDLL(None).prctl(22, 2, program, 0, 0) == 0


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
s = recorded("restricted", "kill", 0, 100000, preexec=files_limit(4 << 20))
counts = s.counts()
events = counts["allocations"] + counts["frees"] + s.lost_events
assert s.lost_events > 0 and 300000 <= events < 300100, (counts, s.lost_events)
equal(s.lost_reason, "seccomp", "why")
print("beyond the room:", counts, "lost", s.lost_events)

# The least room: it is for rows, and a thread that gets no window of it does not end the others'.
def least_room(threads, n):
    for most in range(512 << 10, 2 << 20, 64 << 10):
        s = recorded("restricted", "kill", threads, n, preexec=files_limit(most))
        if "in 256 KiB" in s.done.stderr: return s
    raise AssertionError(f"no limit leaves 256 KiB: {s.done.stderr}")


for threads, n, least in (0, 100000, 18000), (64, 3000, 10000):
    s = least_room(threads, n)
    counts = s.counts()
    found = counts["allocations"] + counts["frees"]
    print("in the least room:", threads, found, "lost", s.lost_events, s.lost_reason)
    assert found >= least, f"{threads} threads: {found} events in the least room, lost {s.lost_events}"
    equal(s.lost_reason, "seccomp", f"{threads} threads: why")

# Where room cannot be reserved it is written.
s = recorded("restricted", "kill", 2, 8000, preexec=refuse_fallocate)
equal(s.lost_events, 0, f"without fallocate: lost events; {s.done.stderr}")

# Where recording has ended before, we make no system calls either.
s = recorded("restricted", "stopped", 0, 100000, preexec=files_limit(256 << 10))
equal(s.lost_reason, "space", "stopped: why")

# Little address space: less room, which is said, and the host keeps as much.
MOST = 320 << 20
s = recorded("restricted", "kill", 0, 8000, preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST)))
equal(s.lost_events, 0, f"little address space: lost events; {s.done.stderr}")
assert "no more was to be had" in s.done.stderr, s.done.stderr

# A filter that was refused leaves nothing behind.
s = recorded("restricted", "wrong", 0, 8000)
assert s.tail < 8 << 20 and os.stat(s.path).st_size == s.tail, (s.tail, os.stat(s.path))
deep = [sum(len(frames) > 1 for of_size in stacks(recorded("restricted", how, 0, 2000, MEMSCOPE_STACK="dwarf")).values() for frames in of_size)
        for how in ("none", "wrong")]
assert deep[0] >= 4000 and deep[1] >= deep[0], f"call stacks of several frames, without a filter and with one refused: {deep}"

# Refused while other threads record, and while another's is not.
for program in ["restricted", *sys.argv[1:]]:
    for how in ("refused", *["crossed"] * 5):
        s = recorded(program, how, 0, 20000)
        equal((s.done.stdout, s.lost_events), ("restricted\n", 0), f"{program} {how}: {s.done.stderr}")

# What a vfork child restricts is itself.
for program in ["restricted", *sys.argv[1:]]:
    s = recorded(program, "child", 0, 20000)
    equal((s.done.stdout, SAYS in s.done.stderr, s.lost_events), ("restricted\n", False, 0), f"{program} child: {s.done.stderr}")

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
