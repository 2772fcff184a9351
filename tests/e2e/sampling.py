#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sampled recordings: the words of --mode, what is shown and where, and that the
printed intervals hold the truth as often as they say.

The truth is what the same program gives in full mode. Its draws are seeded, so a
build that passes once passes always. With an argument, a number: that many seeds."""
import json
import os
import re
import struct
import sys

from e2e import MEMSCOPE, CXX, compile_c, environment, main, ok, one_line_error, record, run, summary

SEEDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20
LONG = SEEDS >= 200

# Twenty-four holders: sizes that differ up to fourfold within each, some freed at
# once, some late, some never; one grown by realloc.
HOLDERS = 24
PROGRAM = """#include <stdlib.h>
#include <stdint.h>
#include <string.h>
static uint64_t state = 88172645463325252u;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state; }
enum { KEPT = 512 };
static void *kept[KEPT];
static void keep(void *p) { void **at = &kept[next() % KEPT]; free(*at); *at = p; }
static size_t size(size_t base) { return base + next() % (3 * base); }
#define HOLDER(n, base, share)                                   \\
  static char *held_##n;                                         \\
  __attribute__((noinline)) static void take_##n(void) {         \\
    held_##n = malloc(size(base));                               \\
    if ((share) > next() % 100) keep(held_##n);                  \\
    else if (n % 8 != 3 || next() % 16) free(held_##n);          \\
  }
HOLDERS
int main(void) {
  for (int i = 0; i < 250; i++) {
TAKES
    char *text = NULL;
    for (size_t n = 1; n < 6; n++) text = realloc(text, 3000 * n + next() % 1000);
    free(text);
  }
  return 0;
}
"""


def program(folder):
    """Holder n is given about 250 * (4 .. 150) blocks, of 16 to 12,000 bytes, larger ones less often."""
    holders, takes = [], []
    for n in range(HOLDERS):
        base = [16, 24, 48, 64, 100, 200, 500, 1000, 1500, 3000][n % 10]
        times = max(4, min(150, 60000 // base // (1 + n % 3)))
        holders.append(f"HOLDER({n}, {base}, {n * 7 % 50})")
        takes.append(f"    for (int k = 0; k < {times}; k++) take_{n}();")
    return compile_c(folder, "truth", PROGRAM.replace("HOLDERS\n", "\n".join(holders) + "\n").replace("TAKES\n", "\n".join(takes) + "\n"))


def sampled(folder, path, mode, seed, *arguments):
    stream = os.path.join(folder, "sampled.memscope")
    if os.path.exists(stream):
        os.unlink(stream)
    return record(folder, path, stream="sampled.memscope", options=("--mode", mode), env=environment(MEMSCOPE_SEED=str(seed)))


def by_holder(data):
    return {s["holder"]: s for s in data["sites"] if s["holder"]}


class Score:
    """How often the truth lay within."""

    def __init__(self):
        self.inside = self.all = 0

    def see(self, truth, group, figure):
        error = group["error"][figure]
        assert error["low"] <= group[figure] <= error["high"], (figure, group)
        self.inside += error["low"] <= truth[figure] <= error["high"]
        self.all += 1

    def share(self):
        return self.inside / self.all


def coverage(folder, mode):
    path = program(folder)
    truth = summary(record(folder, path))
    holders = by_holder(truth)
    top = sorted(holders, key=lambda h: -holders[h]["allocated_bytes"])[:20]
    figures = ("allocations", "allocated_bytes")
    sites, totals, sums = {f: Score() for f in figures}, {f: Score() for f in figures}, {f: 0 for f in figures}
    more = {f: Score() for f in ("frees", "live_bytes")}
    for seed in range(1, SEEDS + 1):
        data = summary(sampled(folder, path, mode, seed))
        found = by_holder(data)
        for figure in figures:
            totals[figure].see(truth["totals"], data["totals"], figure)
            sums[figure] += data["totals"][figure]
            for holder in top:
                if holder in found:
                    sites[figure].see(holders[holder], found[holder], figure)
                else:  # not one sample: its interval is not shown, so it counts as missed
                    sites[figure].all += 1
        for figure in more:
            more[figure].see(truth["totals"], data["totals"], figure)
    for figure in figures:
        print(f"  {mode} {figure}: sites {sites[figure].share():.3f} of {sites[figure].all}, total {totals[figure].share():.3f}, "
              f"mean {sums[figure] / SEEDS / truth['totals'][figure]:.4f} of the truth")
    print(f"  {mode} " + ", ".join(f"{f} {s.share():.3f}" for f, s in more.items()))
    for figure in figures:
        if LONG:
            assert 0.92 <= sites[figure].share() <= 0.98, (figure, sites[figure].share())
            assert 0.92 <= totals[figure].share() <= 0.98, (figure, totals[figure].share())
        # 800 draws at 95 %: 0.88 is nine standard deviations off, and not one missed would be 1e-9.
        assert 0.88 <= sites[figure].share() < 1, (figure, sites[figure].share())
        assert abs(sums[figure] / SEEDS / truth["totals"][figure] - 1) < 0.05, figure


MIXED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "mixed.cc")


def by_place(data):
    return {(s["holder"], s["type"], s["file"], s["line"], s["function"]): s for s in data["sites"]}


def mixed_coverage(folder, mode, figures):
    """Of mixed.cc, where most bytes are in few blocks: the figures given, of the process and
    of its twenty sites with the most bytes as far as they are in a recording."""
    with open(MIXED) as file:
        path = compile_c(folder, "mixed", file.read(), compiler=CXX, suffix=".cc")
    truth = summary(record(folder, path))
    seeds = SEEDS if LONG else 8
    places = by_place(truth)
    top = sorted(places, key=lambda p: -places[p]["allocated_bytes"])[:20]
    sites, totals, shown = {f: Score() for f in figures}, {f: Score() for f in figures}, 0
    sums = {f: 0 for f in figures}
    for seed in range(1, seeds + 1):
        data = summary(sampled(folder, path, mode, seed))
        found = by_place(data)
        shown += len([place for place in top if place in found])
        for figure in figures:
            totals[figure].see(truth["totals"], data["totals"], figure)
            sums[figure] += data["totals"][figure] / seeds / truth["totals"][figure]
            for place in top:
                if place in found and (places[place][figure] or "live" not in figure):
                    sites[figure].see(places[place], found[place], figure)
    print(f"  {mode}, mixed sizes: {shown / seeds / len(top):.2f} of the sites shown")
    for figure in figures:
        print(f"    {figure}: sites {sites[figure].share():.3f} of {sites[figure].all}, total {totals[figure].share():.3f}, mean {sums[figure]:.3f} of the truth")
    for figure in figures:
        assert abs(sums[figure] - 1) < (0.1 if LONG else 0.25), figure
        live = "live" in figure  # of two or three sites and a dozen blocks
        low, high = (0.85, 1) if live else (0.92, 0.98) if LONG else (0.88, 1)
        assert low <= sites[figure].share() <= high, (figure, sites[figure].share())
        assert (low if LONG else 0.6) <= totals[figure].share() <= high, (figure, totals[figure].share())


def test_intervals_of_mixed_sizes_by_rate(folder):
    mixed_coverage(folder, "sample=10%", ("allocations", "allocated_bytes", "live_blocks", "live_bytes"))


def test_intervals_of_mixed_sizes_by_seldom_rate(folder):
    mixed_coverage(folder, "sample=1%", ("allocations", "allocated_bytes"))


def test_intervals_of_mixed_sizes_by_bytes(folder):
    mixed_coverage(folder, "sample=64K", ("allocated_bytes", "live_bytes"))


def test_intervals_by_bytes(folder):
    coverage(folder, "sample=64K")


def test_intervals_by_rate(folder):
    coverage(folder, "sample=2%")


SMALL = """#include <stdlib.h>
struct node { struct node *next; char text[40]; } *list;
int main(void) {
  for (int i = 0; i < 30000; i++) { struct node *n = malloc(sizeof *n); n->next = list; list = n; }
  for (int i = 0; i < 10000; i++) { struct node *n = list; list = n->next; free(n); }
  return 0;
}
"""


def test_words(folder):
    path = compile_c(folder, "a", SMALL)
    for word, kind, period in (("demo", "rate", 10), ("high_performance", "rate", 100), ("sample=0.05", "rate", 20),
                               ("sample=5%", "rate", 20), ("sample=16K", "bytes", 16384)):
        process = summary(sampled(folder, path, word, 1))["process"]
        assert process["mode"] == "sample", word
        assert (process["sampling"]["kind"], process["sampling"]["period"]) == (kind, period), (word, process)
    for word in ("sample=0", "sample=abc", "sample=200%", "sample=", "sample"):
        one_line_error(run(MEMSCOPE, "run", "--mode", word, path), 2, word)
        one_line_error(run(MEMSCOPE, "run", path, env=environment(MEMSCOPE_MODE=word)), 2, word, "MEMSCOPE_MODE")
    stream = folder + "/env.memscope"
    ok(MEMSCOPE, "run", "--quiet", "-o", stream, path, env=environment(MEMSCOPE_MODE="demo"))
    assert summary(stream)["process"]["sampling"]["period"] == 10
    for topic in (("help", "run"), ("help", "env")):
        assert "sample=" in ok(MEMSCOPE, *topic)


ERRORS = {
    "totals": {"allocations", "frees", "reallocations", "allocated_bytes", "peak_bytes", "live_blocks", "live_bytes"},
    "sites": {"allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes", "peak_bytes", "bytes_at_peak"},
    "types": {"allocations", "live_bytes", "peak_bytes"}, "holders": {"allocations", "live_bytes", "peak_bytes"},
    "modules": {"allocations", "live_bytes"}, "threads": {"allocations", "frees", "allocated_bytes"},
}


def test_shown(folder):
    """JSON, text, dump and report say that it is sampled, and how far figures may be off."""
    path = compile_c(folder, "a", SMALL)
    stream = sampled(folder, path, "sample=5%", 3)
    data = summary(stream)
    for key, figures in ERRORS.items():
        for group in [data[key]] if key == "totals" else data[key]:
            assert set(group["error"]) == figures, (key, group)
            for figure, interval in group["error"].items():
                assert interval is None if "peak" in figure else set(interval) == {"low", "high"}, (key, figure, interval)
    assert data["totals"]["temporary"] is None and data["sites"][0]["temporary"] is None
    assert 1300 < data["process"]["sampling"]["sampled_allocations"] < 1700
    text = ok(MEMSCOPE, "summary", stream)
    assert "sampled, one in about 20 allocations, large ones more often: figures are estimates" in text and "±" in text, text
    assert re.search(r"allocated +\S+ \S+ ±\d\.\d %", text), text
    assert "% of allocations temporary" not in text
    peaks = [line for line in text.splitlines() if re.match(" +peak ", line)] + text[text.index("Held the most"):text.index("Types")].splitlines()
    assert re.search(r"^ .* ±\S+ %  struct node", text, re.M) and len(re.findall(r"±", text[text.index("Not freed"):])) == 2, text
    assert len(peaks) > 3 and not [line for line in peaks if re.search("[±…]", line)], peaks
    dump = ok(MEMSCOPE, "dump", stream)
    assert dump.startswith("sampled: one in about 20 allocations, large ones more often"), dump[:200]
    assert len(re.findall("^.* alloc #", dump, re.M)) == data["process"]["sampling"]["sampled_allocations"]
    assert ok(MEMSCOPE, "dump", "--raw", stream).startswith("sampled")
    ok(MEMSCOPE, "report", stream, "-o", folder + "/r.html")
    full = record(folder, path, stream="full.memscope")
    whole = summary(full)
    assert "error" not in json.dumps(whole) and "sampling" not in whole["process"] and "±" not in ok(MEMSCOPE, "summary", full)


FEW = """#include <stdlib.h>
char *kept[20], *often;
int main(void) {
  for (int i = 0; i < 20; i++) kept[i] = malloc(1000);
  for (int i = 0; i < 5000; i++) { often = malloc(1000); free(often); }
  return 0;
}
"""


def test_lopsided_intervals(folder):
    """Where one side is longer both ends are shown, and they are JSON's; where both are alike, a share."""
    stream = sampled(folder, compile_c(folder, "a", FEW), "sample=10%", 2)
    live, text = summary(stream)["totals"], ok(MEMSCOPE, "summary", stream)
    error = live["error"]["live_blocks"]
    assert error["high"] - live["live_blocks"] > 1.25 * (live["live_blocks"] - error["low"]), live
    assert live["live_blocks"], "another seed draws some"
    assert re.search(r"^  live .* \({low}…{high}\) blocks? not freed".format(**error), text, re.M), (error, text)
    assert re.search(r" ±[ \d.]+ % allocations", text), text


def test_packs_and_follows(folder):
    path = compile_c(folder, "a", SMALL)
    stream = sampled(folder, path, "sample=4K", 5)
    ok(MEMSCOPE, "pack", stream, "-o", folder + "/p.memscope")
    assert summary(folder + "/p.memscope") == summary(stream)
    ok(MEMSCOPE, "pack", "--unpack", folder + "/p.memscope", "-o", folder + "/u.memscope")
    with open(stream, "rb") as a, open(folder + "/u.memscope", "rb") as b:
        assert a.read() == b.read()
    assert json.loads(ok(MEMSCOPE, "summary", "--follow=0.05", "--json", stream)) == summary(stream)


def test_version(folder):
    """Who does not know sampling must not read it: the version of such a stream is larger, and only of such."""
    path = compile_c(folder, "a", SMALL)
    versions = []
    for stream in (sampled(folder, path, "demo", 1), record(folder, path)):
        with open(stream, "rb") as file:
            versions.append(int.from_bytes(file.read(16)[12:16], "little"))
    assert versions == [5, 4], versions


HUGE = """#include <stdlib.h>
int main(void) { for (int i = 0; i < 300000; i++) { void *volatile p = malloc(1u << 30); free(p); } }
"""


def test_large_sums_and_damaged_headers(folder):
    program = compile_c(folder, "a", HUGE)
    stream = sampled(folder, program, "sample=50%", 1)
    figures = summary(stream)
    low, high = (figures["totals"]["error"]["allocated_bytes"][side] for side in ("low", "high"))
    assert low <= 300000 << 30 <= high and figures["totals"]["allocated_bytes"] > 290000 << 30, figures["totals"]
    with open(stream, "rb") as file: words = list(struct.unpack("<512Q", file.read(4096)))
    at = [i for i, word in enumerate(words) if word == 2 << 32]  # the period
    assert len(at) == 1, at
    for period in (0, 1, 2 ** 62, 2 ** 64 - 1):
        with open(stream, "r+b") as file:
            file.seek(8 * at[0])
            file.write(struct.pack("<Q", period))
        for words in ((), ("--json",)): one_line_error(run(MEMSCOPE, "summary", stream, *words), 3, "how it was sampled")


def test_operators(folder):
    """new comes down to malloc: drawn once, by what the program asked for."""
    path = compile_c(folder, "n", """#include <new>
struct alignas(64) wide { char c[64]; };
struct thin { int i; };
volatile int sink;
int main() {
  for (int i = 0; i < 40000; i++) {
    thin *t = new thin[3]; wide *w = new wide; char *c = static_cast<char *>(::operator new(1, std::align_val_t(64)));
    sink = t->i + w->c[0] + *c;
    delete[] t; delete w; ::operator delete(c, std::align_val_t(64));
  }
}
""", compiler=CXX, suffix=".cc")
    truth, data = summary(record(folder, path)), summary(sampled(folder, path, "sample=2K", 4))
    holders, found = by_holder(truth), by_holder(data)
    for holder in ("t", "w"):
        for figure in ("allocations", "frees", "allocated_bytes"):
            got, wanted = found[holder][figure], holders[holder][figure]
            assert abs(got / wanted - 1) < 0.2, (holder, figure, got, wanted)


if __name__ == "__main__":
    main()
