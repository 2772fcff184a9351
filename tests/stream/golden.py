#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""golden.py MEMSCOPE SAMPLES [--update]: every sample stream reads as golden/ says:
`dump --stable`, `summary --json`, and the text summary of one of them."""
import difflib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = {".txt": ["dump", "--stable"], ".json": ["summary", "--json"], ".summary": ["summary"]}
STACKS = {".txt": ["dump", "--stable"], ".json": ["summary", "--json", "--stacks", "--sysroot", "."], ".summary": ["summary", "--stacks", "--sysroot", "."]}


def product(memscope, folder, name, words):
    done = subprocess.run([memscope, *words, f"{name}.memscope"], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "NO_COLOR": "1"})
    text = re.sub(r'("version": )"[^"]*"', r'\1"*"', done.stdout)
    return text + f"# exit {done.returncode}\n" + "".join(f"# {line}\n" for line in done.stderr.splitlines())


def main():
    memscope, samples = map(os.path.abspath, sys.argv[1:3])
    update = "--update" in sys.argv
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([samples, folder], check=True)
        streams = sorted(f[:-len(".memscope")] for f in os.listdir(folder))
        assert len(streams) >= 5, streams
        for name in streams:
            for ending, words in (STACKS if name == "stacks" else FORMS).items():
                path = f"{HERE}/golden/{name}{ending}"
                text = product(memscope, folder, name, words)
                if text != product(memscope, folder, name, words):
                    print(f"{name}{ending} is another one when read again")
                    wrong += 1
                if update:
                    open(path, "w").write(text)
                    continue
                golden = open(path).read() if os.path.exists(path) else ""
                if text == golden:
                    continue
                wrong += 1
                print("".join(difflib.unified_diff(golden.splitlines(True), text.splitlines(True), path, "now")))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
