#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""often.py TIMES SCRIPT [ARGUMENT...]: the test over and over, each time in a
process of its own; a hang or a failure in any of them is this test's."""
import os
import subprocess
import sys

LIMIT_SECONDS = 900
times, script, arguments = int(sys.argv[1]), os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[2]), sys.argv[3:]
for time in range(times):
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, timeout=LIMIT_SECONDS)
    if done.returncode:
        print(f"time {time + 1} of {times}:\n{done.stdout}{done.stderr}")
        sys.exit(done.returncode)
print(f"{times} times")
