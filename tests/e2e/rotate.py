#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rotated streams: read as one, row for row as an unrotated one; what is missing,
foreign, packed, killed or still growing."""
import filecmp
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time

from damage import SEGMENT, segments
from e2e import MEMSCOPE, SOURCE, compile_c, environment, main, ok, one_line_error, run, write

# Names through a wrapper and by a caller, frees at two places: all that chunks refer to.
PROGRAM = """#include <stdlib.h>
#include <string.h>
struct part { char name[40]; struct part *next; } *parts;
static void *xmalloc(size_t bytes) { return malloc(bytes); }
static void drop(void *p) { free(p); }
int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 40000;
  for (int i = 0; i < rounds; i++) {
    struct part *p = xmalloc(sizeof *p);
    p->next = parts;
    parts = p;
    free(strdup(argv[0]));
    char *text = i % 2 ? malloc(100 + i % 7) : strdup("text");
    if (i % 5) drop(text); else free(text);
    if (i % 3 == 0) parts = p->next, free(p);
  }
  return 0;
}
"""

THREADS = """#include <pthread.h>
#include <stdlib.h>
#include <stdio.h>
static void *work(void *seed) {
  void *slots[64] = {0};
  unsigned at = (unsigned)(size_t)seed;
  for (int i = 0; i < 100000; i++) {
    at = at * 1664525u + 1013904223u;
    free(slots[at >> 26]);
    slots[at >> 26] = malloc(1 + (at >> 20 & 255));
  }
  for (int i = 0; i < 64; i++) free(slots[i]);
  return NULL;
}
int main(void) {
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return 0;
}
"""

ENDLESS = """#include <stdlib.h>
#include <stdio.h>
int main(void) {
  for (long i = 0;; i++) {
    void *volatile p = malloc(50);
    free(p);
    if (i % 1000000 == 0) { printf("%ld\\n", i); fflush(stdout); }
  }
}
"""


def recorded(folder, program, *words, rotate=None, name="s.memscope"):
    stream = os.path.join(folder, name)
    limit = ("--rotate", rotate) if rotate else ()
    done = run(MEMSCOPE, "run", "--quiet", *limit, "-o", stream, program, *words, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return stream


def volumes(stream):
    found = [name for name in os.listdir(os.path.dirname(stream)) if name.startswith(os.path.basename(stream) + ".vol")]
    return sorted((os.path.join(os.path.dirname(stream), name) for name in found), key=lambda path: int(path.rsplit("vol", 1)[1]))


def figures(stream):
    return json.loads(ok(MEMSCOPE, "summary", "--json", stream))


def test_restricted(folder):
    """A program that gives up system calls: what comes behind goes into the first file."""
    with open(os.path.join(SOURCE, "tests", "runtime", "prog", "restricted.c")) as file:
        program = compile_c(folder, "restricted", file.read(), "-pthread", "-fno-builtin", compiler="gcc")
    totals = []
    for options in ((), ("--rotate", "64K")):
        path = os.path.join(folder, f"{len(totals)}.memscope")
        done = run(MEMSCOPE, "run", "--quiet", "-o", path, *options, program, "kill", "1", "20000")
        assert (done.returncode, done.stdout) == (3, "restricted\n") and "seccomp" in done.stderr, done.stderr
        text, known = ok(MEMSCOPE, "summary", path), figures(path)
        assert 0 < known["process"]["restricted_ns"] < known["process"]["duration_ns"], known["process"]
        assert "had restricted its system calls" in text and "not in the stream" not in text, text
        totals.append({k: v for k, v in known["totals"].items() if "peak" not in k})
    assert totals[0] == totals[1] and totals[0]["lost_events"] == 0 and totals[0]["frees"] >= 40000, totals


def test_row_for_row(folder):
    program = compile_c(folder, "a", PROGRAM)
    whole = recorded(folder, program)
    rotated = recorded(folder, program, rotate="256K", name="r.memscope")
    parts = volumes(rotated)
    assert len(parts) >= 4 and [p[-1] for p in parts[:3]] == ["2", "3", "4"], parts
    assert not volumes(whole)
    for path in parts:
        assert os.path.getsize(path) <= 256 << 10, (path, os.path.getsize(path))
    assert ok(MEMSCOPE, "dump", "--stable", rotated) == ok(MEMSCOPE, "dump", "--stable", whole)
    ok(MEMSCOPE, "report", rotated)
    assert os.path.getsize(folder + "/r.html") > 10000


# Three threads that take turns: two runs do the same in the same order.
TURNS = """#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
enum { THREADS = 3, ROUNDS = 300, STEPS = 40 };
static sem_t turn[THREADS];
static void *shared[64];
static void *work(void *number) {
  size_t me = (size_t)number;
  unsigned at = (unsigned)me + 1;
  for (int round = 0; round < ROUNDS; round++) {
    sem_wait(&turn[me]);
    for (int i = 0; i < STEPS; i++) {
      at = at * 1664525u + 1013904223u;
      free(shared[at >> 26]);
      shared[at >> 26] = at & 1024 ? malloc(1 + (at >> 20 & 255)) : realloc(malloc(20), 100);
    }
    sem_post(&turn[(me + 1) % THREADS]);
  }
  return NULL;
}
int main(void) {
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) sem_init(&turn[i], 0, 0);
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  sem_post(&turn[0]);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  return 0;
}
"""


def test_row_for_row_of_threads(folder):
    """In exact mode the order of several threads' rows is told, and so is the same in both."""
    program = compile_c(folder, "a", TURNS, "-pthread")
    dumps = []
    for name, limit in (("whole", ()), ("rotated", ("--rotate", "64K"))):
        stream = f"{folder}/{name}.memscope"
        done = run(MEMSCOPE, "run", "--quiet", "--mode", "exact", *limit, "-o", stream, program, cwd=folder)
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert (len(volumes(stream)) > 4) == (name == "rotated"), volumes(stream)
        rows = ok(MEMSCOPE, "dump", "--stable", stream).splitlines()
        assert sum(" end how " in row for row in rows) == 1 and " end how " in rows[-1], rows[-5:]
        dumps.append(rows)
    assert len(dumps[0]) > 3 * 300 * 40 * 2, len(dumps[0])
    # A thread's start has no serial: it stands where the clock, which ticks every few ms, has it.
    dumps = [[row for row in rows if not row.endswith(" thread start")] for rows in dumps]
    differing = [pair for pair in zip(*dumps) if pair[0] != pair[1]]
    assert len(dumps[0]) == len(dumps[1]) and not differing, differing[:5]


