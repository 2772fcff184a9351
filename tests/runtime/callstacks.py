# SPDX-License-Identifier: MIT
"""Call stacks in streams, and what the program's own unwinder saw: for the tests of both ways to find them."""
import os
import subprocess

from harness import BIN, equal
from stream import ALLOC, END


def functions(path):
    """Name -> (start, end) in the program's file."""
    found = {}
    for line in subprocess.run(["nm", "-S", path], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) == 4:
            found[words[3]] = int(words[0], 16), int(words[0], 16) + int(words[1], 16)
    return found


def stacks(s):
    """size -> return addresses of each block of that size, by the rows; and each chunk says its own."""
    found = {}
    for thread in s.threads:
        known = {row.id: row.frames for row in s.threads[thread] if row.kind == "stack"}
        for chunk in s.chunks(thread):
            current = 0
            for row in chunk:
                if row.kind == "stack_of":
                    assert row.id in known, f"stack {row.id} of thread {thread} is not defined"
                    assert row.id != current, f"stack {row.id} is said twice"
                    current = row.id
                elif row.kind == "hot" and row.op in (ALLOC, END) and row.address:
                    found.setdefault(row.size, []).append(known.get(current, ()))
    return found


class Recorder:
    """A program's recordings with call stacks, found in one way."""

    def __init__(self, work, program, how):
        self.work, self.program, self.how = work, program, how
        self.table = functions(os.path.join(BIN, program))

    def record(self, *args, **options):
        return self.work.record(self.program, *args, MEMSCOPE_STACK=self.how, **options)

    @staticmethod
    def seen(s):
        """size -> the unwinder's addresses."""
        return {int(line.split()[0]): [int(ip, 16) for ip in line.split()[1:]] for line in s.done.stdout.splitlines()}

    def inside(self, s, address, *names):
        """Which of the functions holds the address."""
        at = address - next(m for m in s.modules.values() if m["is_main"])["bias"]
        return next((n for n in names if self.table[n][0] <= at < self.table[n][1]), None)

    def root(self, s, ips):
        """How many frames there are up to the one that called main, or the thread's function."""
        for i, ip in enumerate(ips):
            if self.inside(s, ip, "main", "walker", "trapper"):
                return i + 2
        return len(ips) + 1  # the unwinder's own list was full

    def compare(self, s, depth, whole=False):
        """Each of the 1000 stacks is the unwinder's; whole: beyond main and the thread's function too."""
        frames, ips = stacks(s), self.seen(s)
        compared = 0
        for size, wanted in ips.items():
            if not 10000 <= size < 11000:
                continue
            (got,) = frames[size]
            equal(len(got), min(depth, len(wanted) if whole else self.root(s, wanted)), f"frames of block {size}")
            assert self.inside(s, got[0], "take"), f"block {size} begins at {got[0]:#x}"
            equal([hex(x) for x in got[1:]], [hex(x) for x in wanted[1 : len(got)]], f"stack of block {size}")
            compared += 1
        equal(compared, 1000, "stacks compared")
