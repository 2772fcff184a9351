#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope run: the program's own behaviour comes through unchanged, and what
it did is found in the right stream."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time

from e2e import MEMSCOPE, Skip, compile_c, environment, main, ok, one_line_error, record, run, summary, write

BLOCKS = """#include <stdlib.h>
char *kept[100];
int main(int argc, char **argv) {
  for (int i = 0; i < 100; i++) kept[i] = malloc(10);
  for (int i = 0; i < 40; i++) free(kept[i]);
  return argc > 1 ? atoi(argv[1]) : 0;
}
"""


def memscope_run(folder, *words, options=(), **keywords):
    return run(MEMSCOPE, "run", *options, "--", *words, cwd=folder, **keywords)


def streams(folder):
    return sorted(f for f in os.listdir(folder) if ".memscope" in f)


def test_exit_codes(folder):
    program = compile_c(folder, "a", BLOCKS)
    for code in (0, 1, 7, 126, 127, 255):
        assert memscope_run(folder, program, code, options=("--quiet",)).returncode == code


def test_signals_end_it(folder):
    program = compile_c(folder, "a", "#include <signal.h>\n#include <stdlib.h>\nchar *kept;\nint main(int c, char **v) {"
                                     " kept = malloc(5); raise(atoi(v[1])); return 0; }")
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGINT, signal.SIGPIPE):
        done = memscope_run(folder, program, int(number))
        assert done.returncode == 128 + number, (number, done.returncode)
        assert f"ended by signal {int(number)} " in done.stderr, done.stderr
        assert f"killed by signal {int(number)}\n" in done.stderr, "the stream tells, too: " + done.stderr
        assert "not freed when it was killed\n" in done.stderr and "at exit" not in done.stderr, done.stderr
        assert "kept" in done.stderr, "it still summarises: " + done.stderr


def test_summary_and_next_command(folder):
    program = compile_c(folder, "a", BLOCKS)
    done = memscope_run(folder, program)
    last = done.stderr.rstrip().splitlines()[-1]
    name = streams(folder)[0]
    assert re.fullmatch(r"a\.\d+\.memscope", name), name
    assert last == f"next: memscope report {name}", last
    assert "kept" in done.stderr and done.stdout == ""
    quiet = memscope_run(folder, program, options=("--quiet",))
    assert quiet.stderr == "", quiet.stderr


def test_counts(folder):
    program = compile_c(folder, "a", BLOCKS)
    site = [s for s in summary(record(folder, program))["sites"] if s["holder"].startswith("kept")]
    assert len(site) == 1 and site[0]["allocations"] == 100 and site[0]["live_blocks"] == 60, site


def test_plain_program_is_recorded(folder):
    """No plugin, no runtime linked: preloaded, foreign, unnamed, counted."""
    program = compile_c(folder, "a", BLOCKS, compiler="gcc")
    data = summary(record(folder, program))
    assert data["totals"]["allocations"] >= 100
    assert data["coverage"]["unnamed_allocations"] == data["totals"]["allocations"], data["coverage"]


def test_streams_pass_through(folder):
    text = "".join(f"line {i}\n" for i in range(5000))
    done = memscope_run(folder, "sh", "-c", "cat; echo err >&2", options=("--quiet",), stdin=text)
    assert done.stdout == text and done.stderr == "err\n"


def test_arguments_and_program_lookup(folder):
    done = run(MEMSCOPE, "run", "--quiet", "echo", "-n", "--", "-o", "x", cwd=folder)
    assert done.stdout == "-- -o x", done.stdout
    write(folder + "/my-script", "#!/bin/sh\necho \"$0 $1\"\n", 0o755)
    assert run(MEMSCOPE, "run", "--quiet", "./my-script", "y", cwd=folder).stdout == "./my-script y\n"
    one_line_error(run(MEMSCOPE, "run", "my-script", cwd=folder), 127, "./my-script")


def test_output_names(folder):
    program = compile_c(folder, "a", BLOCKS)
    for _ in range(3):
        ok(MEMSCOPE, "run", "--quiet", "-o", "out.memscope", program, cwd=folder)
    assert streams(folder) == ["out.memscope", "out.memscope.2", "out.memscope.3"], streams(folder)
    done = memscope_run(folder, program, options=("-o", "x-%e-%p.memscope"))
    name = [f for f in streams(folder) if f.startswith("x-")]
    assert len(name) == 1 and re.fullmatch(r"x-a-\d+\.memscope", name[0]), name
    assert done.stderr.rstrip().endswith(name[0])
    os.mkdir(folder + "/sub")
    memscope_run(folder, program, options=("-o", "sub/y.memscope"))
    assert os.listdir(folder + "/sub") == ["y.memscope"]


