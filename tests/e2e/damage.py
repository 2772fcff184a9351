#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One flipped bit in a recorded stream: it is always said, with its place and before any
figure, and no figure is more than that of the whole stream."""
import json
import os
import random
import re
import struct

from e2e import MEMSCOPE, SOURCE, compile_c, main, ok, one_line_error, record, run, summary

CHUNK, RECORD_BYTES, FLIPS = 2, 64, 60

# A list that grows and shrinks, temporary blocks, one that is resized, and some that stay.
PROGRAM = """#include <stdlib.h>
#include <string.h>
struct part { struct part *next; char name[40]; } *parts;
static char *texts[64];
int main(void) {
  unsigned state = 1;
  for (int i = 0; i < 60000; i++) {
    state = state * 1664525 + 1013904223;
    struct part *p = malloc(sizeof *p);
    p->next = parts;
    parts = p;
    char **text = &texts[state >> 26];
    *text = realloc(*text, 8 + (state >> 16) % 500);
    free(strdup("a temporary"));
    if (i % 5) parts = p->next, free(p);
    while (i % 10000 == 9999 && parts) p = parts, parts = p->next, free(p);
  }
  return 0;
}
"""


def chunks(data):
    """Offset and bytes of what a checksum covers: rows of whole chunks."""
    for at in range(4096, len(data), 4096):
        magic, kind = struct.unpack_from("<4sI", data, at)
        if magic == b"MSRC" and kind == CHUNK:
            yield at + RECORD_BYTES, struct.unpack_from("<I", data, at + 24)[0]


def flipped(data, dice):
    rows, used = dice.choice(list(chunks(data)))
    bit = dice.randrange(8 * used)
    copy = bytearray(data)
    copy[rows + bit // 8] ^= 1 << bit % 8
    return copy, rows + bit // 8


def read(path):
    done = run(MEMSCOPE, "summary", "--json", path)
    assert done.returncode == 3 and "at offset" in done.stderr, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def said(path):
    """What is left out, and how many blocks shown as live may have been freed: before any figure."""
    done = run(MEMSCOPE, "summary", path)
    assert done.returncode == 3, done.stderr
    head = done.stdout[:done.stdout.index("  allocated ")].replace("\n", " ")
    left = re.search(r"(\d+) events? left out: 1 chunk is damaged, at offset (\d+)", head)
    assert left and "Not freed at exit" not in done.stdout, done.stdout
    doubts = re.search(r"up to (\d+) of the blocks shown as live may have been freed there", head)
    return int(left[1]), int(left[2]), int(doubts[1]) if doubts else 0, "placed by time alone" not in done.stdout


def judge(path, whole, at):
    got, what = read(path), f"byte {at}"
    left, offset, doubts, in_order = said(path)
    mine, all_of, damage = got["totals"], whole["totals"], got["damage"]
    assert offset < at < offset + (1 << 20) and left == damage["denied_events"] > 0, (what, offset, left)
    assert (damage["denied_chunks"], damage["doubtful_blocks"], damage["lost_segments"]) == (1, doubts, 0), (what, damage)
    assert got["process"]["complete"] is False, what
    for figure in ("allocations", "frees", "reallocations", "allocated_bytes", "events", "threads"):
        assert mine[figure] <= all_of[figure], (what, figure, mine[figure], all_of[figure])
    if not in_order:  # of several threads, some of whose events are in the damaged part
        return doubts
    largest = max(site["peak_bytes"] for site in whole["sites"]) if doubts else 0
    assert mine["live_blocks"] <= all_of["live_blocks"] + doubts, (what, mine, all_of)
    for figure in ("peak_bytes", "live_bytes"):
        assert mine[figure] <= all_of[figure] + doubts * largest, (what, figure, doubts, mine[figure], all_of[figure])
    assert got["process"]["duration_ns"] <= whole["process"]["duration_ns"], what
    return doubts


def flips_judge(folder, stream, flips):
    with open(stream, "rb") as file:
        data = file.read()
    whole, dice, doubtful = summary(stream), random.Random(7), 0
    path = os.path.join(folder, "flipped.memscope")
    for _ in range(flips):
        copy, at = flipped(data, dice)
        with open(path, "wb") as file:
            file.write(copy)
        doubtful += judge(path, whole, at) > 0
    assert doubtful < flips, "what is damaged is not always in doubt"


def test_one_thread(folder):
    flips_judge(folder, record(folder, compile_c(folder, "a", PROGRAM)), FLIPS)


def test_exact(folder):
    flips_judge(folder, record(folder, compile_c(folder, "a", PROGRAM), options=("--mode", "exact")), FLIPS // 2)


def test_threads(folder):
    """Blocks that go from thread to thread."""
    with open(os.path.join(SOURCE, "bench", "torture.c")) as file:
        program = compile_c(folder, "torture", file.read(), "-pthread")
    flips_judge(folder, record(folder, program, "3", "20000"), FLIPS // 2)


def test_headers(folder):
    """Of a chunk's record any bit of its header: the chunk is left out, and its place is said."""
    stream = record(folder, compile_c(folder, "a", PROGRAM))
    with open(stream, "rb") as file:
        data = file.read()
    whole, path = summary(stream), os.path.join(folder, "flipped.memscope")
    assert "damage" not in whole, whole["damage"]
    rows, _ = list(chunks(data))[3]
    for byte in range(56):  # what is behind has no meaning yet
        copy = bytearray(data)
        copy[rows - RECORD_BYTES + byte] ^= 0x10
        with open(path, "wb") as file:
            file.write(copy)
        got = read(path)
        assert got["totals"]["events"] < whole["totals"]["events"], (byte, got["totals"])
        assert got["damage"]["denied_chunks"] + got["damage"]["missing_chunks"] == 1, (byte, got["damage"])
        assert got["process"]["duration_ns"] <= whole["process"]["duration_ns"], (byte, got["process"])


