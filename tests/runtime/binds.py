#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which name a block and a free end up with, rule by rule."""
from harness import Work, equal
from stream import ALLOC, END, FREE

WANT = {
    1001: ["variable"], 1002: ["inner>variable"], 1003: ["inner>outer>outermost"], 1004: ["inner"], 1005: ["variable"],
    1006: ["variable"], 1007: ["@binds"], 20: ["@binds"], 1008: ["record"], 1009: ["record>outer"], 1010: ["inner>outer"],
    1011: ["weak>variable"], 1012: ["variable"], 1013: ["weak"], 1014: ["variable"], 2015: ["outer"], 1016: ["variable"],
    1017: ["variable"], 1018: ["@binds"], 1019: ["@binds"], 1201: ["inner>outer>outermost"], 1020: ["inner>" + "outer>" * 40 + "variable"] * 3,
    **{4000 + hands * 4 + i: ["inner>" + "outer>" * hands + name] for hands in range(64)
       for i, name in enumerate(("variable", "inner", "outer", "outermost"))},
    3000: ["inner>outer>outermost"] * 20000,
}
PLACES = {
    1101: ["place"], 1102: ["wrapper place"], 1103: ["wrapper place>outer place"], 1104: ["wrapper place>outer place"],
    1401: ["wrapper place"] * 5, 1402: ["wrapper place"] * 5,
    1108: ["wrapper place" + ">outer place" * 30 + ">place"],
    **{1301 + i: [name] * 10 for i, name in enumerate(("variable", "inner", "outer", "place", "wrapper place", "outer place"))},
    **{1311 + i: [name] * 20 for i, name in enumerate(("variable", "inner", "outer"))},
    **{1321 + i: [name] * 15 for i, name in enumerate(("variable", "@binds", "outer", "@binds"))},
    1105: ["@binds"], 1106: ["place"], 1107: ["wrapper place", "@binds"], 3000: ["wrapper place>outer place"] * 20000,
}


def check(**options):
    s = work.record("binds", **options)
    names, sizes = {}, {}
    for name, size in s.named_blocks():
        names.setdefault(size, []).append(name)
    for size, want in WANT.items():
        equal(names.get(size), want, f"name of {size} bytes {options or ''}")
    places, live = {}, {}
    place_of = {id(row): name for row, name in s.places(1)}
    for row in s.threads[1]:
        if row.kind != "hot":
            continue
        if row.op in (ALLOC, END):
            live[row.address] = row.size
        elif row.op == FREE:
            places.setdefault(live[row.address], []).append(place_of[id(row)])
    for size, want in PLACES.items():
        equal(places.get(size), want, f"place of freeing {size} bytes {options or ''}")
    return s


work = Work("binds")
s = check()
assert len(s.names) == len(set(s.names.values())) < 500, f"{len(s.names)} names: they are not interned"
check(MEMSCOPE_WINDOW="16K")
check(MEMSCOPE_MODE="exact")
