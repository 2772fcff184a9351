# SPDX-License-Identifier: MIT
"""Pairs of runs, and what is said of them.

A *case* is a program in a variant against another. The two of a pair of one-thread
programs run at once, on one CPU: the kernel lets them take turns of some milliseconds,
so that whatever else slows the machine slows both alike, and what each has used is
counted by the kernel for it alone. Who is started first alternates. Programs of
several threads want all CPUs to themselves, and would wait for locks that the other
one's threads keep them from: theirs run one behind the other, in alternating order.

How this was chosen: plain against plain on two shared 2 GHz cores, the standard
deviation of a pair's ratio, by its quartiles (runs of 2.1, 0.25, 0.7 and 0.1 s):

                                          cfrac  SQLite  Lua   torture
    one behind the other, on any CPU      -      0.13    -      -
    one behind the other, on one CPU      0.08   0.09    0.15   0.10
    that, A B B A                         0.11   0.12    -      0.07
    at once, each on a CPU, then changed  0.07   0.06    -      0.05
    at once, both on one CPU              0.004  0.006   0.001  0.010

Without address space randomisation nothing changed, so it stays on, and a layout's
luck is averaged. Sharing a CPU's caches makes both dearer: torture by 12 %, SQLite 9 %,
cfrac by nothing. What is added hardly changes (torture, at once and apart: 40 ns and 37,
36 and 36, 48 and 47), so a ratio comes out lower than apart by about that share (1.51
for 1.64, 1.54 for 1.71, 1.62 for 1.75, the latter ones noisy): look at a ratio near its
limit with --apart too. Of several threads at once, equals lay 0.20 apart, and one behind
the other 0.07 to 0.20.
"""
import concurrent.futures
import contextlib
import json
import math
import os
import random
import shutil
import signal
import statistics
import struct
import subprocess
import time
from dataclasses import dataclass, field

import programs
from programs import WORK
from variants import BUILD, LIB, Variant

TIGHT = 1.10  # ratios with a lower limit take TIGHT_ROUNDS, and go on until their interval is WIDTH wide
TIGHT_ROUNDS, WIDTH = 31, 0.04
PEER_ROUNDS, PEER_SECONDS = 3, 20  # peers are not held to a limit; one that takes longer than that is run once
ALL_CPUS = os.sched_getaffinity(0)
PINNED = {max(ALL_CPUS)}
OTHERS = ALL_CPUS - PINNED or ALL_CPUS  # for ourselves, and clients