SEGMENT = struct.Struct("<4sIQQQQQQ")  # struct ms_pack_segment


def segments(data):
    at = 24  # struct ms_pack_header
    while at < len(data):
        magic, _, offset, length, events, packed, _, _ = SEGMENT.unpack_from(data, at)
        assert magic == b"MPSG", at
        yield at, offset, length, events, packed
        at += SEGMENT.size + packed


def test_packed(folder):
    """Of a packed stream a segment is lost, and no other."""
    with open(os.path.join(SOURCE, "bench", "torture.c")) as file:
        program = compile_c(folder, "torture", file.read(), "-pthread", "-O2", compiler="gcc")
    stream = record(folder, program, "1", "2200000")
    whole = summary(stream)["totals"]
    packed, path = folder + "/s.packed.memscope", folder + "/flipped.memscope"
    ok(MEMSCOPE, "pack", stream)
    with open(packed, "rb") as file:
        data = file.read()
    with open(stream, "rb") as file:
        plain = file.read()
    parts = list(segments(data))
    assert len(parts) >= 4, parts
    assert sum(events for _, _, _, events, _ in parts) == whole["events"], parts
    copy = bytearray(data)
    copy[parts[0][0] + SEGMENT.size] ^= 1
    with open(path, "wb") as file:
        file.write(copy)
    one_line_error(run(MEMSCOPE, "summary", path), 3, "first packed segment")
    at, offset, length, events, size = parts[1]
    for what, byte in (("payload", at + SEGMENT.size + size // 2), ("header", at + 17), ("magic", at)):
        copy = bytearray(data)
        copy[byte] ^= 4
        with open(path, "wb") as file:
            file.write(copy)
        got = read(path)
        assert 0 <= got["totals"]["events"] - (whole["events"] - events) <= 1, (what, got["totals"], whole)
        assert got["damage"]["lost_segments"] == 1, (what, got["damage"])
        assert got["damage"]["lost_segment_events"] == (events if what == "payload" else None), (what, got["damage"])
        text = run(MEMSCOPE, "summary", path).stdout
        head = text[:text.index("  allocated ")].replace("\n", " ")
        known = f"{events} events" if what == "payload" else "events, it is not known how many,"
        assert f"{known} missing: 1 segment of the packed file is damaged, at offset {at}" in head, head
        assert f"{length} bytes of the stream from {offset} on" in text.replace("\n  ", " "), text
        back = folder + "/back.memscope"
        done = run(MEMSCOPE, "pack", "--unpack", path, "-o", back)
        assert done.returncode == 3 and "at offset" in done.stderr, done.stderr
        if os.path.exists(back):
            with open(back, "rb") as file:
                assert file.read() == plain[:offset] + bytes(length) + plain[offset + length:], what
            os.unlink(back)
    copy, (at, offset, length, _, _) = bytearray(data), parts[-1]
    copy[at + SEGMENT.size] ^= 1
    with open(path, "wb") as file:
        file.write(copy)
    assert run(MEMSCOPE, "pack", "--unpack", path, "-o", back).returncode == 3
    with open(back, "rb") as file:
        assert file.read() == plain[:offset] + bytes(length), "the last segment's place is zeros, too"


if __name__ == "__main__":
    main()
