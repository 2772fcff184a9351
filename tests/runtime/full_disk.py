#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""full_disk.py TRACER REENTRANT: a device that is full, at once or in the middle. On a small
tmpfs where user namespaces are allowed, and under a tracer that answers
fallocate and writes with ENOSPC, always. Then at a file-size limit: each event of a
program is recorded or counted as lost, once, also where functions lie behind others."""
import os
import resource
import subprocess
import sys

from harness import BIN, RUNTIME, Work, equal
from stream import COUNTED, Stream

work = Work("full_disk")
EVENTS = 20000


def check(done, path, what):
    equal((done.returncode, done.stdout), (0, "done\n"), f"{what}: the program's own end")
    equal(done.stderr.count("\n"), 1, f"{what}: said once")
    if path is None:
        return
    s = Stream(path)
    counts = s.counts()
    total = counts["allocations"] + counts["frees"] + s.lost_events
    assert 6 * EVENTS <= total <= 6 * EVENTS + 20, f"{what}: {total} events recorded and lost"
    assert s.lost_events > 0 and counts["frees"] > 100, (what, s.lost_events, counts)
    equal((s.lost_reason, s.end_how), ("space", "exit"), f"{what}: loss and end")
    s.pairs_check()
    print(f"{what}: {counts['allocations'] + counts['frees']} events recorded, {s.lost_events} lost and counted")


def in_tmpfs(kib):
    """Runs under unshare on a tmpfs of that size; the stream is copied out of it."""
    copy = work.file(f"tmpfs{kib}.memscope")
    script = (
        f"mkdir -p {work.path}/disk && mount -t tmpfs -o size={kib}k none {work.path}/disk || exit 77;"
        f"MEMSCOPE=on MEMSCOPE_OUTPUT={work.path}/disk/s.memscope LD_PRELOAD={RUNTIME} {BIN}/hostile churn; code=$?;"
        f"cp {work.path}/disk/s.memscope {copy} 2>/dev/null; exit $code"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    return done, copy if os.path.exists(copy) else None


allowed = subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode == 0
if allowed:
    for kib in (64, 300, 1024):
        done, copy = in_tmpfs(kib)
        if done.returncode == 77:
            allowed = False
            break
        assert copy, f"tmpfs of {kib} KiB: no stream"
        check(done, copy, f"tmpfs of {kib} KiB")
if not allowed:
    print("no user namespaces here: the tracer alone")

# The tracer lets some bytes through, then every system call that needs room says ENOSPC.
for room in (0, 4096, 80000, 600000):
    work.clear()
    path = work.file("traced.memscope")
    done = work.run(sys.argv[1], room, os.path.join(BIN, "hostile"), "churn", on=False, MEMSCOPE=None, LD_PRELOAD=None,
                    MS_PRELOAD=RUNTIME, MEMSCOPE_OUTPUT=path)
    check(done, path if room >= 40000 else None, f"{room} bytes of room")
    if room < 4096:
        assert not os.path.exists(path), "an empty stream is left behind"


def limited(kib):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kib << 10, kib << 10))


def events(s):
    if s.mode != COUNTED:
        return s.events()
    return sum(allocations + reallocations + frees for allocations, reallocations, _, frees, *_ in s.counted().values())


wholes = {}
# REENTRANT's functions come back to one another; those of C++ always do. Counters need no
# more room behind their first pieces: their limits are those on the way there.
for args, preload in ((["glibc"], []), ([], sys.argv[2:])):
    for mode, limits in (("full", (400, 1000)), ("exact", (400, 1000)), ("counters", range(20, 80, 4))):
        what = f"lossy {preload} {mode}"
        whole = work.record("lossy", *args, preload=preload, MEMSCOPE_MODE=mode)
        equal(whole.lost_events, 0, f"{what}: lost without a limit")
        equal(events(whole), wholes.setdefault(str(preload), events(whole)), f"{what}: events, as in every mode")
        for kib in limits:
            s = work.record("lossy", *args, preload=preload, preexec=limited(kib), MEMSCOPE_MODE=mode)
            assert s.lost_events, f"{what}, {kib} KiB: nothing is lost"
            equal(events(s) + s.lost_events, events(whole), f"{what}, {kib} KiB: events recorded and lost")
            print(f"{what}, {kib} KiB: {events(s)} events recorded, {s.lost_events} lost and counted")
