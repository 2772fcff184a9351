#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 in the middle of a storm of two threads, 20 times: the stream opens,
nothing is freed that was not allocated, and each thread's events are those it
had published, within the last one."""
import os
import random
import signal
import struct
import subprocess
import time

from harness import BIN, Work, equal
from stream import BEGIN, MAGIC, Stream

work = Work("storm")
random.seed(20)
total = 0
for round in range(20):
    work.clear()
    published = work.file("published")
    if os.path.exists(published): os.unlink(published)
    window = random.choice(["16K", "64K", "256K"])
    process = subprocess.Popen([os.path.join(BIN, "storm"), published], env=work.environment(MEMSCOPE_WINDOW=window))
    time.sleep(0.005 + random.random() * 0.01)
    process.send_signal(signal.SIGKILL)
    equal(process.wait(), -signal.SIGKILL, "the storm's end")
    paths = work.streams()
    data = open(published, "rb").read().ljust(4096, b"\0") if os.path.exists(published) else bytes(4096)
    counts = struct.unpack_from("<Q", data, 8 * 16)[0], struct.unpack_from("<Q", data, 8 * 8)[0]
    if not paths or open(paths[0], "rb").read(8) != MAGIC:
        equal(counts, (0, 0), "published before the stream had begun")
        continue
    s = Stream(paths[0])
    equal((s.end_how, s.lost_events), ("none", 0), "end and loss")
    s.pairs_check()
    # Thread 1 is main (publishes at 2), thread 2 the other (at 1). The loader allocates a little for both.
    for thread, want in zip((1, 2), counts):
        rows = [r for r in s.threads.get(thread, []) if r.kind == "hot"]
        ours = [r for r in rows if r.op != BEGIN]
        extra = len([r for r in ours if r.op == 0 and s.name(r.name).startswith("@ld-linux")])
        got = len(ours) - extra
        assert want <= got <= want + 1, f"round {round}, thread {thread}: {got} events recorded, {want} published"
        total += got
assert total > 20000, f"only {total} events in all rounds"
print(total, "events in 20 killed storms")
