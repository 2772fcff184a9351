# SPDX-License-Identifier: MIT
"""What recording may cost: one row for each thing that is promised of a program, and
how its figure is taken from the measured cases."""
import statistics
from dataclasses import dataclass

import measure
import programs
import variants

REAL = ("sqlite speedtest1", "lua churn", "jq 15 MB", "leveldb", "redis server")
NAMES = (*REAL, "cfrac")  # "programs"
ONE, APART = "torture 1 thread", "torture 1 thread, apart"


@dataclass(frozen=True)
class Goal:
    line: str
    program: str
    limit: float
    unit: str  # of UNITS
    variant: str = "memscope"
    against: str = "plain"


def of_programs(line, limit, unit, variant="memscope", against="plain", names=NAMES):
    return [Goal(line, name, limit, unit, variant, against) for name in names]


FULL = {"sqlite speedtest1": 1.05, "lua churn": 1.25, "jq 15 MB": 1.15, "cfrac": 2.0, "torture 2 threads": 1.3, "leveldb": 1.15,
        "redis server": 1.12, "larson 2 threads": 2.2}
GOALS = (
    *(Goal("every event", name, limit, "ratio") for name, limit in FULL.items()),
    Goal("every event", ONE, 12, "ns/event"),
    *of_programs("stacks of 16 frames", 30, "ns/allocation", "stacks", "framed", ("parser", "parser, one stack")),
    # Not of cfrac, which has an event every 13 ns: 0.6 ns for each, beside 4 that are allowed.
    *of_programs("one in 512 KiB", 1.05, "ratio", "sample 512K", names=REAL),
    Goal("one in 512 KiB", ONE, 4, "ns/event", "sample 512K"),
    *of_programs("counters by every event", 1.0, "ratio", "counters", "memscope", (*NAMES, ONE)),
    *of_programs("off, by no runtime", 1.01, "ratio", "off", "bare"),
    *(Goal("threads", f"torture {n} threads", 1.3, "of 1 thread") for n in (2, 4, 8, 16)),
    *of_programs("rows", 12, "bytes/event", names=(*NAMES, ONE)),
    *of_programs("packed stream", 2.5, "packed bytes/event"),
    Goal("packed stream", ONE, 5, "packed bytes/event"),
)


class Measured:
    """Cases by (program, variant, against), and facts by program."""

    def __init__(self, cases, facts):
        self.cases = {(c.program.name, c.variant.name, c.against.name): c for c in cases}
        self.facts, self.order = facts, list(dict.fromkeys(c.program for c in cases))

    def case(self, *names):
        case = self.cases.get(names)
        return case if case and any(case.pairs) else None


# ---- one function a unit: value and 95 % interval; None when it was not measured ----

def spread(values):
    return statistics.median(values), *measure.interval(values)


def ratio(goal, measured):
    case = measured.case(goal.program, goal.variant, goal.against)
    return case and spread(case.ratios())


def per_event(goal, measured):
    case, facts = measured.case(goal.program, goal.variant, goal.against), measured.facts.get(goal.program)
    return spread(case.added(facts.events)) if case and facts else None


def per_allocation(goal, measured):
    case, facts = measured.case(goal.program, goal.variant, goal.against), measured.facts.get(goal.program)
    return spread(case.added(facts.allocations)) if case and facts else None


def of_one(goal, measured):
    """Added by several threads against what one adds in the same round."""
    case, one = measured.case(goal.program, goal.variant, goal.against), measured.case(APART, goal.variant, goal.against)
    if not case or not one: return None
    added = lambda c: [(p[0].cpu - p[1].cpu) / measured.facts[c.program.name].events if p else None for p in c.pairs]
    return measure.quotient(added(case), added(one))


def row_bytes(goal, measured):
    facts = measured.facts.get(goal.program)
    return facts and (facts.rows / facts.events,) * 3


def packed_bytes(goal, measured):
    facts = measured.facts.get(goal.program)
    return facts and (facts.packed / facts.events,) * 3


# unit: its function, and digits
UNITS = {
    "ratio": (ratio, 3), "ns/event": (per_event, 1), "ns/allocation": (per_allocation, 1), "of 1 thread": (of_one, 2),
    "bytes/event": (row_bytes, 1), "packed bytes/event": (packed_bytes, 2),
}


def figure(goal, measured):
    return UNITS[goal.unit][0](goal, measured)


def said(goal, value):
    return f"{value:.{UNITS[goal.unit][1]}f}"


def verdict(goal, measured):
    """In words, and whether it is met; a limit inside the interval is said, for another run may say otherwise."""
    found = figure(goal, measured)
    if not found: return "not measured", False
    value, low, high = found
    met = round(value, UNITS[goal.unit][1]) <= goal.limit
    case = measured.case(goal.program, goal.variant, goal.against)
    words = "met" if met else "**missed**"
    if low <= goal.limit <= high and low < high: words += ", limit in the interval"
    if case and case.tight and case.width() > measure.WIDTH: words += f", interval over {measure.WIDTH} wide"
    return words, met


def heaptrack(goal, measured):
    """Its figure of that program against plain, in the same unit."""
    if "bytes" in goal.unit: return ""
    found = figure(Goal("", goal.program, 0, goal.unit, "heaptrack"), measured)
    return said(goal, found[0]) if found else ""


def limit_of(program, variant, against):
    """The lowest ratio that is promised of a case."""
    return min((g.limit for g in GOALS if (g.program, g.variant, g.against, g.unit) == (program, variant, against, "ratio")), default=9)


def case(program, variant, against):
    return measure.Case(programs.BY_NAME[program], variants.BY_NAME[variant], variants.BY_NAME[against],
                        limit_of(program, variant, against) < measure.TIGHT)


def wanted():
    """(program, variant, against) of all that the goals need, each beside heaptrack and beside itself."""
    rows = [(g.program, g.variant, g.against) for g in GOALS if "bytes" not in g.unit] + [(APART, "memscope", "plain")]
    rows += [(name, *pair) for name in dict.fromkeys(r[0] for r in rows) for pair in (("heaptrack", "plain"), ("again", "plain"))]
    return list(dict.fromkeys(rows))