def test_threads_and_exact_order(folder):
    program = compile_c(folder, "a", THREADS, "-pthread")
    stream = recorded(folder, program, rotate="1M")
    assert len(volumes(stream)) > 3
    totals = figures(stream)["totals"]
    assert totals["allocations"] >= 400000 and totals["allocations"] - totals["frees"] == totals["live_blocks"]
    assert totals["lost_events"] == 0 and figures(stream)["process"]["complete"]
    exact = folder + "/x.memscope"
    done = run(MEMSCOPE, "run", "--quiet", "--mode", "exact", "--rotate", "1M", "-o", exact, program)
    assert done.returncode == 0, done.stderr
    said = ok(MEMSCOPE, "dump", "--check-merge", exact)
    assert "\nmismatches 0\nforced 0\n" in said and len(volumes(exact)) > 3, said


def test_by_time(folder):
    program = compile_c(folder, "a", ENDLESS)
    stream = folder + "/s.memscope"
    child = subprocess.Popen([MEMSCOPE, "run", "--quiet", "--rotate", "1s", "-o", stream, program], stdout=subprocess.PIPE,
                             env=environment())
    try:
        end = time.time() + 60
        while len(volumes(stream)) < 3 and time.time() < end:
            child.stdout.readline()
        assert len(volumes(stream)) >= 3
        running = figures(stream)["totals"]["events"]
        assert running > 1000000
    finally:
        os.kill(child.pid, signal.SIGTERM)
        child.wait()
        child.stdout.close()
    after = figures(stream)
    assert after["totals"]["events"] >= running and after["totals"]["live_blocks"] < 100


