# SPDX-License-Identifier: MIT
"""Running programs under the runtime, for its tests.

MS_RUNTIME is libmemscope.so, MS_BIN the folder of the test programs, MS_WORK a
folder to work in, MS_TOOL the memscope that reads what they left, when it is
built; CMakeLists.txt sets them.

Of a Work that asks for it, what is run under the runtime is also run without it,
once: what it says on stdout and stderr, and how it ends, has to be the same but for
our own lines; and the tool has to read what is recorded.
"""

import glob
import os
import shutil
import subprocess
import sys

import stream

RUNTIME = os.environ["MS_RUNTIME"]
TOOL = os.environ.get("MS_TOOL")
BIN = os.environ["MS_BIN"]
SKIP = 77


def skip(why):
    print("SKIP:", why)
    sys.exit(SKIP)


class Work:
    """An empty folder of this test's own. alike: what of its programs is compared with a run without the
    runtime: all, end (not what it prints, which tells of itself) or None."""

    def __init__(self, name, alike=None):
        self.path = os.path.join(os.environ["MS_WORK"], name)
        self.alike = alike
        self.alone = {}
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def streams(self, pattern="*.memscope*"):
        return sorted(glob.glob(self.file(pattern)))

    def clear(self):
        for path in self.streams():
            os.unlink(path)

    def environment(self, preload=(), on=True, **options):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MEMSCOPE", "LD_PRELOAD"))}
        if on:
            env["MEMSCOPE"] = "on"
        env["MEMSCOPE_OUTPUT"] = self.file("%e.%p.memscope")
        env["LD_PRELOAD"] = ":".join([RUNTIME, *preload])
        for name, value in options.items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def run(self, program, *args, preload=(), on=True, check=0, cwd=None, prefix=(), preexec=None, timeout=120, **options):
        """Runs BIN/program; returns the finished process. check: its exit code, None = any."""
        path = program if "/" in program else os.path.join(BIN, program)
        how = {"cwd": cwd or self.path, "capture_output": True, "text": True, "preexec_fn": preexec, "timeout": timeout}
        words = [*prefix, path, *map(str, args)]
        key = (*words, *preload, preexec)
        if on and self.alike and key not in self.alone:
            env = self.environment(preload, on=False, LD_PRELOAD=":".join(preload) or None, MEMSCOPE_OUTPUT=None)
            self.alone[key] = subprocess.run(words, env=env, **how)
        done = subprocess.run(words, env=self.environment(preload, on, **options), **how)
        if on and self.alike:
            self.compare(self.alone[key], done, f"{program} {args}")
        if check is not None and done.returncode != check:
            raise AssertionError(f"{program} {args}: exit {done.returncode}, wanted {check}\n{done.stdout}{done.stderr}")
        return done

    def compare(self, alone, done, what):
        theirs = "".join(line for line in done.stderr.splitlines(True) if not line.startswith("memscope: "))
        equal(done.returncode, alone.returncode, f"{what}: how it ends without us")
        if self.alike == "all":
            equal((done.stdout, theirs), (alone.stdout, alone.stderr), f"{what}: what it says without us")

    def reads(self, *paths):
        """The tool reads them all, and has nothing to complain about."""
        for path in paths if TOOL else ():
            done = subprocess.run([TOOL, "summary", "--json", path], capture_output=True, text=True, timeout=120)
            equal((done.returncode, done.stderr), (0, ""), f"summary of {path}")

    def record(self, program, *args, **options):
        """Runs it and returns its one stream."""
        self.clear()
        done = self.run(program, *args, **options)
        paths = self.streams()
        assert len(paths) == 1, f"{program}: streams {paths}\n{done.stderr}"
        result = stream.Stream(paths[0])
        result.done = done
        if self.alike:
            self.reads(*paths)
        return result


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, wanted {wanted!r}"