def interval(values):
    """The median's 95 % interval by order statistics, without assumptions on the
    values' distribution: the binomial chance that k or fewer of n lie below it.
    The whole range when there are too few values for it."""
    n, values, below = len(values), sorted(values), 0.0
    for k in range(n // 2):
        below += math.comb(n, k) / 2 ** n
        if below > 0.025: return values[max(k - 1, 0)], values[n - max(k - 1, 0) - 1]
    return values[0], values[-1]


@dataclass(frozen=True)
class Usage:
    cpu: float  # seconds, user and system, of the program's own process
    wall: float


@dataclass(frozen=True)
class Facts:
    """Of a program's stream."""
    events: int
    allocations: int
    rows: int  # bytes of its events' rows; the rest of bytes is tables, written once
    bytes: int
    packed: int


@dataclass
class Case:
    program: programs.Program
    variant: Variant
    against: Variant
    tight: bool = False
    pairs: list = field(default_factory=list)  # of Usage, the variant's first; None in a round it had no part in
    seconds: float = 0  # that a pair takes, about
    failed: str = ""

    def used(self):
        by = (lambda u: u.wall) if self.program.wall else (lambda u: u.cpu)
        return [(by(a), by(b)) for a, b in filter(None, self.pairs)]

    def ratios(self): return [a / b for a, b in self.used()]
    def ratio(self): return statistics.median(self.ratios())
    def range(self): return interval(self.ratios())
    def added(self, count): return [(a.cpu - b.cpu) * 1e9 / count for a, b in filter(None, self.pairs)]
    def base(self): return statistics.median(b.cpu for _, b in filter(None, self.pairs))

    def width(self):
        low, high = self.range()
        return high - low

    def least(self, limits):
        """Pairs it takes in any event."""
        if self.variant.peer: return 1 if self.seconds > PEER_SECONDS else min(limits.least, PEER_ROUNDS)
        return min(max(limits.least, TIGHT_ROUNDS), limits.most) if self.tight or self.program.apart else limits.least

    def due(self, limits):
        """Whether it takes part in one more round."""
        done = len(list(filter(None, self.pairs)))
        if self.failed or done < self.least(limits): return not self.failed
        return self.tight and not self.variant.peer and done < limits.most and self.width() > WIDTH


def environment(variant, out):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MEMSCOPE", "LD_PRELOAD"))}
    return {**env, **{k: v.format(out=out, lib=LIB) for k, v in variant.env.items()}}


def clean():
    shutil.rmtree(os.path.join(WORK, "run"), ignore_errors=True)
    os.makedirs(os.path.join(WORK, "run"))


@contextlib.contextmanager
def on(cpus):
    """What is started meanwhile runs on these."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try: yield
    finally: os.sched_setaffinity(0, before)


class Run:
    """A program that runs in a variant; what it writes begins with `out`."""

    def __init__(self, program, variant, which):
        self.program, self.variant, self.out = program, variant, os.path.join(WORK, "run", which)
        self.status = None
        words, self.begin = programs.words_of(program, variant.build, self.out), time.monotonic()
        self.around = variant.daemon(self.out) if variant.daemon else contextlib.nullcontext({})
        env = {**environment(variant, self.out), **self.around.__enter__()}
        files = [(os.POSIX_SPAWN_OPEN, 1, self.out + ".said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                 (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
        with on(ALL_CPUS if program.apart else PINNED): self.pid = os.posix_spawn(words[0], words, env, file_actions=files)

    def drive(self): programs.drive(self.program, self.out)

    def end(self):
        _, self.status, used = os.wait4(self.pid, 0)
        wall = time.monotonic() - self.begin
        self.around.__exit__(None, None, None)
        if self.status: raise RuntimeError(f"{self.program.name} ({self.variant.name}) ends with {self.status}")
        return Usage(used.ru_utime + used.ru_stime, wall)

    def said(self):
        with open(self.out + ".said", "rb") as file: return programs.steady(self.program, file.read())

    def stop(self):
        if self.status is not None: return
        os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(RuntimeError): self.end()


def together(program, *variants):
    """Usage of each; they run at once."""
    runs = []
    try:
        for variant in variants: runs.append(Run(program, variant, variant.name.replace(" ", "-")))
        with concurrent.futures.ThreadPoolExecutor() as pool: list(pool.map(Run.drive, runs))
        return [run.end() for run in runs]
    finally:
        for run in runs: run.stop()


def pair(case, r, apart):
    """The variant's Usage, and of what it is compared with; who begins goes by the round."""
    order = [case.variant, case.against][:: -1 if r % 2 else 1]
    used = [together(case.program, v)[0] for v in order] if apart or case.program.apart else together(case.program, *order)
    clean()
    return tuple(used[:: -1 if r % 2 else 1])


# ---- each program once in each variant before it counts ----

RECORD, ROWS = struct.Struct("<IIQIIQ"), (1, 2)  # memscope/stream.h: struct ms_record, its kinds WINDOW and CHUNK


def rows_of(stream):
    """Bytes of all rows: what the records of rows have in use."""
    used, at = 0, 4096
    with open(stream, "rb") as file:
        while file.seek(at) and len(head := file.read(RECORD.size)) == RECORD.size:
            _, kind, size, _, _, fill = RECORD.unpack(head)
            if not size: break
            used += fill % 2**32 if kind in ROWS else 0
            at += size
    return used


def facts_of(stream):
    tool, packed = os.path.join(BUILD, "bin/memscope"), stream + ".packed"
    said = subprocess.run([tool, "summary", "--json", stream], capture_output=True, check=True).stdout
    subprocess.run([tool, "pack", stream, "-o", packed], capture_output=True, check=True)
    totals = json.loads(said)["totals"]
    return Facts(totals["events"], totals["allocations"], rows_of(stream), os.path.getsize(stream), os.path.getsize(packed))


def once(program, variant):
    """CPU seconds, what it printed, and of `memscope` the facts."""
    run = Run(program, variant, "once")
    try:
        run.drive()
        used = run.end()
        return used.cpu, run.said(), facts_of(run.out) if variant.name == "memscope" else None
    finally:
        run.stop()
        clean()


def warm(program, variants, cases):
    """The program's facts. RuntimeError when it does not do in one of our variants what it does
    plain; a peer's case fails alone."""
    facts, want, seconds = None, None, {}
    for variant in variants:
        try:
            seconds[variant], said, known = once(program, variant)
            if want is None: want = said
            if said != want: raise RuntimeError(f"{variant.name} prints something else")
            facts = known or facts
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            if not variant.peer: raise RuntimeError(f"{program.name}, {variant.name}: {error}") from error
            for case in cases:
                if case.variant == variant: case.failed = str(error)
    for case in cases:
        if not case.failed: case.seconds = seconds[case.variant] + seconds[case.against]
    return facts


# ---- all of it ----

@dataclass
class Limits:
    least: int  # rounds
    most: int
    minutes: float  # no pair begins behind that
    apart: bool = False  # all pairs one behind the other


def left(cases, limits):
    """Seconds of the rounds still due, where they do not have to go on for an interval."""
    return sum(c.seconds * max(c.least(limits) - len(c.pairs), 0) for c in cases if not c.failed)


def measure(cases, limits, step):
    """Round by round through all cases, so that each sees the machine in all its moods."""
    end = time.monotonic() + limits.minutes * 60
    for r in range(limits.most):
        for case in cases:
            due = case.due(limits) and time.monotonic() < end
            if due: step(r, case, left(cases, limits))
            case.pairs.append(pair(case, r, limits.apart) if due else None)
        if not any(c.due(limits) for c in cases) or time.monotonic() > end: return


def quotient(of, by, times=2000):
    """The quotient of two medians, and its 95 % interval by drawing again from the rounds in
    which both were measured."""
    both = [(a, b) for a, b in zip(of, by) if a is not None and b is not None]
    of_both = lambda rows: statistics.median(a for a, _ in rows) / statistics.median(b for _, b in rows)
    dice = random.Random(1)
    drawn = sorted(of_both(dice.choices(both, k=len(both))) for _ in range(times))
    return of_both(both), drawn[times // 40], drawn[-times // 40]
