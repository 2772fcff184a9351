#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recording switched while the program runs, by itself and by memscope ctl: what
is counted is what the program logged in the open stretches, blocks from other
times are never invented, and the live blocks stay true."""
import ctypes
import mmap
import os
import re
import shutil
import signal
import subprocess
import time

from e2e import MEMSCOPE, SOURCE, compile_c, environment, main, ok, one_line_error, record, run, summary

HEADER = "-I" + os.path.join(SOURCE, "include")
PROGRAM = """#include "memscope.h"
#include <stdlib.h>
char *kept, *before, *meanwhile;
int main(void) {
  before = malloc(100);                     /* known, ends while paused */
  kept = malloc(1000);                      /* known, stays */
  free(malloc(10));
  memscope_mark("first");
  if (memscope_pause() || memscope_recording()) return 1;
  free(before);
  for (int i = 0; i < 50; i++) free(malloc(20));
  meanwhile = malloc(200);                  /* unknown */
  kept = realloc(kept, 3000);               /* ends, and is unknown */
  if (memscope_resume() || memscope_recording() != 1) return 1;
  free(meanwhile);                          /* unseen, but a free */
  free(kept);
  char *last = malloc(300);
  memscope_snapshot("last");
  free(last);
  return memscope_flush();
}
"""


def test_pause_and_resume(folder):
    stream = record(folder, compile_c(folder, "a", PROGRAM, HEADER))
    whole = summary(stream)
    totals = whole["totals"]
    assert (totals["allocations"], totals["frees"], totals["live_blocks"]) == (4, 4, 0), totals
    assert len(whole["pauses"]) == 1 and whole["pauses"][0]["to_ns"] >= whole["pauses"][0]["from_ns"]
    first, last = whole["marks"]
    assert (first["name"], first["live_bytes"], "sites" in first) == ("first", 1100, False), first
    assert (last["name"], last["live_bytes"], last["live_blocks"]) == ("last", 300, 1), last
    held = {site["id"]: site["holder"] for site in whole["sites"]}
    assert [(held[s["id"]], s["live_bytes"]) for s in last["sites"]] == [("last", 300)], last
    text = ok(MEMSCOPE, "summary", stream)
    assert "paused 1 time" in text and "2 blocks recorded before ended" in text and "snapshot" in text, text
    assert "double" not in text and "invalid" not in text, text
    dump = ok(MEMSCOPE, "dump", stream)
    for line in ("recording pauses", "recording goes on", "mark first", "snapshot last"):
        assert line in dump, line
    ok(MEMSCOPE, "report", stream)


def test_without_recording(folder):
    program = compile_c(folder, "a", PROGRAM.replace("return 1;", "return memscope_mark(0) + memscope_recording() + 2;"), HEADER)
    assert run(program).returncode == 0


def test_begins_paused(folder):
    program = compile_c(folder, "a", """#include "memscope.h"
#include <stdlib.h>
char *early[100];
int main(void) {
  for (int i = 0; i < 100; i++) early[i] = malloc(50);
  memscope_resume();
  for (int i = 0; i < 100; i++) free(early[i]);
  early[0] = malloc(70);
  return 0;
}
""", HEADER)
    stream = folder + "/s.memscope"
    ok(MEMSCOPE, "run", "--quiet", "--paused", "-o", stream, program)
    whole = summary(stream)
    assert (whole["totals"]["allocations"], whole["totals"]["frees"], whole["totals"]["live_bytes"]) == (1, 100, 70), whole["totals"]
    assert "while nothing was recorded" in ok(MEMSCOPE, "summary", stream)
    assert len(whole["pauses"]) == 1 and whole["pauses"][0]["from_ns"] == 0 < whole["pauses"][0]["to_ns"], whole["pauses"]


def test_never_resumed(folder):
    """Nothing is recorded, and whoever reads that is told why and what to do."""
    program = compile_c(folder, "a", """#include "memscope.h"
