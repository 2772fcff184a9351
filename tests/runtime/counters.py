#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counters: no row for any event, and of each name what was allocated, freed and
lives, to the last block."""
import resource
import signal
import sys

from harness import Work, equal
from stream import COUNTED, Stream

REENTRANT = sys.argv[1]
ROUNDS, THREADS, EXCHANGES = 1000, 4, 50000
work = Work("counters")


def checked(s, lost=0):
    equal((s.mode, s.version, s.lost_events), (COUNTED, 6, lost), "mode, version, lost events")
    equal(len(s.hot()), 0, "rows of events")
    return s.counted()


def record(*args, program="counted", **options):
    return work.record(program, *args, MEMSCOPE_MODE="counters", **options)


def named(counted, *names):
    return {name: counted.get(name) for name in names}


def full(*args, program="counted"):
    """The same figures from every event."""
    s = work.record(program, *args)
    late, figures, at, open_ = {(r.address, r.gen): r.name for r in s.rows("bind")}, {}, {}, []
    is_site = lambda name: name >= 8 and not s.names[name] >> 63
    for row in s.threads[1]:
        if row.kind == "realloc_fail":
            address, block = open_.pop()
            at[address] = block
        if row.kind != "hot":
            continue
        gives = row.op in (0, 3)
        if gives and row.address:
            name = late.get((row.address, row.gen), row.name)
            if row.op == 3:
                old = open_.pop()[1]
                name = name if is_site(name) else old[0]
                f = figures[s.name(old[0])]
                f[4] -= 1
                f[5] -= old[1]
            at[row.address] = (name, row.size)
            f = figures.setdefault(s.name(name), [0] * 6)
            f[1 if row.op == 3 else 0] += 1
            f[2] += row.size
            f[4] += 1
            f[5] += row.size
        elif row.op == 2:
            open_.append((row.address, at.pop(row.address)))
        else:
            name, size = open_.pop()[1] if row.op == 3 else at.pop(row.address)
            f = figures[s.name(name)]
            f[3] += 1
            f[4] -= 1
            f[5] -= size
    return figures


# Names, as full mode has them and as the program knows them.
counted = checked(record("names"))
equal(counted, full("names"), "names, beside full mode")
equal(named(counted, "first", "inner>second", "inner"),
      {"first": [ROUNDS, 0, 101 * ROUNDS, ROUNDS, 0, 0],
       "inner>second": [ROUNDS, 0, 102 * ROUNDS, ROUNDS // 2, ROUNDS // 2, 102 * ROUNDS // 2],
       "inner": [ROUNDS, 0, 103 * ROUNDS, 3 * ROUNDS // 4, ROUNDS // 4, 103 * ROUNDS // 4]}, "names")

counted = checked(record("reallocs"))
equal(counted, full("reallocs"), "reallocations, beside full mode")
half, quarter = ROUNDS // 2, ROUNDS // 4
equal(named(counted, "first", "grown"),
      {"first": [ROUNDS, ROUNDS, 400 * ROUNDS, 0, 0, 0],
       "grown": [0, ROUNDS + half, 500 * ROUNDS + 10000 * half, half, half, 10000 * half]}, "reallocations")

# Sizes around what a cell holds, and beyond 4 GiB; nothing is left of a size where other blocks come to lie.
counted = checked(record("large"))
sizes = [0, 1, *range(4090, 4097), 1 << 20, 5 << 30]
equal(named(counted, "first", "second", "inner"),
      {"first": [11, 0, sum(sizes), 11, 0, 0], "second": [11, 0, sum(sizes), 0, 11, sum(sizes)],
       "inner": [440, 0, 24 * 440, 0, 440, 24 * 440]}, "large blocks")

# Blocks taken by other threads before they have a name.
total = THREADS * EXCHANGES
for beneath in ((), (REENTRANT,)):
    s = record("threads", preload=beneath)
    counted = checked(s)
    own, grown = counted["@counted"], counted["grown"]
    equal(own[0], total, f"blocks of {THREADS} threads {beneath}")
    equal([own[4:], grown[4:]], [[0, 0], [0, 0]], f"what lives of them {beneath}")
    equal(sum(c["frees"] for _, _, c in s.counters) % (1 << 64), total + counted[""][3] if "" in counted else total, f"frees {beneath}")
    equal([grown[0], grown[2]], [0, 900 * grown[1]], f"resized ones {beneath}")
    equal(sum(c["allocations"] for t, _, c in s.counters if t == 2), EXCHANGES, "allocations of a thread")

# kill -9: all is there, the newest block too.
s = record("killed", check=-signal.SIGKILL)
equal(named(checked(s), "first", "second"), {"first": [ROUNDS, 0, 200 * ROUNDS, 0, ROUNDS, 200 * ROUNDS], "second": [1, 0, 201, 0, 1, 201]}, "killed")
for _ in range(5):
    s = record("threads_killed", check=-signal.SIGKILL)
    live = sum(c[4] for c in s.counted(whole=False).values())
    assert 0 <= live <= 64 + 16, f"killed among threads: {live} live"

# A child counts its own; what it inherits is unseen.
work.clear()
work.run("counted", "forked", MEMSCOPE_MODE="counters")
parent, child = sorted((Stream(path) for path in work.streams()), key=lambda s: s.parent != "")
counted = checked(parent)
equal(named(counted, "first", "second"), {"first": [2, 0, 601, 1, 1, 301], "second": [1, 0, 302, 0, 1, 302]}, "the parent's blocks")
counted = checked(child)
equal(named(counted, "first", "second", "grown"), {"first": None, "second": [1, 0, 400, 1, 0, 0], "grown": [0, 1, 401, 0, 1, 401]}, "the child's blocks")
equal(counted["unseen"][3], 2, "frees of inherited blocks")

# Paused: what comes is not counted, what goes has ended.
counted = checked(record("paused"))
equal(named(counted, "first", "second"), {"first": [4, 0, 500 + 501 + 502 + 503, 1, 1, 503], "second": None}, "blocks around a pause")
equal(counted["unseen"][3], 2, "frees of blocks from the pause")

# Threads that come and go.
s = record("come_and_go")
counted = checked(s)
equal(counted["first"], [ROUNDS, 0, 32 * ROUNDS, ROUNDS - 1, 1, 32], "blocks of short threads")
equal(s.thread_count, ROUNDS + 1, "threads")
mappings = int(s.done.stdout.split()[0])
assert mappings < ROUNDS / 10, f"{mappings} mappings after {ROUNDS} threads: those that ended hold theirs"

# A bad free has a row as ever, and is no free.
s = record("bad", check=None)
equal([s.name(row.name) for row in s.rows("bad_free")][-1:], ["second"] if s.end_how == "exit" else [""], "place of a bad free")
equal(checked(s)["first"], [1, 0, 50, 0, 1, 50], "blocks beside a bad free")

# Signal handlers that allocate inside an event: thread 0 counts for them. One that jumps
# out leaves that event in its middle.
for how in ("return", "stack", "jump"):
    s = work.record("handlers", how, preload=[REENTRANT], MEMSCOPE_MODE="counters")
    interruptions, events = map(int, s.done.stdout.split())
    sums = [sum(figures) for figures in zip(*s.counted(whole=how != "jump").values())]
    left = interruptions if how == "jump" else 0
    equal(s.lost_events, 0, f"{how}: lost")
    assert interruptions <= sums[1] <= interruptions + left, f"{how}: {sums[1]} reallocations, {interruptions} interruptions"
    assert events <= sums[0] - interruptions <= events + left + 20, f"{how}: {sums[0]} allocations, {interruptions} interruptions, {events} in the loop"
    assert [c for thread, _, c in s.counters if thread == 0], f"{how}: nothing was counted by thread 0"

# Behind a thread's end: nothing of it is lost, whether its block is known or not.
s = record("late", preload=[REENTRANT])
counted = checked(s)
equal(counted["first"], [2, 0, 700 + 701, 1, 0, 0], "blocks freed by late destructors")
equal(counted["unseen"][3], 2, "frees of blocks from the pause by late destructors")
equal([r.kind for r in s.rows("bad_free", "unseen_free")], ["bad_free"], "rows of frees")

# More threads at one time than have counters of their own, and more forebears.
s = record("threads", program="counted_few", LD_PRELOAD=None)
counted = checked(s)
sums = [own + shared for own, shared in zip(counted["block"], counted["@counted_few"])]  # what all share knows callers alone
blocks = [8 * ROUNDS, 0, 64 * 8 * ROUNDS, 4 * ROUNDS, 4 * ROUNDS, 64 * 4 * ROUNDS]
assert counted["block"] < blocks == sums, (counted, blocks)
work.clear()
work.run("counted_few", "forks", LD_PRELOAD=None, MEMSCOPE_MODE="counters")
streams = [Stream(path) for path in work.streams()]
equal(len(streams), 7, "streams of a process and six generations")
for s in streams:
    equal(checked(s)["block"], [ROUNDS, 0, 64 * ROUNDS, ROUNDS // 2, ROUNDS // 2, 64 * ROUNDS // 2], "blocks of a generation")
    equal({thread for thread, _, _ in s.counters}, {1}, "threads that count them")

# Forbidden just when a piece of the stream is about to be mapped: another is found in the room ahead.
s = record("forbidden", program="counted_few", LD_PRELOAD=None)
equal((s.lost_reason, "ends here" in s.done.stderr), ("none", False), "forbidden in the middle")
equal(checked(s)["block"], [2 * ROUNDS, 0, 64 * 2 * ROUNDS, ROUNDS, ROUNDS, 64 * ROUNDS], "blocks around that")

# When the stream ends in the middle of an event, it is counted or lost, not both.
for how, events in (("outer", 4), ("outer_shared", 2), ("regrown", 5), ("resized", 2 + 3 * 64)):
    s = record(how, program="counted_few", LD_PRELOAD=None)
    found = sum(c["allocations"] + c["reallocations"] + c["frees"] for _, _, c in s.counters) + len(s.newest)
    equal((found + s.lost_events, s.lost_reason), (events, "space"), f"{how}: events recorded and lost")
    assert s.lost_events, f"{how}: {found} events recorded, none lost"

# A block that another thread failed to resize before it had a name is the same block.
s = record("kept", program="counted_few", LD_PRELOAD=None)
checked(s)
equal(len(list(s.rows("bad_free"))), 0, "bad frees of a block that could not be resized")
equal(sum(c["allocations"] - c["frees"] for _, _, c in s.counters) + len(s.newest), 0, "blocks of it that live")

# What all share has as many counters as it takes.
s = record("callers", program="counted_few", LD_PRELOAD=None)
checked(s)
equal([c["allocations"] for thread, _, c in s.counters if not thread], [1] * 3000, "allocations of each caller")

# Where the room ahead is used up, that is the reason.
s = record("used_up", program="counted_few", LD_PRELOAD=None)
found = sum(c["allocations"] + c["frees"] for _, _, c in s.counters) + len(s.newest)
equal((found + s.lost_events, s.lost_reason), (ROUNDS * 3 // 2 + 2 * 3000, "seccomp"), "events without room, and why")
assert s.lost_events, f"{found} events recorded, none lost"

# Without the plane all is recorded, and that is said.
s = record("names", preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
equal((s.mode, s.version), (2, 4), "mode without the plane")
assert "every event is recorded" in s.done.stderr and s.done.stderr.count("\n") == 1, s.done.stderr

# Without room for the file: what was counted stays, the rest is counted as lost, the program goes on.
def narrow():
    resource.setrlimit(resource.RLIMIT_FSIZE, (400 << 10, 400 << 10))


s = record("come_and_go", preexec=narrow)
equal(s.lost_reason, "space", "reason of losses")
got = s.counted()["first"][0]
assert s.lost_events and 0 < got < ROUNDS, f"{got} counted, {s.lost_events} lost"
assert s.done.stderr.count("ends here") == 1, s.done.stderr

# Call stacks need events.
s = record("names", MEMSCOPE_STACK="fp")
assert "no call stacks" in s.done.stderr, s.done.stderr
equal(checked(s), checked(record("names")), "names with MEMSCOPE_STACK")
print("names, reallocations, sizes, threads, kill, fork, pause, no plane, no room")
