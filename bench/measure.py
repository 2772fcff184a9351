# SPDX-License-Identifier: MIT
"""Paired rounds, and what is said of their ratios."""
import contextlib
import glob
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess

import programs
from programs import WORK
from variants import BUILD, LIB

TIGHT = 1.10  # goals below it take TIGHT_ROUNDS
TIGHT_ROUNDS = 31
PEER_ROUNDS, PEER_SECONDS = 3, 20  # peers are not held to a goal; one that takes longer than that is run once


def interval(values):
    """The median's 95 % interval by order statistics, without assumptions on the
    values' distribution: the binomial chance that k or fewer of n lie below it.
    The whole range when there are too few values for it."""
    n, values, below = len(values), sorted(values), 0.0
    for k in range(n // 2):
        below += math.comb(n, k) / 2 ** n
        if below > 0.025: return values[max(k - 1, 0)], values[n - max(k - 1, 0) - 1]
    return values[0], values[-1]


def environment(variant, out):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MEMSCOPE", "LD_PRELOAD"))}
    return {**env, **{k: v.format(out=out, lib=LIB) for k, v in variant.env.items()}}


def clean(out):
    for path in glob.glob(out + "*"): shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    shutil.rmtree(os.path.join(WORK, "leveldb"), ignore_errors=True)


def run(program, variant):
    """CPU seconds of the program's own process, bytes and events of its stream (0: none), what it printed."""
    out, said = os.path.join(WORK, "stream"), os.path.join(WORK, "said")
    words = shlex.split(programs.words_of(program, variant.build))
    clean(out)
    with variant.daemon(out) if variant.daemon else contextlib.nullcontext({}) as more:
        pid = os.posix_spawn(words[0], words, {**environment(variant, out), **more},
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                                           (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
        if program.name.startswith("redis"): programs.drive_redis()
        _, status, usage = os.wait4(pid, 0)
    if status: raise RuntimeError(f"{program.name} ({variant.name}) ends with {status}")
    with open(said, "rb") as file: text = programs.steady(program, file.read())
    return usage.ru_utime + usage.ru_stime, out, text


def events_of(stream):
    p = subprocess.run([os.path.join(BUILD, "bin/memscope"), "summary", "--json", stream], capture_output=True, check=True)
    return json.loads(p.stdout)["totals"]["events"]


class Figures:
    """CPU seconds by variant, round by round, and what the stream said."""

    def __init__(self, program):
        self.program, self.cpu, self.events, self.bytes, self.failed = program, {}, 0, 0, {}
        self.against = {}  # by variant: the one it is compared with
        self.first = {}  # by variant: CPU seconds of the run that does not count

    def pairs(self, name):
        """Of the rounds in which both ran: the variant's CPU seconds, and of what it is compared with."""
        return [(a, b) for a, b in zip(self.cpu[name], self.cpu[self.against[name]]) if a is not None and b is not None]

    def ratios(self, name):
        return [a / b for a, b in self.pairs(name)]

    def ratio(self, name):
        return statistics.median(self.ratios(name))

    def range(self, name):
        return interval(self.ratios(name))

    def plain(self):
        return statistics.median(self.cpu["plain"])

    def ns(self, name):
        """Added per event, from the same pairs."""
        return statistics.median((a - b) * 1e9 / self.events for a, b in self.pairs(name))


def rounds_of(figures, variant, least):
    if variant.peer: return 1 if figures.first[variant.name] > PEER_SECONDS else min(least, PEER_ROUNDS)
    return max(least, TIGHT_ROUNDS) if figures.program.goal < TIGHT else least


def warm(figures, variants):
    """Each once before it counts: that its output is the plain one's, and what it wrote."""
    want = None
    for variant in list(variants):
        try:
            figures.first[variant.name], out, said = run(figures.program, variant)
            if want is None: want = said
            if said != want: raise RuntimeError(f"{variant.name} prints something else")
            if variant.name == "memscope": figures.events, figures.bytes = events_of(out), os.path.getsize(out)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            if not variant.peer: raise RuntimeError(str(error)) from error
            figures.failed[variant.name] = str(error)
            variants.remove(variant)
        clean(os.path.join(WORK, "stream"))


def measure(program, variants, least, step):
    """All variants in each round, one behind the other, every second round backwards."""
    figures, variants = Figures(program), list(variants)
    warm(figures, variants)
    figures.cpu = {v.name: [] for v in variants}
    figures.against = {v.name: v.against for v in variants}
    for r in range(max(rounds_of(figures, v, least) for v in variants)):
        step(r)
        for variant in variants if r % 2 == 0 else reversed(variants):
            due = r < rounds_of(figures, variant, least)
            figures.cpu[variant.name].append(run(program, variant)[0] if due else None)
            clean(os.path.join(WORK, "stream"))
    return figures
