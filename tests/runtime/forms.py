#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every row of allocfn.def that this machine has: called once, recorded once,
under its own number, with its size and freed by the function that freed it."""
import re
import sys

from harness import Work, equal
from stream import ALLOC, BEGIN, END, FREE

TABLE = sys.argv[1]
HAVE = set(sys.argv[2].split(","))

numbers, via = {}, set()
for op, number, symbol in re.findall(r"^MS_ALLOCFN\((\w+), (\d+), (\w+),", open(TABLE).read(), re.M):
    if op == "VIA":
        via.add(symbol)
    else:
        numbers[symbol] = (op, int(number))

work = Work("forms")


def life_by_size(s):
    """size -> (allocating fn, op that ended it, its fn), from the rows of the main thread."""
    lives, live, last = {}, {}, None
    for row in s.threads[1]:
        if row.kind == "realloc_fail":
            live[last[0]] = last[1]
        if row.kind != "hot":
            continue
        if row.op in (ALLOC, END) and row.address:
            live[row.address] = (row.size, row.fn, row.op)
        elif row.op in (FREE, BEGIN):
            size, fn, op = live.pop(row.address, (0, 0, 0))
            last = row.address, (size, fn, op)
            lives[size] = (fn, op, row.fn, row.op)
    return lives


def fn(symbol):
    return numbers[symbol][1]


def check(lives, size, born, died, born_op=ALLOC, died_op=FREE):
    assert size in lives, f"no block of {size} bytes ({born})"
    equal(lives[size], (fn(born) if isinstance(born, str) else born, born_op, fn(died), died_op), f"block of {size} bytes")
    checked.update(x for x in (born, died) if isinstance(x, str))


checked = set()
for mode in ("full", "sample=100%"):  # drawn one by one, nothing is missed, nothing twice
    s = work.record("forms", MEMSCOPE_MODE=mode)
    list(s.sizes())  # fills in sizes above 4 GiB
    lives = life_by_size(s)
    check(lives, 100001, "malloc", "free")
    check(lives, 100002, "calloc", "free")
    check(lives, 100003, "posix_memalign", "free")
    check(lives, 100032, "aligned_alloc", "free")
    check(lives, 100005, "memalign", "free")
    check(lives, 100006, "valloc", "free")
    check(lives, 100007, "pvalloc", "free")
    check(lives, 100008, 16 + fn("realloc"), "realloc", died_op=BEGIN)
    check(lives, 200009, "realloc", "realloc", born_op=END, died_op=BEGIN)
    check(lives, 109, "realloc", "reallocarray", born_op=END, died_op=BEGIN)
    check(lives, 100100, "reallocarray", "free", born_op=END)
    check(lives, 110121, 16 + fn("reallocarray"), "free")
    check(lives, 100010, "malloc", "realloc", died_op=BEGIN)
    check(lives, 100011, "malloc", "free")
    check(lives, 5 << 30, "malloc", "free")
    if "free_sized" in HAVE:
        check(lives, 100020, "malloc", "free_sized")
    if "free_aligned_sized" in HAVE:
        check(lives, 100096, "aligned_alloc", "free_aligned_sized")
    fails = [r for r in s.rows("realloc_fail")]
    equal(len(fails), 1, "failed reallocs")  # reallocarray's overflow never reaches the allocator
    equal(s.counts()["bad"], 0, "bad frees")
    equal(s.lost_events, 0, "lost events")

    s = work.record("forms_new", MEMSCOPE_MODE=mode)
    lives = life_by_size(s)
    new, align, nothrow = ["_Znwm", "_Znam"], "St11align_val_t", "RKSt9nothrow_t"
    for i, (n, d) in enumerate([("_Znwm", "_ZdlPv"), ("_Znam", "_ZdaPv")]):
        base = 200000 + 6 * i
        check(lives, base + 1, n, d)
        check(lives, base + 2, n, d + "m")
        check(lives, base + 3, n + align, d + align)
        check(lives, base + 4, n + align, d + "m" + align)
        check(lives, base + 5, n + nothrow, d + nothrow)
        check(lives, base + 6, n + align + nothrow, d + align + nothrow)
    check(lives, 200013, "malloc", "free")
    assert lives[200016][0] == fn("_Znam"), lives[200016]
    equal(s.counts()["bad"], 0, "bad frees")
    assert s.pairs_check() is not None

missing = {symbol for symbol in numbers if symbol.startswith("_Z") or symbol in HAVE} - checked
assert not missing, f"rows of allocfn.def without a test: {missing}"
print(f"{len(checked)} functions, each recorded as itself")
