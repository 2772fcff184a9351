#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""damaged.py MEMSCOPE ROBUST: 200 damaged streams through the tool: never a signal,
at most one line of error, its offset in it, and the same line from every verb."""
import os
import re
import subprocess
import sys
import tempfile

COUNT = 200
VERBS = (["summary"], ["summary", "--json"], ["dump", "--stable"])


def main():
    memscope, robust = map(os.path.abspath, sys.argv[1:3])
    wrong, failed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([robust, "files", folder, str(COUNT)], check=True)
        names = sorted(os.listdir(folder))
        assert len(names) == COUNT, len(names)
        for number, name in enumerate(names):
            words = VERBS[number % len(VERBS)]
            done = subprocess.run([memscope, *words, name], cwd=folder, capture_output=True, timeout=60)
            error = done.stderr.decode()
            failed += done.returncode == 3
            said = re.fullmatch(r"memscope: [^\n]+\n", error) is not None
            if done.returncode not in (0, 3) or said != (done.returncode == 3):
                wrong.append(f"{name}: {' '.join(words)}: exit {done.returncode}: {error[:300]}")
            elif done.returncode == 3 and done.stdout and "at offset " not in error:
                wrong.append(f"{name}: no offset: {error}")
    print("\n".join(wrong))
    assert failed > COUNT / 3, f"only {failed} were seen to be damaged"
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
