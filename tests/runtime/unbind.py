#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unbind.py ALLOCATORS…: a program that is not recorded calls what lies behind the
runtime, whether its slots are bound as it starts, and read-only then, or at the first
call; one that is, or may be, the runtime; and an allocator between keeps its place."""
import os
import sys

from harness import Work, equal

MALLOC, NEW = ("malloc", "free", "realloc", "calloc"), ("_Znwm", "_ZdlPvm")
work = Work("unbind", alike="end")


def slots(program, **options):
    lines = work.run(program, **options).stdout.splitlines()
    return {symbol: os.path.basename(library).split(".so")[0] for symbol, library in map(str.split, lines)}


for program in ("slots_lazy", "slots_now"):
    past = {**dict.fromkeys(MALLOC, "libc"), **dict.fromkeys(NEW, "libstdc++")}
    ours = dict.fromkeys((*MALLOC, *NEW), "libmemscope")
    equal(slots(program, MEMSCOPE=None), past, f"{program}: calls while off")
    equal(slots(program, MEMSCOPE=None, LD_BIND_NOW="1"), past, f"{program}: calls while off, bound at once")
    equal(slots(program), ours, f"{program}: calls while on")
    equal(slots(program, MEMSCOPE_PAUSED="on"), ours, f"{program}: calls while paused")
    for allocator in sys.argv[1:]:
        name = os.path.basename(allocator).split(".so")[0]
        found = slots(program, MEMSCOPE=None, preload=[allocator])
        equal({found[symbol] for symbol in MALLOC}, {name}, f"{program}: calls while off, with {name}")
print("ok")