def test_killed(folder):
    """What the program had done before a line came out is in the stream."""
    program = compile_c(folder, "a", ENDLESS)
    for i in range(3):
        stream = f"{folder}/k{i}.memscope"
        child = subprocess.Popen([program], stdout=subprocess.PIPE,
                                 env=environment(MEMSCOPE="on", MEMSCOPE_OUTPUT=stream, MEMSCOPE_ROTATE="2M"))
        for line in child.stdout:
            if int(line) >= 1000000: break
        child.kill()
        child.wait()
        child.stdout.close()
        totals = figures(stream)["totals"]
        assert totals["allocations"] >= 1000000 and totals["lost_events"] == 0 and len(volumes(stream)) > 5, totals
        assert 0 <= totals["allocations"] - totals["frees"] == totals["live_blocks"] < 10, totals


def test_status_counts_all_files(folder):
    program = compile_c(folder, "a", PROGRAM.replace("#include <string.h>", "#include <string.h>\n#include <unistd.h>")
                        .replace("  return 0;\n}", "  write(1, \"done\\n\", 5);\n  return read(0, argv[0], 1) < 0;\n}"))
    stream = folder + "/s.memscope"
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=environment(MEMSCOPE="on", MEMSCOPE_OUTPUT=stream, MEMSCOPE_ROTATE="256K"))
    try:
        assert child.stdout.readline() == b"done\n"
        parts = volumes(stream)
        assert len(parts) >= 4, parts
        for gone in (0, 2):
            for path in parts[:gone]:
                os.unlink(path)
            status = ok(MEMSCOPE, "ctl", child.pid, "status")
            size, unit, count = re.search(r"^written +([\d.]+) (KiB|MiB) in (\d+) files", status, re.M).groups()
            there = sum(os.path.getsize(path) for path in (stream, *parts[gone:]))
            assert int(count) == 1 + len(parts) - gone, status
            assert abs(float(size) * {"KiB": 1 << 10, "MiB": 1 << 20}[unit] / there - 1) < 0.05, (status, there)
            assert ("2 more are not there any more" in status) == (gone == 2), status
    finally:
        child.communicate(b"x")


def test_missing_and_foreign(folder):
    program = compile_c(folder, "a", PROGRAM)
    stream = recorded(folder, program, rotate="256K")
    parts = volumes(stream)
    last = parts[-1]
    os.rename(parts[0], folder + "/kept")
    os.rename(parts[1], folder + "/kept3")
    done = run(MEMSCOPE, "summary", stream)
    assert done.returncode == 3 and ".vol2 to .vol3 are not there" in done.stderr, done.stderr
    done = run(MEMSCOPE, "dump", stream)  # later volumes need no names of earlier ones
    assert done.returncode == 3 and "unknown site" not in done.stdout and "in drop" in done.stdout
    assert '"p : struct part" in main' in done.stdout or "parts : struct part" in done.stdout, done.stdout[:2000]
    framed = compile_c(folder, "framed", PROGRAM, "-fno-omit-frame-pointer")
    done = run(MEMSCOPE, "run", "--quiet", "--stack", "fp", "--rotate", "256K", "-o", folder + "/f.memscope", framed)
    assert done.returncode == 0, done.stderr
    whole = run(MEMSCOPE, "dump", folder + "/f.memscope").stdout
    os.unlink(folder + "/f.memscope.vol2")
    rest = run(MEMSCOPE, "dump", folder + "/f.memscope").stdout  # nor stacks
    for text in (whole, rest): assert re.search(r"^stack #\d+ from framed\+", text, re.M) and " undefined" not in text, text[:2000]
    shutil.copy(last, parts[0])
    assert "of another stream" in run(MEMSCOPE, "summary", stream).stderr
    os.rename(folder + "/kept", parts[0])
    os.rename(folder + "/kept3", parts[1])
    assert figures(stream)["process"]["complete"]
    one_line_error(run(MEMSCOPE, "summary", parts[1]), 2, "further file", "s.memscope")
    os.rename(last, folder + "/kept")
    write(last, "")
    done = run(MEMSCOPE, "summary", stream)
    assert done.returncode == 3 and "not there" in done.stderr, done.stderr
    with open(folder + "/kept", "rb") as file:
        data = file.read()
    with open(last, "wb") as file:
        file.write(data[:len(data) - 5000])
    done = run(MEMSCOPE, "summary", stream)
    assert done.returncode == 3 and "volume" in done.stderr, done.stderr


