#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counters: the figures of full mode without its events, and what they cannot know
is null, a dash, and a sentence."""
import json
import os
import subprocess
import time

from e2e import MEMSCOPE, CXX, compile_c, environment, main, ok, one_line_error, record, run, summary

PROGRAM = """#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
struct node { node *next; int value; };
struct line { char text[100]; line(const char *t) { strcpy(text, t); } };
static node *list;
static char *text;
__attribute__((noinline)) static void *xmalloc(size_t n) { void *p = malloc(n); if (!p) abort(); return p; }
static void grow() { for (size_t n = 1; n < 200; n++) text = (char *)realloc(text, n * 10); }
static void push(int v) { node *n = (node *)xmalloc(sizeof *n); n->next = list; n->value = v; list = n; }
static void work() { for (int i = 0; i < 500; i++) { line *l = new line("a"); std::vector<int> v(i + 1); delete l; } }
int main() {
  for (int i = 0; i < 1000; i++) push(i);
  for (int i = 0; i < 600; i++) { node *n = list; list = n->next; free(n); }
  grow();
  std::thread a(work); a.join();
  std::thread b(work); b.join();
  char *large = (char *)calloc(1, 1 << 20), *aligned = (char *)aligned_alloc(64, 640);
  free(large);
  return aligned == nullptr;
}
"""
FIGURES = ("allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes")


def program(folder):
    return compile_c(folder, "a", PROGRAM, "-pthread", compiler=CXX, suffix=".cc")


def counted(folder, path, stream="c.memscope", **options):
    return record(folder, path, stream=stream, options=("--mode", "counters"), **options)


def sites(figures):
    return {json.dumps([s[k] for k in ("holder", "type", "file", "line", "column", "function", "module", "chain")]): [s[f] for f in FIGURES]
            for s in figures["sites"]}


def test_equals_full_mode(folder):
    path = program(folder)
    full, counters = summary(record(folder, path)), summary(counted(folder, path))
    assert sites(full) == sites(counters), (set(map(str, sites(full).items())) ^ set(map(str, sites(counters).items())))
    for field in (*FIGURES, "reallocations", "threads", "events", "lost_events"):
        assert full["totals"][field] == counters["totals"][field], (field, full["totals"], counters["totals"])
    assert full["coverage"] == counters["coverage"]
    rows = lambda figures, group, *fields: sorted([row[f] for f in fields] for row in figures[group])
    for group, fields in (("threads", ("id", "allocations", "frees", "allocated_bytes")), ("types", ("name", "allocations", "live_bytes")),
                          ("holders", ("holder", "type", "allocations", "live_bytes")), ("modules", ("name", "allocations", "live_bytes"))):
        assert rows(full, group, *fields) == rows(counters, group, *fields), group


def test_unknown_is_null(folder):
    figures = summary(counted(folder, program(folder)))
    assert figures["process"]["mode"] == "counters" and figures["process"]["complete"]
    for row, fields in ((figures["totals"], ("peak_bytes", "peak_time_ns", "temporary")),
                        (figures["sites"][0], ("peak_bytes", "bytes_at_peak", "temporary")), (figures["types"][0], ("peak_bytes",)),
                        (figures["holders"][0], ("peak_bytes",)), (figures["threads"][0], ("foreign_frees",))):
        for field in fields: assert row[field] is None, (field, row)
    assert set(figures["sites"][0]["lifetime_ns"].values()) == {None}


def test_text_and_dump(folder):
    stream = counted(folder, program(folder))
    text = ok(MEMSCOPE, "summary", stream)
    assert "is not known" in text and "Allocated the most" in text and "at peak" not in text and "temporary" not in text.split("\n\n", 2)[2], text
    assert [line.split() for line in text.splitlines() if line.startswith("  peak")] == [["peak", "-"]], text
    dump = ok(MEMSCOPE, "dump", "--stable", stream)
    assert "counters: " in dump and " alloc " not in dump.replace("newest alloc", ""), dump
    assert 'counted allocs=1000 reallocs=0 bytes=16000 frees=600' in dump, dump
    assert "allocations=1000 reallocations=0" in ok(MEMSCOPE, "dump", "--raw", stream)
    ok(MEMSCOPE, "report", stream, "-o", folder + "/r.html")


def test_size_does_not_grow(folder):
    path = compile_c(folder, "b", "#include <stdlib.h>\nint main(int c, char **v) { int n = atoi(v[1]); while (n--) { void *volatile p = malloc(9); free(p); } }\n")
    sizes = []
    for count in ("10", "1000000"):
        ok(MEMSCOPE, "run", "--quiet", "--mode", "counters", "-o", f"{folder}/{count}.memscope", "--", path, count)
        sizes.append(os.path.getsize(f"{folder}/{count}.memscope"))
        assert summary(f"{folder}/{count}.memscope")["totals"]["frees"] == int(count)
    assert sizes[0] == sizes[1], sizes


def test_packs_and_rotates(folder):
    path = program(folder)
    stream = counted(folder, path)
    ok(MEMSCOPE, "pack", stream, "-o", folder + "/p.memscope")
    assert summary(folder + "/p.memscope") == summary(stream)
    ok(MEMSCOPE, "pack", "--unpack", folder + "/p.memscope", "-o", folder + "/u.memscope")
    with open(stream, "rb") as a, open(folder + "/u.memscope", "rb") as b:
        assert a.read() == b.read()
    rotated = record(folder, path, stream="r.memscope", options=("--mode", "counters", "--rotate", "64K"))
    assert sites(summary(rotated)) == sites(summary(stream))


LONG = """#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>
char *kept;
int main(void) {
  for (int i = 0; i < 100; i++) kept = malloc(50);
  puts("ready"); fflush(stdout);
  getchar();
  for (int i = 0; i < 7; i++) free(malloc(20));
  free(kept);
  puts("again"); fflush(stdout);
  for (;;) { free(malloc(30)); usleep(1000); }
}
"""


def test_follow_and_ctl(folder):
    path = compile_c(folder, "l", LONG)
    stream = folder + "/l.memscope"
    env = environment(MEMSCOPE="on", MEMSCOPE_MODE="counters", MEMSCOPE_OUTPUT=stream)
    with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            live = summary(stream)
            held = next(s for s in live["sites"] if s["holder"] == "kept")
            assert (held["allocations"], held["live_bytes"]) == (100, 5000), held
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == "again\n"
            ok(MEMSCOPE, "ctl", child.pid, "mark", "here")
            ok(MEMSCOPE, "ctl", child.pid, "pause")
            time.sleep(0.05)
            paused = summary(stream)
            assert [(m["name"], m["live_bytes"], m["live_blocks"]) for m in paused["marks"]] == [("here", None, None)], paused["marks"]
            time.sleep(0.05)
            assert summary(stream)["totals"] == paused["totals"]
            ok(MEMSCOPE, "ctl", child.pid, "resume")
            time.sleep(0.1)
            assert summary(stream)["totals"]["allocations"] > paused["totals"]["allocations"]
            ok(MEMSCOPE, "ctl", child.pid, "stop")
        finally:
            child.kill()
    end = summary(stream)
    assert end["totals"]["lost_events"] == 0 and end["process"]["complete"], end["totals"]
    held = next(s for s in end["sites"] if s["holder"] == "kept")
    assert (held["allocations"], held["frees"], held["live_blocks"]) == (100, 1, 99), held


def test_call_stacks_are_refused(folder):
    done = run(MEMSCOPE, "run", "--mode", "counters", "--stack", "fp", "--", "/bin/true")
    one_line_error(done, 2, "no call stacks")


if __name__ == "__main__":
    main()
