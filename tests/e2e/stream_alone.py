#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stream needs nothing but itself: with sources and binaries deleted and the
stream moved, summary, dump and report are byte-identical, source excerpts aside."""
import os
import shutil

from e2e import MEMSCOPE, SOURCE, compile_c, main, ok, record, run

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


def products(stream, page):
    """Every text product of the stream; the report goes to page."""
    ok(MEMSCOPE, "report", stream, "-o", page)
    return {"summary": ok(MEMSCOPE, "summary", stream), "json": ok(MEMSCOPE, "summary", stream, "--json"),
            "dump": ok(MEMSCOPE, "dump", stream), "stable": ok(MEMSCOPE, "dump", stream, "--stable")}


def pages_are_same(a, b):
    """tests/real/page.py leaves out the source excerpts a page shows while it can read the files."""
    done = run("python3", os.path.join(SOURCE, "tests/real/page.py"), "same", a, b)
    assert done.returncode == 0, done.stdout


def test_deleted_and_moved(folder):
    build, moved = os.path.join(folder, "build"), os.path.join(folder, "else/where")
    os.makedirs(build)
    os.makedirs(moved)
    library = compile_c(build, "libpart.so", PART, "-shared", "-fPIC")
    program = compile_c(build, "a", PROGRAM, library, f"-Wl,-rpath,{build}")
    stream = record(folder, program)
    before = products(stream, folder + "/before.html")
    shutil.rmtree(build)
    os.rename(stream, moved + "/s.memscope")
    after = products(moved + "/s.memscope", folder + "/after.html")
    for name, text in before.items():
        assert text.replace(stream, "STREAM") == after[name].replace(moved + "/s.memscope", "STREAM"), name
    pages_are_same(folder + "/before.html", folder + "/after.html")
    assert "part_add" in after["json"] and "struct part" in after["json"]


def test_same_stream_same_bytes(folder):
    stream = record(folder, compile_c(folder, "a", PART + "int main(void) { part_add(); return 0; }\n"))
    pages = [folder + "/1.html", folder + "/2.html"]
    assert products(stream, pages[0]) == products(stream, pages[1])
    assert open(pages[0], "rb").read() == open(pages[1], "rb").read()


if __name__ == "__main__":
    main()
