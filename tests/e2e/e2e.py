# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: where the built tools are, a private folder,
running commands, and a main that runs every test_* function of a script.

Environment: MS_BUILD, the build tree (ctest sets it).
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.realpath(os.environ.get("MS_BUILD", os.path.join(SOURCE, "build")))
LIB = os.path.join(BUILD, "lib")
MEMSCOPE = os.path.join(BUILD, "bin", "memscope")
CC = os.path.join(BUILD, "bin", "memscope-cc")
CXX = os.path.join(BUILD, "bin", "memscope-c++")


class Skip(Exception):
    """Raised by a test that cannot run here; the message says what is missing."""


def environment(**changes):
    """This process's environment without what would disturb a recording."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MEMSCOPE") and k != "LD_PRELOAD"}
    env.update({k: v for k, v in changes.items() if v is not None})
    return env


def run(*words, cwd=None, env=None, stdin="", timeout=300, binary=False):
    """Runs words to the end. The result has returncode, stdout, stderr. On timeout the
    programs that words started end, too: they hold the pipes that are waited for."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    words = [str(w) for w in words]
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    with subprocess.Popen(words, cwd=cwd, env=env or environment(), start_new_session=True, **pipes) as process:
        try:
            done = subprocess.CompletedProcess(words, None, *process.communicate(data, timeout))
        except BaseException:  # the keyboard's interrupt does not reach another session
            os.killpg(process.pid, signal.SIGKILL)
            raise
    done.returncode = process.returncode
    if not binary:
        done.stdout = done.stdout.decode(errors="replace")
        done.stderr = done.stderr.decode(errors="replace")
    return done


def ok(*words, **options):
    """run() that must end with 0; returns its stdout."""
    done = run(*words, **options)
    assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stderr[-1500:]}\n{done.stdout[-500:]}"
    return done.stdout


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def compile_c(folder, name, text, *arguments, compiler=CC, suffix=".c", env=None):
    """Writes text as NAME.c and builds NAME from it; returns the program's path."""
    source = write(os.path.join(folder, name + suffix), text)
    program = os.path.join(folder, name)
    done = run(compiler, "-O1", "-g", source, "-o", program, *arguments, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, f"compiler said: {done.stderr}"
    return program


def record(folder, program, *arguments, stream="s.memscope", options=(), code=0, **keywords):
    """memscope run; returns the stream's path. The program must end with code."""
    path = os.path.join(folder, stream)
    assert not os.path.exists(path), f"{path} exists: the run would write another name"
    done = run(MEMSCOPE, "run", "--quiet", "-o", path, *options, "--", program, *arguments, cwd=folder, **keywords)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stderr}"
    assert os.path.exists(path), f"no stream: {done.stderr}"
    return path


def summary(stream, *arguments):
    return json.loads(ok(MEMSCOPE, "summary", stream, "--json", *arguments))


def one_line_error(done, code, *words):
    """The tool failed as it should: its exit code, one line, no path of its own sources."""
    assert done.returncode == code, f"exit code {done.returncode}, not {code}: {done.stderr}"
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, f"{len(lines)} lines: {done.stderr}"
    assert lines[0].startswith("memscope"), lines[0]
    for word in words:
        assert word in lines[0], f"no '{word}' in: {lines[0]}"


def main(module="__main__"):
    """Runs test_* in their order, each with a fresh folder; exits 0, 1, or 77 when all were skipped."""
    tests = [(n, f) for n, f in vars(sys.modules[module]).items() if n.startswith("test_") and callable(f)]
    wanted = sys.argv[1:]
    failed = skipped = 0
    for name, function in tests:
        if wanted and not any(w in name for w in wanted):
            continue
        folder = tempfile.mkdtemp(prefix="memscope-e2e-")
        try:
            function(folder)
            print(f"ok      {name}", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skipped {name}: {reason}", flush=True)
        except Exception:  # an assertion, a timeout, a missing file: all are this test's failure
            failed += 1
            print(f"FAILED  {name}", flush=True)
            traceback.print_exc()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 77 if skipped == len(tests) else 0)