GREEDY = """#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void churn(int rounds) { for (int i = 0; i < rounds; i++) { void *volatile p = malloc(20 + i % 50); free(p); } }
int main(int argc, char **argv) {
  churn(200000);
  for (int fd = 3; fd < 2000; fd++) close(fd);
  churn(200000);
  int mine[1200], own = open(argv[1], O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 1200; i++) mine[i] = dup(own);
  for (int i = 0; i < 20; i++) dup2(own, 995 + i);
  churn(1000000);
  for (int i = 0; i < 1200; i++) if (write(mine[i], "x", 1) != 1) return 3;
  for (int i = 0; i < 20; i++) if (write(995 + i, "y", 1) != 1) return 4;
  close_range(3, ~0u, 0);
  churn(200000);
  return 0;
}
"""


def test_host_takes_numbers(folder):
    """A host that closes and takes numbers it does not own: neither its files nor ours suffer."""
    program = compile_c(folder, "a", GREEDY)
    stream = recorded(folder, program, folder + "/mine", rotate="256K")
    assert open(folder + "/mine").read() == "x" * 1200 + "y" * 20
    totals = figures(stream)["totals"]
    assert totals["lost_events"] == 0 and totals["allocations"] >= 1600000 and totals["allocations"] - totals["frees"] == totals["live_blocks"]
    assert figures(stream)["process"]["complete"] and len(volumes(stream)) > 20


WAITS = """#include <stdio.h>
#include <stdlib.h>
int main(void) {
  void *volatile p = malloc(1);
  free(p);
  puts("go");
  fflush(stdout);
  getchar();
  for (int i = 0; i < 100000; i++) { p = malloc(50); free(p); }
  return 0;
}
"""
TAIL, LOST = 56, 64  # of the header page: where the next record goes, events lost


def header_word(stream, at, value=None):
    with open(stream, "r+b") as file:
        file.seek(at)
        if value is None: return struct.unpack("<Q", file.read(8))[0]
        file.write(struct.pack("<Q", value))


def test_no_end_at_64_gib(folder):
    """One file may grow beyond a volume's most; a volume does not, whatever it was to hold."""
    program = compile_c(folder, "a", WAITS)
    for rotate in (None, "1d"):
        stream = f"{folder}/{rotate}.memscope"
        child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=environment(MEMSCOPE="on", MEMSCOPE_OUTPUT=stream, MEMSCOPE_ROTATE=rotate))
        child.stdout.readline()
        with open(stream, "rb") as file: words = struct.unpack("<512Q", file.read(4096))
        at = 8 * next(i for i, word in enumerate(words) if word >> 36 == 1 and word % (1 << 36) == 4096) if rotate else TAIL
        header_word(stream, at, (2 << 36) - 8192 if rotate else (1 << 36) - 8192)
        _, said = child.communicate(b"\n")
        assert child.returncode == 0 and not said and header_word(stream, LOST) == 0, said
        assert os.path.exists(stream + ".vol3") == bool(rotate) and (rotate or os.path.getsize(stream) > 1 << 36)
        for path in (stream, *volumes(stream)): os.unlink(path)


def test_file_limit(folder):
    """Where a file may not grow, the next one begins."""
    program = compile_c(folder, "a", PROGRAM)
    stream = folder + "/s.memscope"
    done = run("bash", "-c", f"ulimit -f 2048; exec {MEMSCOPE} run --quiet --rotate 1d -o {stream} {program} 200000")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert len(volumes(stream)) > 2 and figures(stream)["process"]["complete"]