def test_environment_is_heard(folder):
    """MEMSCOPE_OUTPUT and MEMSCOPE_MODE hold under run, too; options say more."""
    program = compile_c(folder, "a", BLOCKS)
    env = environment(MEMSCOPE_OUTPUT=folder + "/from_env.memscope", MEMSCOPE_MODE="exact")
    assert memscope_run(folder, program, env=env).returncode == 0
    assert summary(folder + "/from_env.memscope")["process"]["mode"] == "exact"
    assert memscope_run(folder, program, options=("-o", "option.memscope", "--mode", "full"), env=env).returncode == 0
    assert summary(folder + "/option.memscope")["process"]["mode"] == "full"
    one_line_error(memscope_run(folder, program, env=environment(MEMSCOPE_MODE="foo")), 2, "MEMSCOPE_MODE", "exact")


def test_program_changes_folder(folder):
    program = compile_c(folder, "a", "#include <stdlib.h>\n#include <unistd.h>\n#include <sys/wait.h>\nchar *kept;\n"
                                     "int main(void) { if (chdir(\"/\")) return 1; if (fork() == 0) { kept = malloc(3);"
                                     " exit(0); } wait(0); kept = malloc(4); return 0; }")
    done = memscope_run(folder, program)
    assert done.returncode == 0 and len(streams(folder)) == 2, (streams(folder), done.stderr)


FORKS = """#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
char *parent_block, *child_block;
int main(void) {
  parent_block = malloc(10);
  for (int i = 0; i < 3; i++)
    if (fork() == 0) { child_block = malloc(20); free(parent_block); exit(0); }
  while (wait(0) > 0) {}
  free(parent_block);
  return 0;
}
"""


def test_forked_children(folder):
    program = compile_c(folder, "a", FORKS)
    done = memscope_run(folder, program)
    assert len(streams(folder)) == 4, streams(folder)
    assert "parent_block" in done.stderr
    assert len(re.findall(r"process \d+ wrote", done.stderr)) == 3, done.stderr
    for children, named in ((6, 6), (7, 5)):  # a line says of two at least that there are more
        shutil.rmtree(folder)
        os.mkdir(folder)
        done = memscope_run(folder, compile_c(folder, "a", FORKS.replace("i < 3", f"i < {children}")))
        assert len(re.findall(r"process \d+ wrote", done.stderr)) == named, done.stderr
        assert ("and 2 more" in done.stderr) == (children > named) and "and 1 more" not in done.stderr, done.stderr
    shutil.rmtree(folder)
    os.mkdir(folder)
    program = compile_c(folder, "a", FORKS)
    memscope_run(folder, program, options=("--follow-fork=no",))
    assert len(streams(folder)) == 1, streams(folder)
    memscope_run(folder, program, env=environment(MEMSCOPE_FOLLOW_FORK="off"))
    assert len(streams(folder)) == 2, streams(folder)
    memscope_run(folder, program, options=("--follow-fork=yes",), env=environment(MEMSCOPE_FOLLOW_FORK="off"))
    assert len(streams(folder)) == 6, streams(folder)


def test_exec(folder):
    program = compile_c(folder, "a", BLOCKS)
    first = compile_c(folder, "first", "#include <stdlib.h>\n#include <unistd.h>\nchar *before;\nint main(int c, char **v)"
                                       " { before = malloc(9); execv(v[1], v + 1); return 9; }")
    done = memscope_run(folder, first, program)
    assert done.returncode == 0 and len(streams(folder)) == 1, streams(folder)
    assert "before" in done.stderr
    for name in streams(folder):
        os.remove(f"{folder}/{name}")
    done = memscope_run(folder, first, program, options=("--follow-exec",))
    found = [{s["holder"] for s in summary(f"{folder}/{name}")["sites"]} for name in streams(folder)]
    memscope_run(folder, first, program, env=environment(MEMSCOPE_FOLLOW_EXEC="on"))
    assert len(streams(folder)) == 4, streams(folder)
    assert len(found) == 2 and any("before" in h for h in found) and any("kept[i]" in h for h in found), found


WAITS = """#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
char *kept;
static volatile sig_atomic_t got;
static void on(int n) { got = n; }
int main(void) {
  int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
  for (int i = 0; i < 6; i++) signal(signals[i], on);
  kept = malloc(1);
  puts("ready"); fflush(stdout);
  for (int i = 0; i < 6; i++) { while (!got) usleep(1000); int n = got; got = 0; printf("%d\\n", n); fflush(stdout); }
  return 3;
}
"""


