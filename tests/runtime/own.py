#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The runtime's own code under ThreadSanitizer, and under AddressSanitizer with
UndefinedBehaviorSanitizer: no report, in no mode, and every event is there."""
from harness import Work, equal
from stream import Stream

MODES = {
    "full": {},
    "rotated": {"MEMSCOPE_ROTATE": "256K"},
    "exact": {"MEMSCOPE_MODE": "exact"},
    "stacks": {"MEMSCOPE_STACK": "fp"},
    "sampled": {"MEMSCOPE_MODE": "sample=4K"},
}
# A child of threads finds ThreadSanitizer's own allocator locked at times, and hangs in it.
HOWS = {"own_thread": ("plain", "control"), "own_address_undefined": ("plain", "control", "forks")}
OPTIONS = {"TSAN_OPTIONS": "halt_on_error=1 die_after_fork=0 exitcode=66", "ASAN_OPTIONS": "detect_leaks=0 exitcode=66", "LD_PRELOAD": None}
work = Work("own")

for program in HOWS:
    for mode, options in MODES.items():
        for how in ("drawn",) if mode == "sampled" else HOWS[program]:
            work.clear()
            done = work.run(program, how, timeout=280, **OPTIONS, **options)
            equal(done.stderr, "", f"{program} {how}, {mode}: reports")
            made = list(map(int, done.stdout.split()))
            if mode == "rotated":  # its rows lie in several files, which the tool alone reads as one
                work.reads(*work.streams(f"{program}.*.memscope"))
                continue
            found = [Stream(path) for path in work.streams(f"{program}.*.memscope")]
            equal(len(found), 7 if how == "forks" else 1, f"{program} {how}, {mode}: streams")
            for s in found:
                equal(s.lost_events, 0, f"{program} {how}, {mode}: lost")
                if mode in ("full", "stacks") and not s.parent: s.pairs_check()
            if how != "control" and mode != "sampled":
                counts = max(found, key=lambda s: s.parent == "").counts()
                equal([counts["allocations"], counts["frees"], counts["reallocations"], counts["bad"]], made + [0], f"{program} {how}, {mode}: events")
        print(program, mode, "clean")
