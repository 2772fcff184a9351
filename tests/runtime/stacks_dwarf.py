#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Call stacks by unwind tables, of code without frame pointers, are what another unwinder,
GCC's, sees at that instant; where they cannot be had the program is not harmed."""
import sys

from callstacks import Recorder, stacks
from harness import Work, equal

work = Work("stacks_dwarf")
dwarf = Recorder(work, "stacks_none", "dwarf")

dwarf.compare(dwarf.record("walks"), 20, whole=True)
dwarf.compare(dwarf.record("walks", MEMSCOPE_STACK_DEPTH="7"), 7, whole=True)
dwarf.compare(dwarf.record("walks", MEMSCOPE_MODE="exact"), 20, whole=True)
dwarf.compare(dwarf.record("varied", MEMSCOPE_STACK_DEPTH="64"), 64, whole=True)

# Through a signal's frame, the function it interrupted among the callers.
s = dwarf.record("signals")
for size in (20001, 20002):
    (got,), wanted = stacks(s)[size], dwarf.seen(s)[size]
    equal([hex(x) for x in got[1:]], [hex(x) for x in wanted[1:20]], "stack of a signal handler's block")
    assert any(dwarf.inside(s, ip, "trap") for ip in got), got

# Operator new's own malloc is no frame.
cxx = Recorder(work, "stacks_new", "dwarf")
s = cxx.record()
found = stacks(s)
for size, name, times in ((50001, "form_one", 2), (50002, "form_two", 2), (50003, "form_three", 1), (6400, "form_four", 1)):
    equal(len(found[size]), times, f"blocks of {size}")
    for frames in found[size]:
        assert cxx.inside(s, frames[0], name) and cxx.inside(s, frames[1], "main"), (size, [hex(f) for f in frames])

# A stack that is not the thread's own, or has little room left: the allocation's own address alone.
s = dwarf.record("other")
found = stacks(s)
for size in (30001, 30002, 30004): equal([len(frames) for frames in found[size]], [1, 1], f"frames of block {size}")
for size in (30003, 30005):
    for frames in found[size]: assert len(frames) > 4, (size, frames)
found = stacks(dwarf.record("small"))
equal([len(frames) for frames in found[50001]], [1], "frames on a stack of 16 KiB")
assert len(found[50002][0]) > 4, found[50002]

# Before main, in a thread's destructor, at exit and behind: each block is there.
s = dwarf.record("ends")
found = stacks(s)
for size in (70001, 70002, 70003, 70004): equal(len(found.get(size, ())), 1, f"blocks of {size}")
for size, name in ((70001, "begins"), (70004, "ends_last")):
    assert dwarf.inside(s, found[size][0][0], name) and len(found[size][0]) > 2, (size, found[size])

# A library where another one was is unwound by its own tables.
s = dwarf.record("unload", *sys.argv[2:4])
for i in range(4):
    for frames in stacks(s)[90000 + i]: assert len(frames) > 3 and dwarf.inside(s, frames[1], "main"), (i, [hex(f) for f in frames])

# The numbers of files are the program's, and so is what is written to them.
alike = Work("stacks_dwarf_alike", alike="all")
alike.run("stacks_none", "descriptors", MEMSCOPE_STACK="dwarf")
equal(len(alike.streams()), 2, "streams of the process and its child")
alike.reads(*alike.streams())

# A handler in the middle of unwinding, and forks meanwhile: no hang, no crash.
dwarf.record("handlers", timeout=60)
work.clear()
work.run("stacks_none", "forks", timeout=60, MEMSCOPE_STACK="dwarf")
equal(len(work.streams()), 101, "streams of the process and its children")

# No libunwind: said once, and the allocation's own address is kept.
with open(work.file("libunwind.so.8"), "w"): pass
s = dwarf.record("walks", LD_LIBRARY_PATH=work.path)
equal(s.done.stderr.count("libunwind8"), 1, f"sentences about it: {s.done.stderr}")
equal({len(frames) for size, of_size in stacks(s).items() if 10000 <= size < 11000 for frames in of_size}, {1}, "frames without libunwind")
s = work.record(sys.argv[1], 1, MEMSCOPE_STACK="dwarf", LD_PRELOAD=None)
equal(s.done.stderr.count("static program"), 1, f"sentences about it: {s.done.stderr}")
print("call stacks as another unwinder has them")
