#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""storm.py LIBMEMSCOPE STORM STORM_CHECK EVENTS: the merge by generations against both
oracles, with 4 and 16 threads, few and many slots, over glibc, jemalloc and mimalloc;
and what everybody records, full mode, against the program's own oracle; a long storm also
with threads that stand still for a while, as on a machine that has other work."""
import glob
import os
import subprocess
import sys
import tempfile

ALLOCATORS = {"glibc": None, "jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2*"}
KINDS = ((3, "exact", 0), (5000, "exact", 0), (3, "full", 0), (50, "full", 0))  # slots, mode, blocks between naps
NAPS = (3, "full", 300000)  # for a nap to be seen, an address must pass its 4096 generations meanwhile
FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/local/lib", "/usr/lib")


def library(pattern):
    found = [f for folder in FOLDERS for f in glob.glob(f"{folder}/{pattern}")]
    return found[0] if found else None


def storm(runtime, program, checker, threads, slots, events, beneath, mode, nap_every=0):
    with tempfile.TemporaryDirectory() as folder:
        stream = f"{folder}/storm.memscope"
        preload = runtime + (f" {beneath}" if beneath else "")
        environment = {**os.environ, "LD_PRELOAD": preload, "MEMSCOPE": "on", "MEMSCOPE_MODE": mode, "MEMSCOPE_OUTPUT": stream}
        subprocess.run([program, str(threads), str(slots), str(events), folder, str(nap_every)], env=environment, check=True, timeout=1200)
        done = subprocess.run([checker, stream, folder], capture_output=True, text=True, timeout=1200)
        return done.returncode, done.stdout + done.stderr


def main():
    runtime, program, checker = map(os.path.abspath, sys.argv[1:4])
    events, failed, missing = int(sys.argv[4]), 0, []
    for name, pattern in ALLOCATORS.items():
        beneath = library(pattern) if pattern else None
        if pattern and not beneath:
            missing.append(name)
            continue
        for threads in (4, 16):
            for slots, mode, nap_every in (*KINDS, NAPS) if events > 20 * NAPS[2] else KINDS:
                code, text = storm(runtime, program, checker, threads, slots, events, beneath, mode, nap_every)
                print(f"{name}, {threads} threads, {slots} slots{', naps' if nap_every else ''}: {'right' if code == 0 else 'WRONG'}: {text.strip()}", flush=True)
                failed += code != 0
    if missing:
        print("not installed, not tried:", ", ".join(missing))
    return 1 if failed else 77 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
