#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Call stacks of allocations are what an independent unwinder sees at that instant;
code without frame pointers, stacks of other kinds and frame pointers that are none
harm nobody; without the option the stream holds nothing of it."""
import os
import subprocess
import sys

from harness import BIN, Work, equal
from stream import ALLOC, END

UNWINDER = sys.argv[1] == "unwind"
work = Work("stacks")


def functions(path):
    """Name -> (start, end) in the program's file."""
    found = {}
    for line in subprocess.run(["nm", "-S", path], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) == 4:
            found[words[3]] = int(words[0], 16), int(words[0], 16) + int(words[1], 16)
    return found


def stacks(s):
    """size -> return addresses of each block of that size, by the rows; and each chunk says its own."""
    found = {}
    for thread in s.threads:
        known = {row.id: row.frames for row in s.threads[thread] if row.kind == "stack"}
        for chunk in s.chunks(thread):
            current = 0
            for row in chunk:
                if row.kind == "stack_of":
                    assert row.id in known, f"stack {row.id} of thread {thread} is not defined"
                    assert row.id != current, f"stack {row.id} is said twice"
                    current = row.id
                elif row.kind == "hot" and row.op in (ALLOC, END) and row.address:
                    found.setdefault(row.size, []).append(known.get(current, ()))
    return found


def record(program, *args, **options):
    return work.record(program, *args, MEMSCOPE_STACK="fp", **options)


def seen(s):
    """size -> the unwinder's addresses."""
    return {int(line.split()[0]): [int(ip, 16) for ip in line.split()[1:]] for line in s.done.stdout.splitlines()}


def main_module(s):
    return next(m for m in s.modules.values() if m["is_main"])


def inside(s, address, *names):
    """Which of the functions holds the address."""
    at = address - main_module(s)["bias"]
    return next((n for n in names if table[n][0] <= at < table[n][1]), None)


def root(s, ips):
    """How many frames there are up to the one that called main, or the thread's function."""
    for i, ip in enumerate(ips):
        if inside(s, ip, "main", "walker", "trapper"):
            return i + 2
    raise AssertionError("no root")


def compare(s, depth):
    frames, ips = stacks(s), seen(s)
    compared = 0
    for size, wanted in ips.items():
        if not 10000 <= size < 11000:
            continue
        (got,) = frames[size]
        equal(len(got), min(depth, root(s, wanted)), f"frames of block {size}")
        assert inside(s, got[0], "take"), f"block {size} begins at {got[0]:#x}"
        equal([hex(x) for x in got[1:]], [hex(x) for x in wanted[1 : len(got)]], f"stack of block {size}")
        compared += 1
    equal(compared, 1000, "stacks compared")


table = functions(os.path.join(BIN, "stacks"))

if UNWINDER:
    s = record("stacks", "walks")
    compare(s, 20)
    rows = [row for row in s.rows("stack")]
    equal(len({(row.thread, row.frames) for row in rows}), len(rows), "each stack of a thread has one row")
    compare(record("stacks", "walks", MEMSCOPE_STACK_DEPTH="7"), 7)
    compare(record("stacks", "walks", MEMSCOPE_STACK_DEPTH="64", MEMSCOPE_WINDOW="16K"), 64)
    compare(record("stacks", "walks", MEMSCOPE_MODE="exact"), 20)

    # A handler is called by nobody: the function it interrupted is not among its callers.
    s = record("stacks", "signals")
    for size in (20001, 20002):
        (got,), wanted = stacks(s)[size], seen(s)[size]
        at = next(i for i, ip in enumerate(wanted) if inside(s, ip, "trap"))
        without = wanted[:at] + wanted[at + 1 :]
        equal([hex(x) for x in got[1:]], [hex(x) for x in without[1 : len(got)]], "stack of a signal handler's block")
        equal(len(got), root(s, without), "frames of a signal handler's block")

# Another stack is not followed; the thread's own is again behind it.
s = record("stacks", "other")
found = stacks(s)
for size in (30001, 30002, 30004):
    equal([len(frames) for frames in found[size]], [1, 1], f"frames of block {size}, on a stack of its own")
for size in (30003, 30005):
    for frames in found[size]:
        assert len(frames) > 4 and inside(s, frames[0], "take"), (size, frames)

# What is no frame pointer: each block is there, and begins at its caller.
s = record("stacks", "garbage")
found = stacks(s)
for size in range(40000, 40019):
    equal(len(found[size]), 2, f"blocks of {size}")
    for frames in found[size]:
        assert inside(s, frames[0], "malloc_with"), (size, frames)
        equal(len(frames), 1, f"frames of block {size}: {frames}")

# Code without frame pointers: nothing but what is code is kept of what lies there.
for mode in ("walks", "signals", "other"):
    s = record("stacks_none", mode)
    table = functions(os.path.join(BIN, "stacks_none"))
    for row in s.rows("stack"):
        assert any(m["start"] <= row.frames[-1] < m["end"] for m in s.modules.values()), row
    if mode == "walks":
        equal(sum(len(f) for size, f in stacks(s).items() if 10000 <= size < 11000), 1000, "blocks")

# Operator new's own malloc is no frame.
s = record("stacks_new")
table = functions(os.path.join(BIN, "stacks_new"))
found = stacks(s)
for size, name, times in ((50001, "form_one", 2), (50002, "form_two", 2), (50003, "form_three", 1), (6400, "form_four", 1)):
    equal(len(found[size]), times, f"blocks of {size}")
    for frames in found[size]:
        assert inside(s, frames[0], name) and inside(s, frames[1], "main"), (size, [hex(f) for f in frames])

# Off: not a row.
s = work.record("stacks", "walks")
equal(len(list(s.rows("stack", "stack_of"))), 0, "rows of stacks without the option")

print("call stacks as they were")
