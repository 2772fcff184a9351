# SPDX-License-Identifier: MIT
"""What reading a stream costs: torture.c with 100,000 and with a million blocks alive,
by one thread and by two, through `summary` and `report`, held to its goals."""
import json
import os
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass

import programs
import variants

TOOL = os.path.join(variants.BUILD, "bin/memscope")
HTML = os.path.join(programs.WORK, "analysis.html")
VERBS = {"summary": ["summary", "--json"], "report": ["report", "-o", HTML]}
LARGE = 5 * 10**9 // 12


@dataclass(frozen=True)
class Stream:
    name: str
    threads: int
    live: int  # of all threads together
    events: int = 0  # 0: as asked for

    @property
    def path(self):
        return os.path.join(programs.WORK, f"analysis-{self.name.replace(' ', '-')}.memscope")


@dataclass(frozen=True)
class Case:
    stream: Stream
    verb: str
    million_s: float = 0  # goals: million events a second, CPU seconds for 50 million events
    cpu: float = 0


HUNDRED, MILLION = Stream("100k live", 1, 100_000), Stream("1M live", 1, 1_000_000)
HUNDRED2, MILLION2 = Stream("100k live 2 threads", 2, 100_000), Stream("1M live 2 threads", 2, 1_000_000)
CASES = [Case(HUNDRED, "summary", 17), Case(MILLION, "summary", 8), Case(HUNDRED2, "summary", 17), Case(MILLION2, "summary", 8),
         Case(HUNDRED, "report", cpu=4), Case(HUNDRED2, "report", cpu=4)]
LARGE_CASE = Case(Stream("5 GB", 1, 100_000, LARGE), "summary")


def record(stream, events):
    """Two events a round; seven of eight slots are full."""
    program = os.path.join(programs.WORK, "torture-analysis")
    slots = stream.live * 8 // 7 // stream.threads + 1
    programs.compile_c("plain", [os.path.join(programs.HERE, "torture.c")], program, f"-DSLOTS={slots}")
    env = {**os.environ, "LD_PRELOAD": os.path.join(variants.LIB, "libmemscope.so"), "MEMSCOPE": "on", "MEMSCOPE_OUTPUT": stream.path}
    subprocess.run([program, str(stream.threads), str((stream.events or events) // 2 // stream.threads)], env=env, check=True, stdout=subprocess.DEVNULL)


def start(tool, case):
    to = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    return os.posix_spawn(tool, [tool, *VERBS[case.verb], case.stream.path], os.environ, file_actions=to)


def ended(pid, flags=0):
    """What the tool has used; None while it runs."""
    done, status, usage = os.wait4(pid, flags)
    if done and status: raise RuntimeError(f"the tool ends with {status}")
    return usage if done else None


def timed(tool, case):
    """Wall and CPU seconds."""
    begin = time.monotonic()
    usage = ended(start(tool, case))
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime


def memory(tool, case):
    """Bytes: the largest RSS, and the largest part of it that is no file."""
    pid, most = start(tool, case), 0
    while not (usage := ended(pid, os.WNOHANG)):
        with open(f"/proc/{pid}/statm") as file: _, resident, of_files, *_ = map(int, file.read().split())
        most = max(most, (resident - of_files) * resource.getpagesize())
        time.sleep(0.002)
    return usage.ru_maxrss * 1024, most


def facts(stream):
    """Events, and the bytes of heap that reading the stream may take."""
    out = json.loads(subprocess.run([TOOL, "summary", "--json", stream.path], capture_output=True, check=True).stdout)
    return out["totals"]["events"], 64e6 + 64 * stream.live + 512 * len(out["sites"])


@dataclass
class Result:
    case: Case
    events: int
    bound: float
    wall: dict  # by tool: seconds, round by round
    cpu: dict
    rss: int = 0
    heap: int = 0

    def speed(self): return self.events / statistics.median(self.wall[TOOL]) / 1e6
    def seconds(self): return statistics.median(self.cpu[TOOL])

    def against(self, figures, tool):
        """Theirs by ours, in pairs of one round."""
        return statistics.median(b / a for a, b in zip(figures[TOOL], figures[tool]))

    def missed(self):
        """Goals in words, those that are missed."""
        goals = [(self.speed() < self.case.million_s, f"{self.case.million_s} million events/s"),
                 (self.case.cpu and self.seconds() > self.case.cpu * self.events / 50e6, f"{self.case.cpu} s CPU for 50 million events"),
                 (self.heap > self.bound, f"{self.bound / 1e6:.0f} MB heap")]
        return [words for miss, words in goals if miss]


def measured(cases, tools, rounds):
    """The cases of one stream, which is there."""
    events, bound = facts(cases[0].stream)
    results = [Result(c, events, bound, {t: [] for t in tools}, {t: [] for t in tools}) for c in cases]
    for r in range(rounds):
        for result in results:
            for tool in tools if r % 2 == 0 else reversed(tools):
                wall, cpu = timed(tool, result.case)
                result.wall[tool].append(wall)
                result.cpu[tool].append(cpu)
    for result in results: result.rss, result.heap = memory(TOOL, result.case)
    return results


HEAD = ["stream", "verb", "events", "M events/s", "wall s", "CPU s", "M events/CPU s", "goal", "RSS MB", "heap MB", "heap's bound MB"]


def row(result, others=()):
    case, goal = result.case, []
    if case.million_s: goal.append(f"{case.million_s} M/s")
    if case.cpu: goal.append(f"{case.cpu * result.events / 50e6:.1f} s CPU")
    return [case.stream.name, case.verb, f"{result.events:,}", f"{result.speed():.1f}", f"{statistics.median(result.wall[TOOL]):.2f}",
            f"{result.seconds():.2f}", f"{result.events / result.seconds() / 1e6:.1f}", ", ".join(goal), f"{result.rss / 1e6:.0f}", f"{result.heap / 1e6:.0f}", f"{result.bound / 1e6:.0f}",
            *(f"{result.against(figures, tool):.2f}" for tool in others for figures in (result.wall, result.cpu))]


def cases_of(words, large):
    """By stream."""
    cases = [c for c in CASES + [LARGE_CASE] * large if any(w in f"{c.stream.name} {c.verb}" for w in words.split(","))]
    return {c.stream: [d for d in cases if d.stream == c.stream] for c in cases}


def measured_all(cases, tools, rounds, events, keep=False):
    os.makedirs(programs.WORK, exist_ok=True)
    results = []
    for stream, own in cases.items():
        if not os.path.exists(stream.path): record(stream, events)
        results += measured(own, tools, rounds)
        if not keep: os.unlink(stream.path)
    if os.path.exists(HTML): os.unlink(HTML)
    return results
