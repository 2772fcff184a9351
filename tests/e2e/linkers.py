#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""However a program is linked, memscope-cc gives the same output and the same
set of (holder, type, line): linkers, PIE, LTO, shared, static, stripped."""
import shutil

from e2e import CC, environment, main, ok, record, summary, write

PART = """#include <stdlib.h>
struct part { int a[4]; };
struct part *part_new(void) { struct part *fresh = calloc(1, sizeof *fresh); return fresh; }
"""
PROGRAM = """#include <stdio.h>
#include <stdlib.h>
struct part; struct part *part_new(void);
struct box { struct part *first, *tab[4]; char *text; };
int main(void) {
  struct box *box = malloc(sizeof *box);
  box->first = part_new();
  for (int i = 0; i < 4; i++) box->tab[i] = part_new();
  box->text = malloc(100);
  sprintf(box->text, "%d parts", 5);
  puts(box->text);
  return 0;
}
"""
# name: compile flags, link flags; {shared}: PART is a shared library
VARIANTS = {
    "default": ("", ""),
    "pie": ("-fPIE", "-pie"),
    "no-pie": ("-fno-pie", "-no-pie"),
    "bfd": ("", "-fuse-ld=bfd"),
    "gold": ("", "-fuse-ld=gold"),
    "lld": ("", "-fuse-ld=lld"),
    "gold no-pie": ("-fno-pie", "-no-pie -fuse-ld=gold"),
    "lld no-pie gc": ("-fno-pie -ffunction-sections -fdata-sections", "-no-pie -fuse-ld=lld -Wl,--gc-sections"),
    "gc stripped": ("-ffunction-sections -fdata-sections", "-Wl,--gc-sections -s"),
    "full lto": ("-flto", "-flto -fuse-ld=lld"),
    "thin lto": ("-flto=thin", "-flto=thin -fuse-ld=lld"),
    "O0": ("-O0", ""),
    "O3": ("-O3", ""),
    "no debug": ("-g0", ""),
    "static": ("", "-static"),
    "static-pie": ("-fPIE", "-static-pie"),
    "static lld": ("", "-static -fuse-ld=lld"),
    "static gold": ("", "-static -fuse-ld=gold"),
    "shared": ("-fPIC", ""),
    "shared lld": ("-fPIC", "-fuse-ld=lld"),
    "as-needed": ("", "-Wl,--as-needed"),
    "icf": ("-ffunction-sections", "-fuse-ld=lld -Wl,--icf=all"),
}


# LTO needs compiler and linker of one version: ./setup installs lld for this one, and
# whatever /usr/bin/ld.lld is may be older.
ONE_VERSION = environment(MEMSCOPE_CLANG="clang-19")


def cc(folder, *words):
    ok(CC, *words, cwd=folder, env=ONE_VERSION)


def build(folder, name, compile_flags, link_flags):
    base = ["-O2", "-g", *compile_flags.split()]
    link = [*base, *link_flags.split()]
    cc(folder, *base, "-c", "part.c", "-o", "part.o")
    cc(folder, *base, "-c", "main.c", "-o", "main.o")
    if name.startswith("shared"):
        cc(folder, *link, "-shared", "part.o", "-o", "libpart.so")
        cc(folder, *link, "main.o", "-L.", "-lpart", f"-Wl,-rpath,{folder}", "-o", "a")
    else:
        cc(folder, *link, "main.o", "part.o", "-o", "a")


def test_same_names_everywhere(folder):
    write(folder + "/part.c", PART)
    write(folder + "/main.c", PROGRAM)
    found = {}
    for name, flags in VARIANTS.items():
        if "-fuse-ld=" in flags[1]:
            linker = flags[1].split("-fuse-ld=")[1].split()[0]
            assert shutil.which("ld." + linker) or shutil.which(f"ld.{linker}-19"), f"no linker {linker}: apt-get install lld binutils"
        build(folder, name, *flags)
        assert ok(folder + "/a", cwd=folder) == "5 parts\n", name
        sites = summary(record(folder, folder + "/a", stream=name.replace(" ", "-") + ".memscope"))["sites"]
        found[name] = {(s["holder"], s["type"], s["line"], s["allocations"]) for s in sites if s["line"]}
    expected = found["default"]
    assert {h for h, _, _, _ in expected} == {"box", "box->first", "box->tab[i]", "box->text"}, expected
    wrong = {name: sorted(got ^ expected) for name, got in found.items() if got != expected}
    assert not wrong, wrong


if __name__ == "__main__":
    main()
