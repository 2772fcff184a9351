#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope pack: every byte comes back, every verb reads both forms, and what is
cut or foreign is told in one line."""
import filecmp
import os
import re

from e2e import MEMSCOPE, SOURCE, compile_c, main, ok, one_line_error, record, run, summary

PROGRAM = """#include <stdlib.h>
#include <string.h>
struct part { char name[40]; struct part *next; } *parts;
int main(int argc, char **argv) {
  for (int i = 0; i < 40000; i++) {
    struct part *p = malloc(sizeof *p);
    p->next = parts;
    parts = p;
    free(strdup(argv[0]));
    if (i % 3 == 0) parts = p->next, free(p);
  }
  return 0;
}
"""


def recorded(folder):
    return record(folder, compile_c(folder, "a", PROGRAM))


def test_round_trip(folder):
    stream = recorded(folder)
    said = ok(MEMSCOPE, "pack", stream)
    packed = folder + "/s.packed.memscope"
    assert said.startswith(packed) and re.search(r"\d %", said), said
    assert os.path.getsize(packed) < os.path.getsize(stream) / 8, os.path.getsize(packed)
    ok(MEMSCOPE, "pack", "--unpack", packed, "-o", folder + "/back.memscope")
    assert filecmp.cmp(stream, folder + "/back.memscope", shallow=False)
    os.rename(stream, folder + "/first.memscope")
    ok(MEMSCOPE, "pack", "--unpack", packed)
    assert filecmp.cmp(stream, folder + "/first.memscope", shallow=False)
    assert sorted(os.listdir(folder)) == ["a", "a.c", "back.memscope", "first.memscope", "s.memscope", "s.packed.memscope"]


def test_random_blocks(folder):
    """Sizes, lifetimes and who frees are drawn: nothing to guess but addresses, times and threads."""
    with open(os.path.join(SOURCE, "bench", "torture.c")) as file:
        program = compile_c(folder, "torture", file.read(), "-O2", "-pthread", compiler="gcc")
    stream = record(folder, program, "4", "100000")
    events = summary(stream)["totals"]["events"]
    ok(MEMSCOPE, "pack", stream, "-o", folder + "/packed.memscope")
    ok(MEMSCOPE, "pack", "--unpack", folder + "/packed.memscope", "-o", folder + "/back.memscope")
    assert filecmp.cmp(stream, folder + "/back.memscope", shallow=False)
    assert events >= 800000 and os.path.getsize(folder + "/packed.memscope") < 5 * events, events


def test_every_verb_reads_both(folder):
    stream = recorded(folder)
    ok(MEMSCOPE, "pack", stream)
    packed = folder + "/s.packed.memscope"
    for words in (("summary",), ("summary", "--json"), ("dump",), ("dump", "--raw")):
        assert ok(MEMSCOPE, *words, stream).replace(stream, "F") == ok(MEMSCOPE, *words, packed).replace(packed, "F"), words
    ok(MEMSCOPE, "report", packed)
    assert os.path.getsize(folder + "/s.packed.html") > 10000


def test_run_packs(folder):
    program = compile_c(folder, "a", PROGRAM)
    done = run(MEMSCOPE, "run", "--pack", "-o", folder + "/s.memscope", program, cwd=folder)
    assert done.returncode == 0 and "memscope report s.packed.memscope" in done.stderr, done.stderr
    assert sorted(os.listdir(folder)) == ["a", "a.c", "s.packed.memscope"]
    assert "struct part" in ok(MEMSCOPE, "summary", folder + "/s.packed.memscope")


def test_run_packs_again(folder):
    """A run of the same name leaves the first one's packed stream alone."""
    program = compile_c(folder, "a", PROGRAM)
    for _ in range(2):
        ok(MEMSCOPE, "run", "--quiet", "--pack", "-o", folder + "/s.memscope", program, cwd=folder)
    assert sorted(os.listdir(folder)) == ["a", "a.c", "s.packed.memscope", "s.packed.memscope.2"]
    for name in ("s.packed.memscope", "s.packed.memscope.2"):
        assert "struct part" in ok(MEMSCOPE, "summary", f"{folder}/{name}")


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def test_nothing_is_lost(folder):
    stream = recorded(folder)
    packed = folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", stream)
    whole, small = bytes_of(stream), bytes_of(packed)
    os.symlink(stream, folder + "/link")
    os.link(stream, folder + "/other")
    for output in (stream, folder + "/./s.memscope", folder + "/link", folder + "/other"):
        one_line_error(run(MEMSCOPE, "pack", stream, "-o", output), 2, output, "-o")
    one_line_error(run(MEMSCOPE, "pack", "--unpack", packed, "-o", packed), 2, packed, "-o")
    os.mkfifo(folder + "/pipe")
    for place, says in ((folder, "directory"), (folder + "/pipe", "no regular file")):
        one_line_error(run(MEMSCOPE, "pack", stream, "-o", place), 2, place, says)
    with open(stream, "wb") as file:
        file.write(b"mine")
    one_line_error(run(MEMSCOPE, "pack", "--unpack", packed), 2, stream, "exists", "-o")
    assert bytes_of(stream) == b"mine" and bytes_of(packed) == small
    ok(MEMSCOPE, "pack", "--unpack", packed, "-o", stream)
    assert bytes_of(stream) == whole
    one_line_error(run(MEMSCOPE, "pack", stream), 2, packed, "exists", "-o")
    assert bytes_of(packed) == small
    assert not [name for name in os.listdir(folder) if re.search(r"\.\w{6}$", name)], os.listdir(folder)