def test_signals_are_forwarded(folder):
    program = compile_c(folder, "a", WAITS)
    child = subprocess.Popen([MEMSCOPE, "run", "--quiet", program], cwd=folder, env=environment(),
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        child.send_signal(number)
        assert child.stdout.readline() == f"{int(number)}\n"
    assert child.wait(30) == 3


def test_ignored_signals_stay_ignored(folder):
    program = compile_c(folder, "a", "#include <signal.h>\n#include <stdlib.h>\nint main(void) { free(malloc(1));"
                                     " return signal(SIGHUP, SIG_DFL) == SIG_IGN ? 5 : 0; }")
    done = run("sh", "-c", f"trap '' HUP; exec {MEMSCOPE} run --quiet {program}", cwd=folder)
    assert done.returncode == 5, done.returncode


def test_terminal_interrupt(folder):
    """The terminal's SIGINT reaches program and tool; the tool waits and summarises."""
    program = compile_c(folder, "a", "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nchar *kept;\n"
                                     "int main(void) { kept = malloc(2); puts(\"ready\"); fflush(stdout); pause(); }")
    child = subprocess.Popen(["python3", "-c", PTY, MEMSCOPE, "run", program], cwd=folder, env=environment(),
                             stdout=subprocess.PIPE, text=True)
    text, _ = child.communicate(timeout=60)
    assert "kept" in text and "signal 2" in text and "exit 130" in text, text


# Runs argv on a terminal of its own, types ^C once it says "ready", prints all it said.
PTY = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
text, typed = b'', False
while True:
    try: got = os.read(terminal, 4096)
    except OSError: break
    if not got: break
    text += got
    if b'ready' in text and not typed: os.write(terminal, b'\\x03'); typed = True
print(text.decode(errors='replace')); print('exit', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_static_program(folder):
    plain = compile_c(folder, "plain", BLOCKS, "-static", compiler="gcc")
    done = memscope_run(folder, plain, 4)
    assert done.returncode == 4 and streams(folder) == []
    assert "static" in done.stderr and "memscope-cc" in done.stderr, done.stderr
    program = compile_c(folder, "a", BLOCKS, "-static")
    assert "kept" in memscope_run(folder, program).stderr


def test_runtime_is_not_loaded_twice(folder):
    program = compile_c(folder, "a", "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char *p = getenv("
                                     "\"LD_PRELOAD\"); puts(p ? p : \"none\"); return 0; }")
    assert memscope_run(folder, program, options=("--quiet",)).stdout == "none\n"


def test_other_allocators(folder):
    """Whichever lies beneath, linked or preloaded, wherever the variable puts it."""
    libraries = [path for name in ("libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc.so.4", "libtcmalloc_minimal.so.4")
                 for path in glob.glob(f"/usr/lib/*/{name}")]
    if not libraries:
        raise Skip("no other allocator is installed")
    linked = compile_c(folder, "linked", BLOCKS, "-fno-builtin")
    without = compile_c(folder, "without", BLOCKS, "-fno-builtin", "--memscope-no-runtime")
    for number, library in enumerate(libraries):
        both = compile_c(folder, "both", BLOCKS, "-fno-builtin", library)
        for kind, program, preload in (("linked", both, None), ("before", linked, library), ("beneath", without, library)):
            stream = record(folder, program, stream=f"{number}.{kind}.memscope", env=environment(LD_PRELOAD=preload))
            totals = summary(stream)["totals"]
            kept = sum(s["allocations"] for s in summary(stream)["sites"] if s["holder"] == "kept[i]")
            assert kept == 100 and 60 <= totals["live_blocks"] < 80, (library, kind, kept, totals)
    path = os.path.join(folder, "hidden.memscope")
    done = run(linked, cwd=folder, env=environment(LD_PRELOAD=libraries[0], MEMSCOPE="on", MEMSCOPE_OUTPUT=path))
    assert done.returncode == 0 and libraries[0] in done.stderr and "first in LD_PRELOAD" in done.stderr, done.stderr


def test_setuid_program(folder):
    if os.geteuid() != 0:
        raise Skip("only root can make a program setuid to another user")
    program = compile_c(folder, "a", BLOCKS, compiler="gcc")
    os.chown(program, 65534, 65534)
    os.chmod(program, 0o4755)
    os.chmod(folder, 0o755)
    if os.statvfs(folder).f_flag & os.ST_NOSUID:
        raise Skip("this file system ignores setuid")
    done = memscope_run(folder, program, 2)
    assert done.returncode == 2 and streams(folder) == [], streams(folder)
    assert "setuid" in done.stderr, done.stderr


def test_other_runs_beside_it(folder):
    """Two runs in one folder at once: each tells of its own stream."""
    program = compile_c(folder, "a", BLOCKS.replace("return argc", "for (int t = 0; t < 300000000; t++) __asm__(\"\");\n"
                                                                   "  return argc"))
    both = [subprocess.Popen([MEMSCOPE, "run", program], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
            for _ in range(2)]
    told = [child.communicate(timeout=120)[1].rstrip().splitlines()[-1].split()[-1] for child in both]
    assert sorted(told) == streams(folder), (told, streams(folder))


def test_killed_while_running(folder):
    """kill -9 from outside: the stream is there, and the summary too."""
    program = compile_c(folder, "a", BLOCKS.replace("return argc", "volatile int *stay = &argc; while (*stay) {}\n  return argc"))
    child = subprocess.Popen([MEMSCOPE, "run", program], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while not streams(folder) and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    pid = int(streams(folder)[0].split(".")[1])
    os.kill(pid, signal.SIGKILL)
    text = child.communicate(timeout=60)[1]
    assert child.returncode == 137 and "kept" in text, text
    assert summary(f"{folder}/{streams(folder)[0]}")["totals"]["allocations"] >= 100


def test_dump_numbers_blocks_once(folder):
    program = compile_c(folder, "a", "#include <stdlib.h>\nint main(void) { char *p = malloc(1); for (int i = 2; i < 50; i++)"
                                     " { free(p); p = realloc(malloc(i), 100 * i); } free(p); return 0; }\n")
    stream = record(folder, program)
    for words in (["dump"], ["dump", "--stable"]):
        born, dead = [], []
        for line in ok(MEMSCOPE, *words, stream).splitlines():
            found = re.search(r" (alloc|realloc|free) #(\d+)", " " + line)
            if found and found[1] == "alloc":
                born.append(found[2])
            elif found:
                assert found[2] in born and found[2] not in dead, line
                dead += [found[2]] if found[1] == "free" else []
        assert len(born) >= 49 and len(set(born)) == len(born), born


WAITING = """#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
static atomic_size_t turn; /* whose thread is to end */
static void *work(void *n) {
  free(malloc(1000 + (size_t)n)); /* tells which thread of the stream it is */
  while (turn < (size_t)n) {
    free(malloc(100));
    usleep(1000);
  }
  return malloc(10);
}
int main(void) {
  pthread_t threads[3];
  void *kept;
  for (size_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
  for (int i = 0; i < 3; i++) {
    usleep(30000);
    turn = i + 1;
    pthread_join(threads[i], &kept);
    free(kept);
  }
  return 0;
}
"""


def test_exact_times_never_go_back(folder):
    """Threads that end at different times, and a main that only waits."""
    stream = record(folder, compile_c(folder, "a", WAITING, "-pthread"), options=["--mode", "exact"])
    lines = ok(MEMSCOPE, "dump", stream).splitlines()
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times), [pair for pair in zip(times, times[1:]) if pair[0] > pair[1]][:5]
    assert " end how 1" in lines[-1], lines[-1]
    ends = [line.split()[1] for line in lines if line.endswith("thread exit")]
    names = [re.search(rf" (t\d+) alloc #\d+ \S+ {1000 + n} ", "\n".join(lines))[1] for n in (1, 2, 3)]
    assert ends == names, (ends, names)


def test_unknown_variables(folder):
    """A misspelt option of the environment is told, once each, and the program runs."""
    program = compile_c(folder, "a", "int main(void) { return 0; }\n")
    env = environment(MEMSCOPE_STAK="fp", MEMSCOPE_ENTIRELY_ELSE="1", MEMSCOPE_CLANG="clang", MEMSCOPE_WINDOW="64K")
    done = run(MEMSCOPE, "run", "--quiet", program, cwd=folder, env=env)
    said = sorted(done.stderr.splitlines())
    assert done.returncode == 0 and len(said) == 2, done.stderr
    assert "MEMSCOPE_ENTIRELY_ELSE is no option" in said[0] and "did you mean" not in said[0], said
    assert "MEMSCOPE_STAK is no option" in said[1] and "did you mean MEMSCOPE_STACK;" in said[1] and "help env" in said[1], said


if __name__ == "__main__":
    main()
