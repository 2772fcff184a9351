#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Libraries that come and go: each load is a module of its own, named from its
constructor on, and its unload is seen."""
import os
import shutil

from harness import Work, equal
from stream import Stream

ADDON = os.path.join(os.environ["MS_BIN"], "libaddon.so")
ROUNDS = 20
work = Work("dl", alike="all")
s = work.record("dl", ADDON, ROUNDS)
loads = [r.module for r in s.rows("module_load") if s.modules[r.module]["path"] == ADDON]
unloads = [r.module for r in s.rows("module_unload") if s.modules[r.module]["path"] == ADDON]
equal(len(loads), ROUNDS, "loads")
equal(unloads, loads, "unloads")
equal(len(set(loads)), ROUNDS, "module ids")
firsts = [s.modules[m]["first_site"] for m in loads]
assert len(set(firsts)) == ROUNDS and 0 not in firsts, firsts
for row in s.rows("module_load"):
    equal(s.modules[row.module]["offset"], row.record, "record of a MODULE_LOAD row")
main = [m for m in s.modules.values() if m["is_main"]]
equal([os.path.basename(m["path"]) for m in main], ["dl"], "main module")
assert main[0]["build_id"], "main module has no build id"

names = {}
for name, size in s.named_blocks():
    names.setdefault(size, []).append(name)
equal(names[31], ["early : constructor"] * ROUNDS, "blocks of the constructor")
for size in (1000, 1099):
    equal(names[size], ["block : addon"] * ROUNDS, f"blocks of {size} bytes")
# A name belongs to the load it was given in.
for row in s.sizes():
    if row.size == 1000:
        m = [m for m in s.modules.values() if s.names[row.name] & 0x0FFFFFFF in m["sites"]]
        equal(len(m), 1, "modules that have the site")
equal(s.counts()["bad"], 0, "bad frees")

# Not instrumented, never closed: seen all the same, once its code allocates.
s = work.record("dl_plain", os.path.join(os.environ["MS_BIN"], "libplain.so"))
plain = [m for m in s.modules.values() if m["path"].endswith("libplain.so")]
equal(len(plain), 1, "modules of the plain library")
equal({name for name, size in s.named_blocks() if size == 4242}, {"@libplain.so"}, "callers in it")

# A block is given back by the library that is there, not by the one that was there before.
plains = [os.path.join(os.environ["MS_BIN"], "libplain.so"), work.file("libother.so")]
shutil.copy(*plains)
s = work.record("dl_turns", *plains, ROUNDS)
equal([name for _, name in s.places(2)][::2], ["@libplain.so", "@libother.so"] * (ROUNDS // 2), "where blocks are given back")

# A child has the sites of what its parent had loaded, and none of what came and went before.
work.clear()
work.run("dl", ADDON, ROUNDS, "fork")
for s, blocks in zip(sorted((Stream(path) for path in work.streams()), key=lambda s: s.parent != ""), (ROUNDS + 1, 1)):
    equal([name for name, size in s.named_blocks() if size == 1000], ["block : addon"] * (blocks + (not s.parent)), f"blocks of {s.path}")