#include <stdlib.h>
char *kept;
int main(int argc, char **argv) { (void)argv; kept = malloc(50); if (argc > 1) memscope_pause(); return 0; }
""", HEADER)
    stream = folder + "/s.memscope"
    said = run(MEMSCOPE, "run", "--paused", "-o", stream, program).stderr
    for text in (said, ok(MEMSCOPE, "summary", stream)):
        assert "never resumed" in text and re.search(r"memscope ctl \d+ resume", text) and "paused 1 time" not in text, text
    for words, env, told in ((("--paused",), {}, True), ((), {"MEMSCOPE_PAUSED": "on"}, True), ((), {}, False)):
        done = run(MEMSCOPE, "run", "--quiet", *words, "-o", folder + "/q.memscope", program, *([] if told else ["pause"]), env=environment(**env))
        assert done.returncode == 0 and ("never resumed" in done.stderr) == told, (words, done.stderr)


LOOP = """#include "memscope.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
enum { RING = 64 };
static volatile sig_atomic_t over;
static void end(int signal) { (void)signal; over = 1; }
int main(void) {
  static char *ring[RING];
  static int seen[RING];
  long allocations = 0, frees = 0, live = 0;
  unsigned random = 1;
  signal(SIGTERM, end);
  puts("ready");
  fflush(stdout);
  while (!over) {
    int at = (random = random * 1103515245 + 12345) >> 16 & (RING - 1), on = memscope_recording() == 1;
    frees += on && ring[at];
    live -= seen[at];
    free(ring[at]);
    ring[at] = NULL;
    on = memscope_recording() == 1;
    ring[at] = malloc(1 + at);
    allocations += on;
    live += seen[at] = on;
  }
  if (!memscope_recording()) memscope_resume();
  printf("%ld %ld %ld\\n", allocations, frees, live);
  return 0;
}
"""


def started(folder, program, *arguments):
    process = subprocess.Popen([MEMSCOPE, "run", "--quiet", "-o", folder + "/s.memscope", program, *arguments], stdout=subprocess.PIPE, text=True,
                               env=environment())
    assert process.stdout.readline() == "ready\n"
    for line in open("/proc/%d/task/%d/children" % (process.pid, process.pid)):
        return process, line.split()[0]


def test_ctl_under_load(folder):
    """A hundred pauses from outside: the counts are those of the program's own log."""
    process, pid = started(folder, compile_c(folder, "a", LOOP, HEADER))
    for i in range(100):
        assert "paused" in ok(MEMSCOPE, "ctl", pid, "pause")
        assert "goes on" in ok(MEMSCOPE, "ctl", pid, "resume")
    assert "marked here" in ok(MEMSCOPE, "ctl", pid, "mark", "here")
    status = ok(MEMSCOPE, "ctl", pid, "status")
    assert "recording  on" in status and "pauses     100" in status and folder + "/s.memscope" in status, status
    os.kill(int(pid), 15)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    whole = summary(folder + "/s.memscope")
    totals = whole["totals"]
    logged = [int(word) for word in said.split()]
    # one more: stdout's buffer, obtained before the first line and never freed
    assert [totals["allocations"] - 1, totals["frees"], totals["live_blocks"] - 1] == logged, (totals, logged)
    assert len(whole["pauses"]) == 100 and [m["name"] for m in whole["marks"]] == ["here"]


TURNS, THREADS = 100, 3
STRETCHES = 2 * TURNS + 1  # the open ones are even


def threads_program():
    """Each thread looks which stretch it is in, says that it has seen it, and only then allocates: at a
    site of that stretch, or, while somebody switches, at one of its own. So all that a stretch's site
    allocates is allocated in it, and the counts here are a log that knows nothing of us."""
    members = " ".join(f"void *k{i};" for i in range(STRETCHES))
    cases = " ".join(f"case {i}: slot->k{i} = malloc(32); break;" for i in range(STRETCHES))
    return f"""#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
enum {{ STRETCHES = {STRETCHES}, THREADS = {THREADS}, OVER = 1000000 }};
union slot {{ void *any; void *switching; {members} }};
static struct {{ int now, seen[THREADS]; }} *shared;
static long made[THREADS][STRETCHES];
static void take(union slot *slot, int now) {{
  if (now & 1) {{ slot->switching = malloc(48); return; }}
  switch (now / 2) {{ {cases} }}
}}
static void *work(void *number) {{
  static union slot ring[THREADS][64];
  size_t me = (size_t)number;
  for (unsigned at = 0;; at++) {{
    int now = __atomic_load_n(&shared->now, __ATOMIC_ACQUIRE);
    __atomic_store_n(&shared->seen[me], now, __ATOMIC_RELEASE);
    if (now == OVER) break;
    union slot *slot = &ring[me][at % 64];
    free(slot->any);
    take(slot, now);
    if (!(now & 1)) made[me][now / 2]++;
    if (at % 64 == 63) nanosleep(&(struct timespec){{0, 20000}}, NULL);
  }}
  for (int i = 0; i < 64; i++) free(ring[me][i].any);
  return NULL;
}}
int main(int argc, char **argv) {{
  pthread_t threads[THREADS];
  shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(argv[argc - 1], O_RDWR), 0);
  puts("ready");
  fflush(stdout);
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (int k = 0; k < STRETCHES; k++) {{
    long sum = 0;
    for (int i = 0; i < THREADS; i++) sum += made[i][k];
    printf("%ld\\n", sum);
  }}
  return 0;
}}
"""


class Stretches:
    """The word that says which stretch it is, and what each thread has seen of it."""

    def __init__(self, path):
        self.words = (ctypes.c_int * (1 + THREADS)).from_buffer(mmap.mmap(os.open(path, os.O_RDWR), 4096))  # stores in one piece

    def enter(self, now):
        """All threads have done what they began before."""
        self.words[0] = now
        end = time.monotonic() + 60
        while self.words[1:] != [now] * THREADS:
            assert time.monotonic() < end, "the threads hang"
            time.sleep(0.0005)


