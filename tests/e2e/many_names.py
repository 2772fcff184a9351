#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program with more names than a stream has room for: that is said, nothing else is lost."""
from e2e import MEMSCOPE, compile_c, main, ok, summary

# A block comes through a function for each bit of its number, by one of two variables: each way is a name.
LEVELS = 20
PROGRAM = "#include <stdlib.h>\nstatic void *w0(unsigned bits) { return malloc(8 + 0 * bits); }\n" + "".join(
    f"static void *w{level + 1}(unsigned bits) {{ void *a, *b; if (bits >> {level} & 1) {{ a = w{level}(bits); return a; }}"
    f" b = w{level}(bits); return b; }}\n"
    for level in range(LEVELS)) + f"""int main(int count, char **words) {{
  for (unsigned bits = 0, most = (unsigned)atoi(words[1]); bits < most; bits++) {{
    void *block = w{LEVELS}(bits);
    free(block);
  }}
  return count != 2;
}}
"""


def recorded(folder, program, blocks):
    stream = f"{folder}/{blocks}.memscope"
    ok(MEMSCOPE, "run", "--quiet", "-o", stream, program, blocks)
    got = summary(stream, "--top", "1")
    assert got["totals"]["allocations"] >= blocks and not got["totals"]["lost_events"], got["totals"]
    return any("more names than" in note["text"] for note in got.get("notes", [])), got["coverage"]


def test_full(folder):
    program = compile_c(folder, "a", PROGRAM, "-O0")
    full, coverage = recorded(folder, program, 1 << 16)
    assert not full and coverage["named_allocations"] >= 1 << 16, coverage
    full, coverage = recorded(folder, program, 1 << LEVELS - 1)
    assert full and coverage["named_allocations"] >= 1 << 16, coverage


if __name__ == "__main__":
    main()
