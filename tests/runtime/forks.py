#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Forked children: each its own stream, created at its first event and naming
its parent; the parent's stream is the parent's alone."""
import time

from harness import Work, equal
from stream import FREE, Stream

work = Work("forks", alike="all")


def streams(how, count, **options):
    """Runs it; the parent's stream first, then children in the order of their ids."""
    work.clear()
    done = work.run("forks", how, **options)
    for _ in range(100):  # a daemon outlives its parent
        if len(work.streams()) >= count:
            break
        time.sleep(0.05)
    found = sorted((Stream(path) for path in work.streams()), key=lambda s: (s.parent != "", s.pid))
    equal(len(found), count, f"{how}: streams")
    for s in found:
        equal(s.lost_events, 0, f"{how}: lost events in {s.path}")
    return found


def sizes(s, wanted):
    return sum(row.size == wanted for row in s.sizes())


def is_child(child, parent, position=True):
    equal(child.parent, parent.path, "the child's parent")
    equal(child.parent_pid, parent.pid, "the parent's id")
    if position:
        assert 4096 <= child.parent_position <= parent.tail, (child.parent_position, parent.tail)


def inherited_free(child):
    """The child frees one block it inherited: a FREE of a generation that this stream never saw born."""
    born = {(r.address, r.gen) for r in child.sizes()}
    return [r for r in child.hot(FREE) if (r.address, r.gen) not in born]


parent, child = streams("fork", 2)
is_child(child, parent)
equal(sizes(child, 8002), 1500, "the child's blocks")
equal((sizes(parent, 8001), sizes(parent, 8002), sizes(parent, 8003)), (1, 0, 10), "the parent's blocks")
equal([r.pid for r in parent.rows("fork")], [child.pid], "FORK rows")
equal(len(inherited_free(child)), 1, "frees of inherited blocks")
equal(child.end_how, "exit", "the child's end")
born = [r for r in parent.sizes() if r.size == 8001][0]
equal((inherited_free(child)[0].address, inherited_free(child)[0].gen), (born.address, born.gen), "the inherited block")
equal(len(child.modules), len(parent.modules), "modules")

parent, child = streams("raw", 2)
is_child(child, parent, position=False)
equal(sizes(child, 8002), 1500, "the blocks of a child by raw clone")
equal(sizes(parent, 8002), 0, "its blocks in the parent's stream")

streams("silent", 1)

parent, child = streams("grandchild", 2)
equal((sizes(child, 8004), child.parent), (1, parent.path), "a grandchild of a silent child")

parent, child, grandchild = sorted(streams("generations", 3), key=lambda s: s.pid)
is_child(child, parent)
is_child(grandchild, child)
equal((sizes(child, 8004), sizes(grandchild, 8004)), (0, 1), "the grandchild's block")

found = streams("storm", 21)
for child in found[1:]:
    is_child(child, found[0])
    equal(sizes(child, 8002), 1500, "blocks of a child forked in a storm")
    equal(list(child.threads), [1], "its threads")
found[0].pairs_check()

(only,) = streams("spawn", 1)
equal((sizes(only, 8003), only.end_how), (10, "exit"), "after vfork, posix_spawn and system")

(only,) = streams("fork", 1, MEMSCOPE_FOLLOW_FORK="off")
equal(sizes(only, 8003), 10, "not following: the parent goes on")

parent, child = streams("daemon", 2)
for _ in range(100):
    if Stream(child.path).end_how != "none":
        break
    time.sleep(0.05)
equal(sizes(Stream(child.path), 8002), 1500, "a daemon's blocks")
equal((parent.end_how, Stream(child.path).end_how), ("quick", "exit"), "daemon: both ends")
