#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Thousands of names, of four threads and of a forked child: each block has its own,
also where the disk is slow when names need more room."""
import shutil
import sys

from harness import RUNTIME, Work, equal
from stream import Stream

DIGITS, THREADS, SIZE = 6, 4, 10000
BLOCKS = 4**DIGITS

work = Work("names")


def chain(number, end):
    return ">".join([str(number >> 2 * digit & 3) for digit in range(DIGITS)] + [end])


def check(**options):
    work.clear()
    work.run("names", **options)
    parent, child = sorted((Stream(path) for path in work.streams()), key=lambda s: s.parent != "")
    for s, times, ends in ((parent, THREADS + 1, ("end", "end")), (child, 1, ("child", "end"))):
        seen = {}
        for name, size in s.named_blocks():
            if size >= SIZE:
                number = size - SIZE
                equal(name, chain(number, ends[number % 2]), f"block {number} {options or ''}")
                seen[number] = seen.get(number, 0) + 1
        equal(set(seen.values()), {times}, "how often each block is there")
        equal((len(seen), s.lost_events), (BLOCKS, 0), "blocks, lost events")
    # Two threads can give one meaning two numbers, where both meet it first; but seldom.
    meanings = {word for word in parent.names.values()}
    equal(len(meanings) >= BLOCKS * 2, True, "names of the parent")
    assert len(parent.names) < 1.5 * len(meanings), (len(parent.names), len(meanings))
    equal({k: v for k, v in child.names.items() if k in parent.names and v >> 63 == 0},
          {k: v for k, v in parent.names.items() if v >> 63 == 0 and k in child.names}, "what the child inherited")


check()
check(MEMSCOPE_WINDOW="16K")
check(MEMSCOPE_MODE="exact")
if not shutil.which("strace"):
    sys.exit("strace is not installed: ./setup does")
check(prefix=["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fallocate", "-e", "inject=fallocate:delay_enter=400000",
              "-E", f"LD_PRELOAD={RUNTIME}"], LD_PRELOAD=None)