def test_no_streams(folder):
    for name, text in (("text", b"This is no stream.\n" * 1000), ("short", b"\x89MemScop")):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(text)
        one_line_error(run(MEMSCOPE, "pack", f"{folder}/{name}"), 3, name, "not a MemScope stream", "memscope run")
        one_line_error(run(MEMSCOPE, "pack", f"{folder}/{name}", "--unpack"), 3, name, "memscope pack")
    assert sorted(os.listdir(folder)) == ["short", "text"]


def test_bad_input(folder):
    stream = recorded(folder)
    packed = folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", stream)
    one_line_error(run(MEMSCOPE, "pack", packed), 2, "packed already", "--unpack")
    one_line_error(run(MEMSCOPE, "pack", "--unpack", stream), 3, "memscope pack")
    one_line_error(run(MEMSCOPE, "pack", folder), 2, "directory")
    one_line_error(run(MEMSCOPE, "pack", folder + "/none"), 2, "No such file")
    open(folder + "/empty", "w").close()
    one_line_error(run(MEMSCOPE, "pack", folder + "/empty"), 2, "empty")
    one_line_error(run(MEMSCOPE, "pack", stream, "-o", folder + "/no/where"), 2, "-o")
    one_line_error(run(MEMSCOPE, "pack"), 2, "no stream")
    with open(packed, "rb") as file:
        data = file.read()
    cut = folder + "/cut.memscope"
    with open(cut, "wb") as file:
        file.write(data[: len(data) // 2])
    one_line_error(run(MEMSCOPE, "pack", "--unpack", cut, "-o", folder + "/x"), 3, "offset")
    for part, says in ((data[:100], "damaged"), (data[:4096], "damaged"), (data[:24], "ends too early"),
                       (data[:4096] + b"?" + data[4097:], "damaged")):  # one segment is all it has
        with open(cut, "wb") as file:
            file.write(part)
        one_line_error(run(MEMSCOPE, "pack", "--unpack", cut, "-o", folder + "/nothing"), 3, "offset", says, "nothing can be read")
        assert not os.path.exists(folder + "/nothing"), len(part)
        one_line_error(run(MEMSCOPE, "summary", cut), 3, "offset", says, "nothing can be read")
    done = run(MEMSCOPE, "summary", packed, env={**os.environ, "TMPDIR": folder + "/none"})
    one_line_error(done, 2, "TMPDIR")
    assert not [name for name in os.listdir(folder) if re.search(r"\.\w{6}$", name) and "memscope." in name]


def test_versions(folder):
    """Of another pack version: what to do is said, and the version only of a newer one."""
    packed = folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", recorded(folder))
    data = bytes_of(packed)
    version = int.from_bytes(data[12:16], "little")
    for other, says in ((version - 1, ("packed by an older version", "unpack it with that memscope", "record it again")),
                        (version + 1, (f"packed by version {version + 1}", f"reads up to {version}:", "use a newer memscope")),
                        (0, ("its header is damaged", "copy or pack it again"))):
        with open(packed, "wb") as file:
            file.write(data[:12] + other.to_bytes(4, "little") + data[16:])
        for words in (("summary",), ("dump",), ("pack", "--unpack", "-o", folder + "/x")):
            one_line_error(run(MEMSCOPE, *words, packed), 3, packed, *says)
        assert not os.path.exists(folder + "/x")


if __name__ == "__main__":
    main()
