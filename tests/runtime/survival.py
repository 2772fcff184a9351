#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""survival.py STEPS: programs that fork, spawn, jump, throw, overflow, limit and
delete. Each prints and ends as it does alone; its stream is whole, the tool reads it,
and nothing is lost that is not counted.

What a program has to survive, and where that is tested (all of them 50 times in
`./check --long`, as runtime.*_often):

    fork, forks of threads, raw clone, daemon     forks
    vfork, posix_spawn, system                    here, forks, ends
    exec, failing exec                            ends, here (limit_exec)
    2,000 threads coming and going                here (threads)
    thread exit while another reads               here (readers, and the tool reading meanwhile), thread_life
    dlclose of an instrumented library            dl
    signals in the middle of malloc               handlers, here (alarms)
    longjmp across frames                         here (jumps), handlers (out of a handler)
    exceptions across frames                      here (throws)
    nested malloc in constructors                 here (nested)
    malloc before main, behind exit handlers      here (all), ends
    stack overflow                                here (overflow)
    abort, _exit, exit in a thread, kill -9       ends, storm; exit and kill -9 under load here
    RLIMIT_AS, before and by the program itself   hostile; here (limit)
    disk full                                     full_disk
    RLIMIT_FSIZE                                  hostile
    output deleted while running                  here (deletion)
    clock steps                                   here (steps), clock
"""
import os
import random
import signal
import subprocess
import sys
import time

from harness import BIN, TOOL, Work, equal
from stream import COUNTED, MAGIC, Stream

work = Work("survival", alike="all")
steps = sys.argv[1]
WAYS = ("vfork", "spawn", "system", "threads", "jumps", "overflow", "alarms", "limit", "limit_data", "limit_exec", "readers", "deletion")


def lives(s):
    """Blocks, by rows or by counters."""
    return sum(figures[4] for figures in s.counted().values()) if s.mode == COUNTED else s.pairs_check()


def whole(path, how):
    """Its one stream: nothing lost, no bad frees. Returns it, and how many blocks live."""
    s = Stream(path)
    equal((s.lost_events, s.counts()["bad"]), (0, 0), f"{how}: lost events, bad frees")
    live = lives(s)
    assert live is not None and 0 <= live < 6000, f"{how}: {live} blocks live"
    work.reads(path)
    return s, live


def survives(program, how, *args, streams=1, **options):
    work.clear()
    work.run(program, how, *args, check=7, **options)
    paths = work.streams(f"{program}.*.memscope")
    equal(len(paths), streams, f"{how}: streams")
    found = [whole(path, how) for path in paths]
    return found[0] if found else (None, 0)


for how, mode in [(how, mode) for how in WAYS for mode in ("full", "counters")]:
    s, live = survives("survival", how, work.path, streams=0 if how == "deletion" else 1, MEMSCOPE_MODE=mode)
    if s and mode == "full":
        sizes = [row.size for row in s.sizes()]
        assert 11 in sizes and 22 in sizes, f"{how}: blocks before main"
    if how == "threads":
        equal(len(s.threads), 2001, "threads")
    if how == "jumps":
        assert live >= 100 * 51, f"jumps: {live} blocks left behind by longjmp"

# Each Inner is one block and its text another; they nest 41 deep where the constructor around them fails.
for how, nests in (("nested", 0), ("throws", 150)):
    s, live = survives("survival_new", how)
    texts = sum(row.size == 100 for row in s.sizes())
    equal(texts, 6 + sum(range(1, 51)) + nests * 41, f"{how}: blocks of constructors")

# The clock of the stream never goes back, whatever the system's does.
s, _ = survives("survival", "steps", preload=[steps])
for thread, rows in s.threads.items():
    seen = [row.ns for row in rows if row.kind == "time"]
    equal(seen, sorted(seen), f"times of thread {thread}")
    assert len(seen) > 10, seen


def reads_meanwhile():
    """The tool reads the stream of a program whose threads come and go."""
    env = work.environment()
    child = subprocess.Popen([os.path.join(BIN, "survival"), "threads"], env=env, stdout=subprocess.DEVNULL)
    looks = 0
    while child.poll() is None:
        for path in work.streams("survival.*.memscope"):
            with open(path, "rb") as file:
                if file.read(len(MAGIC)) != MAGIC: continue  # it is not begun yet
            work.reads(path)
            looks += 1
    equal(child.returncode, 7, "threads, read meanwhile")
    assert looks > 0 or not TOOL
    whole(work.streams("survival.*.memscope")[0], "threads, read meanwhile")


def ends_under_load(how):
    """Whatever moment the end comes at, in the middle of writing a chunk too, the file is whole."""
    child = subprocess.Popen([os.path.join(BIN, "survival"), "busy", how], env=work.environment(), stdout=subprocess.PIPE)
    child.stdout.readline()
    time.sleep(random.random() * 0.1)
    if how == "killed":
        child.send_signal(signal.SIGKILL)
    equal(child.wait(), {"killed": -9, "exits": 7}[how], f"busy, {how}")
    child.stdout.close()
    work.reads(*work.streams("survival.*.memscope"))


work.clear()
reads_meanwhile()
for how in ("killed", "exits") * 3:
    work.clear()
    ends_under_load(how)
