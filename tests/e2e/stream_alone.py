#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stream needs nothing but itself: with sources and binaries deleted and the
stream moved, summary, dump and report are byte-identical, source excerpts aside."""
import os
import re

from e2e import MEMSCOPE, compile_c, main, ok, record

PART = """#include <stdlib.h>
struct part { char name[40]; struct part *next; };
struct part *parts;
void part_add(void) { struct part *p = malloc(sizeof *p); p->next = parts; parts = p; }
"""
PROGRAM = """#include <stdlib.h>
#include <string.h>
void part_add(void);
char *text;
int main(void) {
  for (int i = 0; i < 100; i++) part_add();
  text = strdup("hello");
  char *passing = malloc(77);
  free(passing);
  return 0;
}
"""


def products(stream, work):
    """Every product of the stream, without the excerpts the report takes from sources it can read."""
    page = os.path.join(work, "page.html")
    ok(MEMSCOPE, "report", stream, "-o", page)
    found = {"summary": ok(MEMSCOPE, "summary", stream), "json": ok(MEMSCOPE, "summary", stream, "--json"),
             "dump": ok(MEMSCOPE, "dump", stream), "stable": ok(MEMSCOPE, "dump", stream, "--stable"),
             "report": open(page).read()}
    os.remove(page)
    return found


def without_excerpts(page):
    """The page's data blocks but those that hold source lines."""
    return re.sub(r'<script[^>]*id="[^"]*source[^"]*"[^>]*>.*?</script>', "", page, flags=re.S)


def test_deleted_and_moved(folder):
    build, moved = os.path.join(folder, "build"), os.path.join(folder, "elsewhere")
    os.makedirs(build)
    os.makedirs(moved)
    library = compile_c(build, "libpart.so", PART, "-shared", "-fPIC")
    program = compile_c(build, "a", PROGRAM, library, f"-Wl,-rpath,{build}")
    stream = record(folder, program)
    before = products(stream, folder)
    os.rename(stream, os.path.join(moved, "renamed.memscope"))
    for name in os.listdir(build):
        os.remove(os.path.join(build, name))
    after = products(os.path.join(moved, "renamed.memscope"), moved)
    for name in ("summary", "json", "dump", "stable"):
        assert before[name] == after[name].replace(os.path.join(moved, "renamed.memscope"), stream), name
    assert without_excerpts(before["report"]) == without_excerpts(after["report"])
    assert "part_add" in after["json"] and "struct part" in after["json"]


def test_same_stream_same_bytes(folder):
    stream = record(folder, compile_c(folder, "a", PART + "int main(void) { part_add(); return 0; }\n"))
    assert products(stream, folder) == products(stream, folder)


if __name__ == "__main__":
    main()
