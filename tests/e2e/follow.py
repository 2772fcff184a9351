#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary --follow of a program whose threads free each other's blocks: every
look is a whole prefix, with no free before its allocation and nothing lost, and
the last one is the finished stream's."""
import json
import os
import re
import signal
import subprocess
import time

from damage import chunks
from e2e import MEMSCOPE, Skip, compile_c, environment, main, ok, one_line_error, run

PROGRAM = """#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>
static _Atomic(char *) shared[256];
static atomic_int over;
static void *work(void *argument) {
  unsigned random = (unsigned)(size_t)argument;
  while (!over) {
    random = random * 1103515245 + 12345;
    if (random >> 16 & 1) usleep(50); /* so that a look takes less than the time between two */
    free(atomic_exchange(&shared[random >> 16 & 255], malloc(1 + (random >> 24))));
  }
  return NULL;
}
int main(void) {
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
  getchar();
  over = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 256; i++) free(shared[i]);
  return 0;
}
"""

# In front of memscope: between its asking for the file's size and its reading, threads seal chunks.
SLOW = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>
int fstat(int fd, struct stat *status) {
  int rc = ((int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat"))(fd, status);
  usleep(100000);
  return rc;
}
"""


def started(folder, **environ):
    program = compile_c(folder, "a", PROGRAM, "-pthread")
    stream = folder + "/s.memscope"
    process = subprocess.Popen([program], stdin=subprocess.PIPE, env=environment(MEMSCOPE="on", MEMSCOPE_OUTPUT=stream, **environ))
    while not os.path.exists(stream) or os.path.getsize(stream) < 1 << 18:
        time.sleep(0.01)
    return process, stream


def looks_until(follow, process, sign, times):
    """What follow says until `sign` has come so often; then the program may end."""
    said = ""
    while said.count(sign) < times:
        line = follow.stdout.readline()
        assert line, said[-300:]
        said += line
    process.communicate(b"\n")
    said += follow.stdout.read()
    assert follow.wait(timeout=100) == 0
    return said


def documents(text):
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def looks_are_whole(process, stream, env):
    follow = subprocess.Popen([MEMSCOPE, "summary", stream, "--json", "--follow=0.05"], stdout=subprocess.PIPE, text=True, env=env)
    looks = documents(looks_until(follow, process, '"memscope"', 6))
    assert len(looks) >= 6, len(looks)
    for look, after in zip(looks, looks[1:]):
        totals = look["totals"]
        assert totals["allocations"] - totals["frees"] == totals["live_blocks"], totals
        assert 100 < totals["live_blocks"] <= 256 + 20, totals
        assert totals["events"] < after["totals"]["events"], (totals, after["totals"])
        assert not look["process"]["complete"] and not totals["lost_events"]
    assert looks[-1] == json.loads(ok(MEMSCOPE, "summary", stream, "--json")) and looks[-1]["process"]["complete"]


def test_plain_looks_are_whole(folder):
    """Whoever looks at a running program without --follow sees as true a prefix."""
    process, stream = started(folder)
    try:
        for i in range(30):
            done = run(MEMSCOPE, "summary", "--json", stream)
            assert done.returncode == 0 and not done.stderr, done.stderr
            totals = json.loads(done.stdout)["totals"]
            assert totals["allocations"] - totals["frees"] == totals["live_blocks"] and totals["peak_bytes"] < 300 * 256, totals
        assert "not freed now" in ok(MEMSCOPE, "summary", stream)
        ok(MEMSCOPE, "report", stream)
    finally:
        process.communicate(b"\n")
    assert "not freed at exit" in ok(MEMSCOPE, "summary", stream)


def test_every_look_is_whole(folder):
    looks_are_whole(*started(folder), environment())


def test_slow_looks_are_whole(folder):
    slow = compile_c(folder, "slow.so", SLOW, "-shared", "-fPIC", compiler="gcc")
    looks_are_whole(*started(folder, MEMSCOPE_WINDOW="16K"), environment(LD_PRELOAD=slow))


def test_no_event_is_placed_by_force(folder):
    process, stream = started(folder)
    follow = subprocess.Popen([MEMSCOPE, "summary", stream, "--follow=0.05"], stdout=subprocess.PIPE, text=True)
    said = looks_until(follow, process, "next: memscope report", 6)
    assert said.count("not freed now") >= 6 and said.count("not freed at exit") == 1, said[-3000:]
    heads = re.findall(r"^==== (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ====$", said, re.M)
    assert len(heads) == said.count("next: memscope report") and heads == sorted(heads) and said.startswith("===="), said[:300]
    assert said.count("still running") == said.count("not freed now")
    for loss in ("placed by time", "not in the stream", "without a row", "damaged", "missing"):
        assert loss not in said, loss


def test_killed_program(folder):
    process, stream = started(folder)
    follow = subprocess.Popen([MEMSCOPE, "summary", stream, "--json", "--follow=0.1"], stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    looks = documents(follow.communicate(timeout=60)[0])
    totals = looks[-1]["totals"]
    assert follow.returncode == 0 and totals["allocations"] - totals["frees"] == totals["live_blocks"], totals


def test_killed_and_not_waited_for(folder):
    """A process that is dead writes no more, also while its parent leaves it in the list."""
    if os.geteuid() != 0:
        raise Skip("of a dead process the system shows its open files to root alone")
    process, stream = started(folder)
    process.send_signal(signal.SIGKILL)
    follow = run(MEMSCOPE, "summary", stream, "--json", "--follow=0.1", timeout=60)
    process.communicate()
    assert follow.returncode == 0 and documents(follow.stdout), follow.stderr


def test_damaged_chunk(folder):
    """A chunk that no later look makes whole: each look says so, and the end is still seen."""
    process, stream = started(folder, MEMSCOPE_WINDOW="16K")
    with open(stream, "r+b") as file:
        rows, used = next(chunks(file.read()))
        file.seek(rows + used // 2)
        byte = file.read(1)[0]
        file.seek(rows + used // 2)
        file.write(bytes([byte ^ 1]))
    follow = subprocess.Popen([MEMSCOPE, "summary", stream, "--follow=0.05"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = ""
    while said.count("1 chunk is damaged") < 3:
        line = follow.stdout.readline()
        assert line, said[-1000:]
        said += line
    process.communicate(b"\n")
    rest, errors = follow.communicate(timeout=100)
    assert rest.endswith(run(MEMSCOPE, "summary", stream).stdout) and "1 chunk is damaged" in rest, rest[-1000:]
    assert follow.returncode == 3 and "at offset" in errors, (follow.returncode, errors)


def test_bad_arguments(folder):
    one_line_error(run(MEMSCOPE, "summary", folder + "/none", "--follow"), 2, "none")
    one_line_error(run(MEMSCOPE, "summary", folder, "--follow=no"), 2, "--follow")


if __name__ == "__main__":
    main()
