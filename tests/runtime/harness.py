# SPDX-License-Identifier: MIT
"""Running programs under the runtime, for its tests.

MS_RUNTIME is libmemscope.so, MS_BIN the folder of the test programs, MS_WORK a
folder to work in; CMakeLists.txt sets them.
"""
import glob
import os
import shutil
import subprocess
import sys

import stream

RUNTIME = os.environ["MS_RUNTIME"]
BIN = os.environ["MS_BIN"]
SKIP = 77


def skip(why):
    print("SKIP:", why)
    sys.exit(SKIP)


class Work:
    """An empty folder of this test's own."""

    def __init__(self, name):
        self.path = os.path.join(os.environ["MS_WORK"], name)
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
        done = subprocess.run(
            [*prefix, path, *map(str, args)], env=self.environment(preload, on, **options), cwd=cwd or self.path,
            capture_output=True, text=True, preexec_fn=preexec, timeout=timeout,
        )
        if check is not None and done.returncode != check:
            raise AssertionError(f"{program} {args}: exit {done.returncode}, wanted {check}\n{done.stdout}{done.stderr}")
        return done

    def record(self, program, *args, **options):
        """Runs it and returns its one stream."""
        self.clear()
        done = self.run(program, *args, **options)
        paths = self.streams()
        assert len(paths) == 1, f"{program}: streams {paths}\n{done.stderr}"
        result = stream.Stream(paths[0])
        result.done = done
        return result


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, wanted {wanted!r}"