def test_ctl_under_load_of_threads(folder):
    """A hundred pauses, from outside, of threads that allocate all the while: each open stretch has every
    allocation that the program logged for it, and each closed one has none."""
    with open(folder + "/shared", "wb") as file:
        file.write((1).to_bytes(4, "little") * 1024)
    program = compile_c(folder, "a", threads_program(), "-pthread")
    process, pid = started(folder, program, folder + "/shared")
    stretches = Stretches(folder + "/shared")
    for turn in range(TURNS):
        for stretch, word in ((2 * turn, "pause"), (2 * turn + 1, "resume")):
            stretches.enter(2 * stretch)
            stretches.enter(2 * stretch + 1)
            ok(MEMSCOPE, "ctl", pid, word)
    stretches.enter(2 * (STRETCHES - 1))
    stretches.enter(1000000)
    logged = [int(word) for word in process.communicate(timeout=60)[0].split()]
    assert process.returncode == 0 and len(logged) == STRETCHES and min(logged) > 0, logged
    whole = summary(folder + "/s.memscope", "--top", "1000")
    recorded = [0] * STRETCHES
    for site in whole["sites"]:
        found = re.search(r"->k(\d+)$", site["holder"])
        if found: recorded[int(found[1])] += site["allocations"]
    wrong = [(i, recorded[i], count) for i, count in enumerate(logged) if recorded[i] != count * (i % 2 == 0)]
    assert not wrong, f"(stretch, recorded, logged): {wrong}"
    totals = whole["totals"]
    assert len(whole["pauses"]) == TURNS and totals["lost_events"] == 0 and totals["live_blocks"] < 10, totals


def test_stop(folder):
    process, pid = started(folder, compile_c(folder, "a", LOOP, HEADER))
    assert "ended" in ok(MEMSCOPE, "ctl", pid, "stop")
    one_line_error(run(MEMSCOPE, "ctl", pid, "pause"), 2, "ended", "s.memscope")
    assert "stopped" in ok(MEMSCOPE, "ctl", pid, "status")
    os.kill(int(pid), 15)
    process.communicate(timeout=60)
    assert process.returncode == 0 and summary(folder + "/s.memscope")["process"]["complete"]
    text = ok(MEMSCOPE, "summary", folder + "/s.memscope")
    assert "not freed when recording stopped\n" in text and "at exit" not in text, text


def test_deleted_stream(folder):
    process, pid = started(folder, compile_c(folder, "a", LOOP, HEADER))
    try:
        os.remove(folder + "/s.memscope")
        done = run(MEMSCOPE, "ctl", pid, "status")
        one_line_error(done, 2, "was deleted", folder + "/s.memscope", "cp /proc/" + pid)
        ok("sh", "-c", re.search(r"cp \S+ \S+", done.stderr)[0], cwd=folder)
    finally:
        os.kill(int(pid), signal.SIGKILL)  # it fills the disk
        process.communicate(timeout=60)
    assert run(MEMSCOPE, "summary", folder + "/saved.memscope", "--json").stdout.startswith("{")


def test_idle_process(folder):
    program = compile_c(folder, "a", """#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void) { free(malloc(1)); puts("ready"); fflush(stdout); sleep(30); return 0; }
""")
    process, pid = started(folder, program)
    assert "at its next event" in ok(MEMSCOPE, "ctl", pid, "pause")
    process.terminate()
    process.wait()


def test_bad_arguments(folder):
    one_line_error(run(MEMSCOPE, "ctl"), 2, "no process")
    one_line_error(run(MEMSCOPE, "ctl", "x", "pause"), 2, "no process id")
    one_line_error(run(MEMSCOPE, "ctl", "999999999", "pause"), 2, "no process 999999999")
    one_line_error(run(MEMSCOPE, "ctl", str(os.getpid()), "fly"), 2, "fly")
    one_line_error(run(MEMSCOPE, "ctl", str(os.getpid()), "mark"), 2, "name")
    one_line_error(run(MEMSCOPE, "ctl", str(os.getpid()), "mark", ""), 2, "mark needs a name")
    one_line_error(run(MEMSCOPE, "ctl", str(os.getpid()), "mark", "two", "words"), 2, "words", "quotes")
    done = run(MEMSCOPE, "ctl", str(os.getpid()), "pause", "it")
    one_line_error(done, 2, "too many words: it")
    assert "quotes" not in done.stderr, done.stderr
    one_line_error(run(MEMSCOPE, "ctl", str(os.getpid()), "status"), 2, "not being recorded")


def test_process_of_another(folder):
    """Its user is told, and not that there is none."""
    if os.geteuid() != 0:
        one_line_error(run(MEMSCOPE, "ctl", "1", "status"), 2, "process 1 belongs to another user", "as its user")
        return
    os.chmod(folder, 0o755)
    tool = shutil.copy(MEMSCOPE, folder + "/memscope")  # the checkout may be root's alone
    done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tool, "ctl", str(os.getpid()), "status", cwd=folder)
    one_line_error(done, 2, f"process {os.getpid()} belongs to another user", "as its user")


if __name__ == "__main__":
    main()