def test_damaged_tail(folder):
    """The header says where the newest volume is; it must not be believed."""
    program = compile_c(folder, "a", PROGRAM)
    stream = recorded(folder, program, rotate="256K")
    count = len(volumes(stream))
    with open(stream, "r+b") as file:
        words = struct.unpack("<512Q", file.read(4096))
        at = [i for i, word in enumerate(words) if word >> 36 == count and word % (1 << 36) % 4096 == 0]
        assert len(at) == 1, at
        for tail in (2**64 - 1, 1, (count + 100) << 36):
            file.seek(8 * at[0])
            file.write(struct.pack("<Q", tail))
            file.flush()
            assert run(MEMSCOPE, "summary", stream, timeout=60).returncode == 3, tail
            run(MEMSCOPE, "pack", stream, "-o", folder + "/p", timeout=60)


def test_pack(folder):
    program = compile_c(folder, "a", PROGRAM)
    stream = recorded(folder, program, rotate="256K")
    parts = volumes(stream)
    before = ok(MEMSCOPE, "dump", "--stable", stream)
    said = ok(MEMSCOPE, "pack", stream)
    packed = folder + "/s.packed.memscope"
    share, count = re.search(rf"in {1 + len(parts)} files, ([\d.]+) % of ([\d.]+) MiB", said).groups()
    whole, small = (sum(map(os.path.getsize, [first, *volumes(first)])) for first in (stream, packed))
    assert abs(float(share) - 100 * small / whole) < 0.1 and abs(float(count) - whole / 2**20) < 0.1, said
    one_line_error(run(MEMSCOPE, "pack", parts[0]), 2, "further file", "give the first one, " + stream)
    assert [p.rsplit("vol", 1)[1] for p in volumes(packed)] == [p.rsplit("vol", 1)[1] for p in parts]
    assert ok(MEMSCOPE, "dump", "--stable", packed) == before
    ok(MEMSCOPE, "pack", "--unpack", packed, "-o", folder + "/back.memscope")
    for path in [stream, *parts]:
        assert filecmp.cmp(path, path.replace("/s.memscope", "/back.memscope"), shallow=False), path
    os.rename(volumes(packed)[1], folder + "/aside")  # one packed, the others not
    shutil.copy(parts[1], packed + ".vol3")
    assert ok(MEMSCOPE, "dump", "--stable", packed) == before
    done = run(MEMSCOPE, "run", "--pack", "--rotate", "256K", "-o", folder + "/p.memscope", program, cwd=folder)
    assert done.returncode == 0 and len(volumes(folder + "/p.packed.memscope")) >= 4, done.stderr
    assert not volumes(folder + "/p.memscope") and not os.path.exists(folder + "/p.memscope")


def damage(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xff]))


def test_pack_is_all_or_nothing(folder):
    """A file of the set that cannot be read, the first or a later one, leaves none behind, and what was there stays."""
    stream = recorded(folder, compile_c(folder, "a", PROGRAM), rotate="256K")
    packed = folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", stream)
    write(folder + "/mine", "mine")
    before = sorted(os.listdir(folder))
    for path in (packed, volumes(packed)[1]):
        shutil.copy(path, folder + "/aside")
        damage(path)
        for output in ("new", "mine"):
            done = run(MEMSCOPE, "pack", "--unpack", packed, "-o", f"{folder}/{output}")
            one_line_error(done, 3, path, "offset", "none was unpacked")
        os.rename(folder + "/aside", path)
        assert sorted(os.listdir(folder)) == before and open(folder + "/mine").read() == "mine", os.listdir(folder)
    write(volumes(stream)[2], "no volume")
    one_line_error(run(MEMSCOPE, "pack", stream, "-o", folder + "/other"), 3, volumes(stream)[2], "none was packed")
    assert sorted(os.listdir(folder)) == before, os.listdir(folder)


