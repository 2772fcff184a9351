#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Call stacks of allocations are what an independent unwinder sees at that instant;
code without frame pointers, stacks of other kinds and frame pointers that are none
harm nobody; without the option the stream holds nothing of it."""
import sys

from callstacks import Recorder, stacks
from harness import Work, equal

UNWINDER = sys.argv[1] == "unwind"
work = Work("stacks")
fp, fp_none, fp_new = (Recorder(work, program, "fp") for program in ("stacks", "stacks_none", "stacks_new"))

if UNWINDER:
    s = fp.record("walks")
    fp.compare(s, 20)
    rows = [row for row in s.rows("stack")]
    equal(len({(row.thread, row.frames) for row in rows}), len(rows), "each stack of a thread has one row")
    fp.compare(fp.record("walks", MEMSCOPE_STACK_DEPTH="7"), 7)
    fp.compare(fp.record("walks", MEMSCOPE_STACK_DEPTH="64", MEMSCOPE_WINDOW="16K"), 64)
    fp.compare(fp.record("walks", MEMSCOPE_MODE="exact"), 20)
    # What is remembered of the walk before must not show, however deep the next one is.
    for depth in (2, 16, 20, 64): fp.compare(fp.record("varied", MEMSCOPE_STACK_DEPTH=str(depth)), depth)

    # Unwound by the libunwind that the program uses itself, each the other's witness.
    unwound = Recorder(work, "stacks", "dwarf")
    unwound.compare(unwound.record("walks"), 20, whole=True)

    # A handler is called by nobody: the function it interrupted is not among its callers.
    s = fp.record("signals")
    for size in (20001, 20002):
        (got,), wanted = stacks(s)[size], fp.seen(s)[size]
        at = next(i for i, ip in enumerate(wanted) if fp.inside(s, ip, "trap"))
        without = wanted[:at] + wanted[at + 1 :]
        equal([hex(x) for x in got[1:]], [hex(x) for x in without[1 : len(got)]], "stack of a signal handler's block")
        equal(len(got), fp.root(s, without), "frames of a signal handler's block")

# Another stack is not followed; the thread's own is again behind it.
s = fp.record("other")
found = stacks(s)
for size in (30001, 30002, 30004):
    equal([len(frames) for frames in found[size]], [1, 1], f"frames of block {size}, on a stack of its own")
for size in (30003, 30005):
    for frames in found[size]:
        assert len(frames) > 4 and fp.inside(s, frames[0], "take"), (size, frames)

# What is no frame pointer: each block is there, and begins at its caller.
s = fp.record("garbage")
found = stacks(s)
for size in range(40000, 40019):
    equal(len(found[size]), 2, f"blocks of {size}")
    for frames in found[size]:
        assert fp.inside(s, frames[0], "malloc_with"), (size, frames)
        equal(len(frames), 1, f"frames of block {size}: {frames}")

# Code without frame pointers: nothing but what is code is kept of what lies there.
for mode in ("walks", "signals", "other"):
    s = fp_none.record(mode)
    for row in s.rows("stack"):
        assert any(m["start"] <= row.frames[-1] < m["end"] for m in s.modules.values()), row
    if mode == "walks":
        equal(sum(len(f) for size, f in stacks(s).items() if 10000 <= size < 11000), 1000, "blocks")

# Operator new's own malloc is no frame.
s = fp_new.record()
found = stacks(s)
for size, name, times in ((50001, "form_one", 2), (50002, "form_two", 2), (50003, "form_three", 1), (6400, "form_four", 1)):
    equal(len(found[size]), times, f"blocks of {size}")
    for frames in found[size]:
        assert fp_new.inside(s, frames[0], name) and fp_new.inside(s, frames[1], "main"), (size, [hex(f) for f in frames])

# Off: not a row.
s = work.record("stacks", "walks")
equal(len(list(s.rows("stack", "stack_of"))), 0, "rows of stacks without the option")

print("call stacks as they were")
