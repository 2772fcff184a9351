#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""valgrind.py MEMSCOPE SAMPLES: every verb that reads a stream, under memcheck: no
error, and nothing definitely lost, on a whole stream, a part of one and a damaged one."""
import os
import shutil
import subprocess
import sys
import tempfile

MEMCHECK = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=99"]
WHOLE = ("stacks", "moments", "modules")
VERBS = (["summary"], ["summary", "--json", "--stacks"], ["summary", "--stacks"], ["summary", "--follow"], ["dump"], ["dump", "--stable"],
         ["dump", "--symbols"], ["report", "-o", "r.html"], ["pack", "-o", "p.memscope"])


def checked(folder, memscope, *words):
    done = subprocess.run([*MEMCHECK, memscope, *words], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode in (0, 3) and "==" not in done.stderr:
        return done.returncode
    print(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr[:3000]}")
    sys.exit(1)


def main():
    memscope, samples = map(os.path.abspath, sys.argv[1:3])
    if not shutil.which("valgrind"):
        print("SKIP: no valgrind")
        return 77
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([samples, folder], check=True)
        data = bytearray(open(f"{folder}/stacks.memscope", "rb").read())
        open(f"{folder}/part.memscope", "wb").write(data[: len(data) * 2 // 3 + 100])
        for at in range(5000, len(data), 997):
            data[at] ^= 0x55
        open(f"{folder}/damaged.memscope", "wb").write(data)
        for name in (*WHOLE, "part", "damaged"):
            verbs = VERBS if name in ("stacks", "damaged") else VERBS[1:4]
            codes += [checked(folder, memscope, *words, f"{name}.memscope") for words in verbs]
            if name == "stacks":
                codes.append(checked(folder, memscope, "summary", "p.memscope"))
                codes.append(checked(folder, memscope, "pack", "--unpack", "p.memscope", "-o", "back.memscope"))
                assert open(f"{folder}/back.memscope", "rb").read() == open(f"{folder}/stacks.memscope", "rb").read()
    assert 3 in codes and 0 in codes, codes
    print(f"{len(codes)} commands without an error")
    return 0


if __name__ == "__main__":
    sys.exit(main())
