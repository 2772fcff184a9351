# SPDX-License-Identifier: MIT
# Runs a command that must fail, as a compiler does: exit code 1 to 127.
import subprocess
import sys

code = subprocess.run(sys.argv[1:]).returncode
if not 0 < code < 128:
    sys.exit(f"expected a failure, got exit code {code}: {' '.join(sys.argv[1:])}")
