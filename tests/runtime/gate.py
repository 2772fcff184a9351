#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gate changes while a function is under way: no block's end is lost, and no draw is
left to another allocation."""
from harness import Work, equal
from stream import ALLOC, ENDED, FREE

ROUNDS, BLOCK, DRAWN, PASSED = 100, 1001, 8 << 20, 7
work = Work("gate")


def record(how, mode):
    s = work.record("gate", how, LD_PRELOAD=None, MEMSCOPE_MODE=mode, MEMSCOPE_SEED="1")
    work.reads(s.path)
    return s


def ends(s, *ops):
    """How many of the blocks of BLOCK bytes end by such rows."""
    live, count = {}, 0
    for row in s.threads[1]:
        if row.kind == "hot" and row.op == ALLOC:
            live[row.address] = row.size
        elif row.kind == "hot" and live.pop(row.address, 0) == BLOCK:
            count += row.op in ops
    return count


for mode in ("full", "exact"):
    for how, op in (("free", FREE), ("realloc", ENDED)):
        s = record(how, mode)
        equal(len([row for row in s.sizes() if row.size == BLOCK]), ROUNDS, f"{mode}, {how}: blocks")
        equal(ends(s, op), ROUNDS, f"{mode}, {how}: blocks that end")
        equal(s.counts()["bad"], 0, f"{mode}, {how}: bad frees")

s = record("realloc", "counters")
counts = [c for _, name, c in s.counters if s.name(name) == "@gate"]
equal(sum(c["allocations"] for c in counts), ROUNDS, "counted")
equal((sum(c["ended"] for c in counts), sum(c["vanished"] for c in counts)), (ROUNDS, 0), "counted ends, and those that nobody saw")

s = record("draw", "sample=64K")
sizes = [row.size for row in s.sizes()]
equal((sizes.count(DRAWN), sizes.count(PASSED)), (ROUNDS, 0), "blocks that were drawn, blocks that were not")
