#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A full disk: the program runs on to its normal end with its own exit code,
the loss is counted and said in one line, and what was recorded can be read.

On a real full file system (a small tmpfs in a namespace of its own) where the
machine allows one; always with a kernel that answers fallocate and pwrite past
an offset with ENOSPC (nospace.c), and under a file-size limit."""
import os
import re

from e2e import MEMSCOPE, compile_c, main, ok, run, summary

COUNT = 200000
STORM = f"""#include <stdio.h>
#include <stdlib.h>
char *kept[{COUNT}];
int main(void) {{
  long sum = 0;
  for (int i = 0; i < {COUNT}; i++) {{ kept[i] = malloc(1 + i % 100); kept[i][0] = (char)i; }}
  for (int i = 0; i < {COUNT}; i++) {{ sum += kept[i][0]; free(kept[i]); }}
  printf("sum %ld\\n", sum);
  return 5;
}}
"""

def check(done, stream):
    assert done.returncode == 5, f"the program's own exit code is 5, not {done.returncode}: {done.stderr}"
    assert re.search(r"^sum -?\d+$", done.stdout, re.M), done.stdout
    said = [line for line in done.stderr.splitlines() if "not recorded" in line]
    assert len(said) == 1 and "disk is full" in said[0] and "-o" in said[0], done.stderr
    lost = int(re.search(r"(\d+) events", said[0]).group(1))
    totals = summary(stream)["totals"]
    text = ok(MEMSCOPE, "summary", stream)
    head, figures = text.split("  allocated ", 1)
    assert f"\n{lost} events not recorded: " in head, text
    assert "not freed in what was recorded\n" in figures and "at exit" not in figures, text
    assert totals["lost_events"] == lost, (totals, lost)
    assert totals["events"] + lost == 2 * COUNT + outside_events(), (totals, lost)
    assert not summary(stream)["process"]["complete"]


def outside_events():
    """Events of the C library itself in such a program: stdout's buffer, never freed."""
    return 1


def no_space(folder, room, program, stream):
    """memscope run where the kernel refuses any file more than `room` bytes."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "nospace.c")) as file:
        launcher = compile_c(folder, "nospace", file.read(), compiler="gcc")
    return run(launcher, room, MEMSCOPE, "run", "--quiet", "-o", stream, program, cwd=folder)


def test_no_space_after(folder):
    program = compile_c(folder, "a", STORM)
    for room in (128 << 10, 300000, 1 << 20, 3 << 20):
        stream = f"{folder}/{room}.memscope"
        check(no_space(folder, room, program, stream), stream)


def test_no_space_at_all(folder):
    program = compile_c(folder, "a", STORM)
    done = no_space(folder, 0, program, folder + "/none.memscope")
    assert done.returncode == 5 and "sum" in done.stdout, done.stderr
    assert "no space left" in done.stderr and "-o" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_real_full_disk(folder):
    """A tmpfs of one MiB, mounted where only this test sees it. The stream is copied out to be read."""
    program = compile_c(folder, "a", STORM)
    os.mkdir(folder + "/disk")
    script = ('mount -t tmpfs -o size=1m none disk || exit 99; '
              f'"{MEMSCOPE}" run --quiet -o disk/s.memscope ./a; code=$?; cp disk/s.memscope out.memscope; exit $code')
    done = run("unshare", "-rm", "sh", "-c", script, cwd=folder)
    if done.returncode in (1, 99) and "sum" not in done.stdout:
        print(f"no namespace for a real disk here ({done.stderr.strip()}); the tests above stand for it")
        return
    check(done, folder + "/out.memscope")


def test_file_size_limit(folder):
    """RLIMIT_FSIZE raises SIGXFSZ in whoever writes on: it must not reach the program."""
    program = compile_c(folder, "a", STORM)
    stream = folder + "/limit.memscope"
    done = run("bash", "-c", 'ulimit -f 512; exec "$@"', "bash", MEMSCOPE, "run", "--quiet", "-o", stream, program, cwd=folder)
    check(done, stream)


if __name__ == "__main__":
    main()
