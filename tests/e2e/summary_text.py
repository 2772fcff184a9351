#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The summary for people: names are cut to a terminal's width, and nowhere else."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from e2e import MEMSCOPE, compile_c, environment, main, ok, record, run

LONG = "a_variable_with_a_name_that_says_what_it_is_for_in_about_a_hundred_characters_and_is_still_not_at_its_end"
PROGRAM = f"""#include <stdlib.h>
struct record_whose_name_is_too_long_for_a_terminal_of_eighty_columns_as_template_names_are {{ int a; }} *{LONG};
int main(void) {{ {LONG} = malloc(sizeof *{LONG}); return 0; }}
"""


def on_terminal(columns, *words, output="stdout"):
    """What words write to a terminal that wide; output: what of them it is."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(words, env=environment(TERM="dumb"), **{"stdout": subprocess.DEVNULL, output: theirs})
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            part = b""
        if not part:
            break
        said += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return said.decode().replace("\r\n", "\n")


def test_names_are_whole_in_a_pipe(folder):
    stream = record(folder, compile_c(folder, "a", PROGRAM), *["argument"] * 20)
    text = ok(MEMSCOPE, "summary", stream)
    assert text.splitlines()[0].count("argument") == 20
    lines = [line for line in text.splitlines() if LONG in line]
    assert len(lines) == 2 and all("eighty_columns_as_template_names_are  a.c:3 main" in line for line in lines), lines
    assert "…" not in text, text


def test_names_fit_a_terminal(folder):
    stream = record(folder, compile_c(folder, "a", PROGRAM), *["argument"] * 20)
    for columns in (80, 120):
        lines = on_terminal(columns, MEMSCOPE, "summary", stream).splitlines()
        tables = [line for line in lines if "struct" in line or "a.c:3" in line]
        assert max(map(len, tables)) <= columns and any("…" in line for line in tables), tables
        assert len(lines[0]) <= columns, lines[0]


def test_sentences_fit_a_terminal(folder):
    """Every line but the next command, which must be whole; also of a sampled run and of one with notes."""
    program = compile_c(folder, "a", PROGRAM)
    for number, options in enumerate(((), ("--mode", "sample=50%"), ("--paused",))):
        stream = record(folder, program, stream=f"{number}.memscope", options=options)
        for columns in (80, 100):
            lines = [line for line in on_terminal(columns, MEMSCOPE, "summary", stream).splitlines() if not line.startswith("next:")]
            assert max(map(len, lines)) <= columns, (options, max(lines, key=len))
        assert "goes to a variable, field, return or argument\n" in ok(MEMSCOPE, "summary", stream), "in a pipe nothing is broken"


CLOCK = """#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
  static long long ns = 1000000000;
  (void)clock;
  ns += atoll(getenv("CLOCK_STEP_NS"));
  *time = (struct timespec){ns / 1000000000, ns % 1000000000};
  return 0;
}
"""


def test_progress(folder):
    """Share, rate and time left, in one line that is gone in the end; only on a terminal, and not of short work."""
    clock = compile_c(folder, "clock.so", CLOCK, "-shared", "-fPIC", compiler="gcc")
    with_clock = lambda step: ("env", f"LD_PRELOAD={clock}", f"CLOCK_STEP_NS={step}")
    stream = record(folder, compile_c(folder, "a", PROGRAM))
    verbs = {"reading": [("summary", stream), ("report", stream, "-o", folder + "/a.html")], "packing": [("pack", stream, "-o", folder + "/p.memscope")],
             "unpacking": [("pack", "--unpack", folder + "/p.memscope", "-o", folder + "/b.memscope")]}
    for what, commands in verbs.items():
        for words in commands:
            said = on_terminal(80, *with_clock(1), MEMSCOPE, *words, output="stderr")
            assert said == "", (words, said)
            said = on_terminal(80, *with_clock(1000000000), MEMSCOPE, *words, output="stderr")
            shown, gone = re.fullmatch(r"((?:\r\033\[K[^\r]+)+)(\r\033\[K)", said).groups()
            for line in shown.split("\r\033[K")[1:]:
                assert re.fullmatch(what + r" \d+ %, [\d.]+ [KMG]?i?B/s, \d+ s left", line), (words, line)
    assert run(MEMSCOPE, "summary", stream).stderr == ""


if __name__ == "__main__":
    main()
