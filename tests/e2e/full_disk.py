#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A full disk: the program runs on to its normal end with its own exit code,
the loss is counted and said in one line, and what was recorded can be read.

Once on a real full file system (a small tmpfs in a namespace of its own), where
the machine allows one, and always with a library that makes fallocate and
pwrite fail after so many bytes."""
import os
import re

from e2e import MEMSCOPE, compile_c, environment, main, ok, run, summary

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

# Fails like a device with MS_TEST_ROOM bytes: only on files it is told of, so
# that the program's own output is as before.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
static long room = -1;
static int ours(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  path[n > 0 ? n : 0] = 0;
  return strstr(path, ".memscope") != NULL;
}
static int take(int fd, long bytes) {
  if (!ours(fd)) return 1;
  if (room < 0) room = atol(getenv("MS_TEST_ROOM"));
  if (bytes > room) { errno = ENOSPC; return 0; }
  room -= bytes;
  return 1;
}
int fallocate(int fd, int mode, off_t at, off_t bytes) {
  if (!take(fd, bytes)) return -1;
  return (int)syscall(SYS_fallocate, fd, mode, at, bytes);
}
int posix_fallocate(int fd, off_t at, off_t bytes) {
  if (!take(fd, bytes)) return ENOSPC;
  return syscall(SYS_fallocate, fd, 0, at, bytes) ? errno : 0;
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return take(fd, (long)n) ? syscall(SYS_pwrite64, fd, p, n, at) : -1; }
ssize_t write(int fd, const void *p, size_t n) { return take(fd, (long)n) ? syscall(SYS_write, fd, p, n) : -1; }
int ftruncate(int fd, off_t n) { return (int)syscall(SYS_ftruncate, fd, n); }
int fallocate64(int fd, int mode, off_t at, off_t bytes) { return fallocate(fd, mode, at, bytes); }
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) { return pwrite(fd, p, n, at); }
/* The runtime may go through syscall(2) to be free of interposers: fail there too. */
long syscall(long n, ...) {
  static long (*real)(long, ...);
  va_list v;
  long a[6];
  va_start(v, n);
  for (int i = 0; i < 6; i++) a[i] = va_arg(v, long);
  va_end(v);
  if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  static __thread int inside;
  if (!inside && (n == SYS_fallocate || n == SYS_pwrite64)) {
    inside = 1;
    int yes = take((int)a[0], n == SYS_fallocate ? a[3] : a[2]);
    inside = 0;
    if (!yes) return -1;
  }
  inside++;
  long result = real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
  inside--;
  return result;
}
"""


def check(done, stream):
    assert done.returncode == 5, f"the program's own exit code is 5, not {done.returncode}: {done.stderr}"
    assert re.search(r"^sum -?\d+$", done.stdout, re.M), done.stdout
    said = [line for line in done.stderr.splitlines() if "not recorded" in line]
    assert len(said) == 1 and "disk is full" in said[0] and "-o" in said[0], done.stderr
    lost = int(re.search(r"(\d+) events", said[0]).group(1))
    if stream is None:
        return
    totals = summary(stream)["totals"]
    assert totals["lost_events"] == lost, (totals, lost)
    assert totals["events"] + lost == 2 * COUNT + outside_events(), (totals, lost)
    assert not summary(stream)["process"]["complete"]


def outside_events():
    """Events of the C library itself in such a program: stdout's buffer, never freed."""
    return 1


def shim(folder, room, program, stream):
    library = compile_c(folder, "shim", SHIM, "-shared", "-fPIC", "-ldl", compiler="gcc")
    return run(MEMSCOPE, "run", "-o", stream, program, cwd=folder, env=environment(LD_PRELOAD=library, MS_TEST_ROOM=str(room)))


def test_shim_at_many_sizes(folder):
    program = compile_c(folder, "a", STORM)
    for room in (64 << 10, 200000, 1 << 20, 3 << 20):
        stream = f"{folder}/{room}.memscope"
        check(shim(folder, room, program, stream), stream)


def test_shim_with_no_room_at_all(folder):
    program = compile_c(folder, "a", STORM)
    done = shim(folder, 0, program, folder + "/none.memscope")
    assert done.returncode == 5 and "sum" in done.stdout, done.stderr
    assert "full" in done.stderr, done.stderr


def test_real_full_disk(folder):
    """A tmpfs of one MiB, mounted where only this test sees it. The stream is copied out to be read."""
    program = compile_c(folder, "a", STORM)
    os.mkdir(folder + "/disk")
    script = ('mount -t tmpfs -o size=1m none disk || exit 99; '
              f'"{MEMSCOPE}" run -o disk/s.memscope ./a; code=$?; cp disk/s.memscope out.memscope; exit $code')
    done = run("unshare", "-rm", "sh", "-c", script, cwd=folder)
    if done.returncode in (1, 99) and "sum" not in done.stdout:
        print(f"no namespace for a real disk here ({done.stderr.strip()}); the library above stands for it")
        return
    check(done, folder + "/out.memscope")


def test_file_size_limit(folder):
    """RLIMIT_FSIZE raises SIGXFSZ in whoever writes on: it must not reach the program."""
    program = compile_c(folder, "a", STORM)
    stream = folder + "/limit.memscope"
    done = run("bash", "-c", 'ulimit -f 512; exec "$@"', "bash", MEMSCOPE, "run", "-o", stream, program, cwd=folder)
    check(done, stream)


if __name__ == "__main__":
    main()