def test_packed_damage(folder):
    """A packed volume's damage is said with that volume; of one without its first segment nothing is known."""
    stream = recorded(folder, compile_c(folder, "a", PROGRAM), "900000", rotate="36M")
    whole, packed = figures(stream)["totals"], folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", stream)
    path = volumes(packed)[0]
    with open(path, "rb") as file:
        data = file.read()
    shutil.copy(volumes(packed)[1], folder + "/foreign")
    parts = list(segments(data))
    assert len(parts) >= 3, parts

    def said(at, path=path):
        shutil.copy(path, folder + "/whole")
        with open(path, "r+b") as file:
            file.seek(at + SEGMENT.size)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))
        done, got = run(MEMSCOPE, "summary", packed), run(MEMSCOPE, "summary", "--json", packed)
        os.rename(folder + "/whole", path)
        assert done.returncode == got.returncode == 3, done.stderr
        text = " ".join(done.stdout.split())
        return text[:text.index(" allocated ")], text, json.loads(got.stdout)["totals"]["events"]

    at, _, _, events, _ = parts[1]
    head, text, left = said(at)
    assert f"{events} events missing: 1 segment of the packed file is damaged, at offset {at} of volume 2" in head, head
    assert 0 <= left - (whole["events"] - events) <= 1, (left, whole, events)
    head, text, left = said(24)
    assert f"more than {parts[0][3]} events missing: 1 segment of the packed file is damaged, at offset 24 of volume 2" in head, head
    assert "first packed segment is damaged" in text and "another stream" not in text, text
    assert left < whole["events"] - sum(part[3] for part in parts) + 2, (left, whole)
    os.rename(path, folder + "/aside")
    os.rename(folder + "/foreign", path)
    with open(path, "rb") as file:
        at = list(segments(file.read()))[1][0]
    head, text, _ = said(at)
    assert "another stream" in text and "segment" not in head, text


def test_run_packs_all_or_nothing(folder):
    """A volume that no longer is one when the program ends."""
    program = compile_c(folder, "a", PROGRAM.replace("  return 0;\n}", '  remove("s.memscope.vol3");\n  fclose(fopen("s.memscope.vol3", "w"));\n  return 0;\n}')
                        .replace("#include <string.h>", "#include <string.h>\n#include <stdio.h>"))
    done = run(MEMSCOPE, "run", "--quiet", "--pack", "--rotate", "256K", "-o", "s.memscope", program, cwd=folder)
    assert done.returncode == 0 and "s.memscope.vol3" in done.stderr and "none was packed" in done.stderr, done.stderr
    assert not [name for name in os.listdir(folder) if "packed" in name] and len(volumes(folder + "/s.memscope")) >= 4, os.listdir(folder)


def test_name_taken(folder):
    program = compile_c(folder, "a", PROGRAM)
    stream = folder + "/s.memscope"
    write(stream + ".vol4", "somebody's")
    done = run(MEMSCOPE, "run", "--quiet", "--rotate", "128K", "-o", stream, program)
    assert done.returncode == 0 and "s.memscope.vol4: it exists already" in done.stderr, done.stderr
    assert len(volumes(stream)) == 3 and open(stream + ".vol4").read() == "somebody's"
    whole = recorded(folder, program, name="w.memscope")
    assert ok(MEMSCOPE, "dump", "--stable", stream) == ok(MEMSCOPE, "dump", "--stable", whole)


def test_arguments(folder):
    for bad in ("0", "63K", "1x", "-1", "10m in", "", "s"):
        one_line_error(run(MEMSCOPE, "run", "--rotate", bad, "true"), 2, "--rotate")
    program = compile_c(folder, "a", PROGRAM)
    done = run(MEMSCOPE, "run", "--quiet", "-o", folder + "/e.memscope", program, env=environment(MEMSCOPE_ROTATE="12"))
    assert done.returncode == 0 and "MEMSCOPE_ROTATE=12" in done.stderr, done.stderr


def test_fork(folder):
    program = compile_c(folder, "a", PROGRAM.replace("#include <string.h>", "#include <string.h>\n#include <unistd.h>\n#include <sys/wait.h>")
                        .replace("  return 0;\n}", "  if (!getenv(\"AGAIN\")) {\n    setenv(\"AGAIN\", \"1\", 1);\n    if (fork() == 0) return main(argc, argv);\n    wait(NULL);\n  }\n  return 0;\n}"))
    stream = recorded(folder, program, rotate="512K", name="%p.memscope")
    streams = [name for name in os.listdir(folder) if re.fullmatch(r"\d+\.memscope", name)]
    assert len(streams) == 2, os.listdir(folder)
    for name in streams:
        assert volumes(os.path.join(folder, name)) and figures(os.path.join(folder, name))["process"]["complete"], name


if __name__ == "__main__":
    main()
