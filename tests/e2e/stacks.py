#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope run --stack fp: functions, files and lines of call stacks are addr2line's,
wherever the binary is by then; one that is another binary is not believed."""
import filecmp
import os
import re
import shutil

from e2e import MEMSCOPE, CC, compile_c, main, ok, one_line_error, record, run, summary

FRAMES = ("-fno-omit-frame-pointer", "-fno-optimize-sibling-calls")
PROGRAM = """#include <stdlib.h>
#include <string.h>
struct node { char bytes[56]; struct node *next; } *list;
static inline __attribute__((always_inline)) struct node *node_new(size_t extra) {
  struct node *n = malloc(sizeof *n + extra);
  n->next = list;
  return n;
}
static inline __attribute__((always_inline)) struct node *node_twice(size_t extra) {
  list = node_new(extra);
  return node_new(extra + 1);
}
__attribute__((noinline)) void grow(int depth) {
  if (depth) {
    grow(depth - 1);
    __asm__ volatile("");
    return;
  }
  list = node_twice(1000);
  __asm__ volatile("");
}
int main(void) {
  for (int i = 0; i < 5; i++)
    grow(i);
  grow(2);
  char *text = strdup("x");
  return !text;
}
"""
CXX_PROGRAM = """#include <cstdlib>
#include <memory>
#include <string>
#include <vector>
namespace shop {
template <class T> struct box {
  T *item;
  __attribute__((noinline)) explicit box(int n) : item(new T[n]) { __asm__ volatile("" ::: "memory"); }
};
__attribute__((noinline)) void fill(std::vector<std::string> &to, int n) {
  for (int i = 0; i < n; i++) to.push_back(std::string(100 + i, 'x'));
  __asm__ volatile("" ::: "memory");
}
}
int main() {
  std::vector<std::string> texts;
  shop::fill(texts, 20);
  shop::box<double> doubles(7);
  auto deep = [](int n) { return std::make_unique<shop::box<int>>(n); };
  auto kept = deep(9);
  return texts.size() != 20;
}
"""


def recorded(folder, text=PROGRAM, compiler="gcc", arguments=(), suffix=".c", options=()):
    program = compile_c(folder, "prog", text, "-O2", *FRAMES, *arguments, compiler=compiler, suffix=suffix)
    return program, record(folder, program, options=("--stack", "fp", *options))


def addr2line(program, address):
    """[(function, file, line)] as addr2line tells them of a return address, innermost first."""
    lines = ok("addr2line", "-f", "-i", "-C", "-e", program, hex(address - 1)).splitlines()
    rows = []
    for name, place in zip(lines[::2], lines[1::2]):
        file, line = place.split(" (")[0].rsplit(":", 1)
        rows.append((name, os.path.normpath("" if file == "??" else file), int(line) if line.isdigit() else 0))
    return rows


def frames_of(data, program):
    """{address: [(function, file, line)]} of the program's own frames, and how many were inlined."""
    found, inlined = {}, 0
    for stack in data["stacks"]:
        rows, last = [], None
        for frame in [*stack["frames"], {"address": None, "module": "", "inlined": False}]:
            if rows and not last["inlined"]:
                if last["module"] == program:
                    assert found.setdefault(last["address"], rows) == rows
                rows = []
            if frame["address"] is not None:
                rows.append((frame["function"], os.path.normpath(frame["file"]), frame["line"]))
                inlined += frame["inlined"]
            last = frame
    return found, inlined


def agrees(data, program, binary, least):
    found, inlined = frames_of(data, program)
    assert len(found) >= least, found
    for address, rows in found.items():
        wanted = addr2line(binary, address)
        assert rows == wanted, f"{address:#x}: {rows}, addr2line says {wanted}"
    return inlined


def test_as_addr2line(folder):
    for number, (compiler, text, suffix, arguments) in enumerate((
            ("gcc", PROGRAM, ".c", ()), ("gcc", PROGRAM, ".c", ("-gdwarf-4", "-no-pie")), ("clang-19", PROGRAM, ".c", ()),
            ("g++", CXX_PROGRAM, ".cc", ()), ("clang++-19", CXX_PROGRAM, ".cc", ("-gdwarf-4",)))):
        if not shutil.which(compiler):
            continue
        here = f"{folder}/{number}"
        os.mkdir(here)
        program, stream = recorded(here, text, compiler, arguments, suffix)
        inlined = agrees(summary(stream, "--stacks"), program, program, 4)
        assert inlined or text != PROGRAM, "nothing was inlined"


def test_figures(folder):
    program, stream = recorded(folder)
    data = summary(stream, "--stacks")
    assert "stacks" not in summary(stream)
    sites = {site["id"]: site for site in data["sites"]}
    for key in ("allocations", "allocated_bytes", "live_bytes", "bytes_at_peak"):
        sums = {}
        for stack in data["stacks"]:
            for site in stack["sites"]:
                sums[site["id"]] = sums.get(site["id"], 0) + site[key]
        assert sums == {i: sites[i][key] for i in sums}, key  # every allocation of it had a stack
    assert [s["id"] for s in data["stacks"]] == list(range(1, len(data["stacks"]) + 1))
    at_peak = [sum(site["bytes_at_peak"] for site in s["sites"]) for s in data["stacks"]]
    assert at_peak == sorted(at_peak, reverse=True)
    grown = [s for s in data["stacks"] if any(f["function"] == "grow" for f in s["frames"])]
    depths = {sum(f["function"] == "grow" for f in s["frames"]) for s in grown}
    assert depths == {1, 2, 3, 4, 5}, depths
    assert len(summary(stream, "--stacks", "--top", "3")["stacks"]) == 3
    text = ok(MEMSCOPE, "summary", stream, "--stacks")
    assert re.search(r"node_new \(inlined\) +prog\.c:5\n +node_twice \(inlined\) +prog\.c:10\n +grow +prog\.c:19\n", text), text
    assert "Call stacks" not in ok(MEMSCOPE, "summary", stream)


def test_depth(folder):
    program = compile_c(folder, "prog", PROGRAM, "-O1", *FRAMES, compiler="gcc")
    for depth in (1, 2, 64):
        stream = record(folder, program, options=("--stack", f"fp={depth}"), stream=f"{depth}.memscope")
        longest = max(len([f for f in s["frames"] if not f["inlined"]]) for s in summary(stream, "--stacks")["stacks"])
        assert longest == depth if depth < 64 else 7 <= longest <= 9, (depth, longest)


def test_hint_at_frame_pointers(folder):
    """Where most stacks end at once, and only there, the reader is told what to compile with."""
    for flags, told in ((("-fomit-frame-pointer",), True), (FRAMES, False)):
        name = "bare" if told else "kept"
        stream = record(folder, compile_c(folder, name, PROGRAM.replace('strdup("x")', "malloc(7)"), "-O2", *flags), stream=name + ".memscope", options=("--stack", "fp"))
        depth = [len(stack["frames"]) for stack in summary(stream, "--stacks")["stacks"]]
        assert ("-fno-omit-frame-pointer" in ok(MEMSCOPE, "summary", "--stacks", stream)) == told, (flags, depth)


def test_moved(folder):
    """By name, by path, by build-id, stripped with its debug information apart, under another root."""
    program, stream = recorded(folder, arguments=("-Wl,--build-id",))
    wanted = summary(stream, "--stacks")["stacks"]
    build_id = next(m["build_id"] for m in summary(stream)["modules"] if m["name"] == program)
    copies, root, empty = folder + "/copies", folder + "/root", folder + "/empty"
    for path in (copies, empty, root + folder, f"{folder}/ids/.build-id/{build_id[:2]}"):
        os.makedirs(path)
    apart = f"{folder}/ids/.build-id/{build_id[:2]}/{build_id[2:]}"
    shutil.copy(program, copies + "/prog")
    shutil.copy(program, root + program)
    ok("objcopy", "--only-keep-debug", program, apart + ".debug")
    os.rename(program, folder + "/elsewhere")
    ours = lambda stacks: [[f for f in s["frames"] if f["module"] == program] for s in stacks]
    for option, path in (("--debug-dir", copies), ("--debug-dir", folder + "/ids"), ("--sysroot", root)):
        data = summary(stream, "--stacks", option, path)
        assert ours(data["stacks"]) == ours(wanted), path
        agrees(data, program, folder + "/elsewhere", 4)
        assert not any(program in problem for problem in data["symbol_problems"]), data["symbol_problems"]
    data = summary(stream, "--stacks", f"--debug-dir={empty}")
    assert any(program in p and "--debug-dir" in p for p in data["symbol_problems"]), data["symbol_problems"]
    gone = [f for s in data["stacks"] for f in s["frames"] if f["module"] == program]
    assert gone and all(f["function"] == "" and f["file"] == "" and f["line"] == 0 and not f["inlined"] for f in gone)
    assert re.search(r"^ +prog\+0x[0-9a-f]+$", ok(MEMSCOPE, "summary", stream, "--stacks"), re.M)
    ok("strip", folder + "/elsewhere", "-o", program)
    assert ours(summary(stream, "--stacks", "--debug-dir", folder + "/ids")["stacks"]) == ours(wanted)


def test_another_binary_is_not_believed(folder):
    program, stream = recorded(folder, arguments=("-Wl,--build-id",))
    build_id = next(m["build_id"] for m in summary(stream)["modules"] if m["name"] == program)
    compile_c(folder, "prog", PROGRAM.replace("1000", "2000"), "-O2", *FRAMES, "-Wl,--build-id", compiler="gcc")
    data = summary(stream, "--stacks")
    said = [p for p in data["symbol_problems"] if program in p]
    assert len(said) == 1 and build_id in said[0] and "is not the file that ran" in said[0], data["symbol_problems"]
    assert not any(f["function"] for s in data["stacks"] for f in s["frames"] if f["module"] == program)
    assert "is not the file that ran" in ok(MEMSCOPE, "summary", stream, "--stacks")


def test_without_debug_information(folder):
    """The symbol table still names functions; a stripped program's dynamic symbols only what it exports."""
    program = compile_c(folder, "prog", PROGRAM, "-O1", "-g0", *FRAMES, compiler="gcc")
    stream = record(folder, program, options=("--stack", "fp"))
    names = {f["function"] for s in summary(stream, "--stacks")["stacks"] for f in s["frames"] if f["module"] == program}
    assert {"grow", "main"} <= names, names


def test_dump(folder):
    program, stream = recorded(folder)
    plain, named = ok(MEMSCOPE, "dump", stream).splitlines(), ok(MEMSCOPE, "dump", "--symbols", stream).splitlines()
    assert len(plain) == len(named)
    for lines in (plain, named):
        defined = set()
        for line in lines:
            begins, ends = re.match(r"stack (#\d+) ", line), re.search(r" stack (#\d+)$", line)
            if begins:
                assert begins[1] not in defined, line
                defined.add(begins[1])
            elif ends:
                assert ends[1] in defined, line
        assert len(defined) >= 12, defined
    assert any(re.match(r"stack #\d+ from prog\+0x[0-9a-f]+ <- from prog\+0x", line) for line in plain)
    assert any("node_new (prog.c:5) inlined into node_twice (prog.c:11) inlined into grow (prog.c:19) <- " in line for line in named)
    assert ok(MEMSCOPE, "dump", "--stable", stream) == ok(MEMSCOPE, "dump", "--stable", record(folder, program, options=("--stack", "fp"), stream="t.memscope"))


def test_packed(folder):
    program, stream = recorded(folder)
    ok(MEMSCOPE, "pack", stream)
    packed = folder + "/s.packed.memscope"
    ok(MEMSCOPE, "pack", "--unpack", packed, "-o", folder + "/back.memscope")
    assert filecmp.cmp(stream, folder + "/back.memscope", shallow=False)
    assert summary(packed, "--stacks")["stacks"] == summary(stream, "--stacks")["stacks"]


def test_names_and_stacks(folder):
    """The variable stands at the stack's end."""
    program = compile_c(folder, "prog", PROGRAM, "-O1", *FRAMES, compiler=CC)
    text = ok(MEMSCOPE, "summary", record(folder, program, options=("--stack", "fp")), "--stacks")
    assert re.search(r"list : struct node\n +(node_new \(inlined\)|grow)", text), text


NEWS = """#include <cstdlib>
#include <new>
void *kept[20000];
__attribute__((noinline)) void newer(int i) { kept[i] = ::operator new(48); }
__attribute__((noinline)) void *mallocer() {
  char room[400];
  __asm__ volatile("" : : "r"(room) : "memory");
  void *p = malloc(32);
  __asm__ volatile("" : : "r"(p) : "memory");
  return p;
}
__attribute__((noinline)) void caller() {
  void *p = mallocer();
  __asm__ volatile("" : : "r"(p) : "memory");
}
int main() { for (int i = 0; i < 20000; i++) newer(i), caller(); }
"""


def test_news_that_are_not_drawn(folder):
    """A malloc is not taken for the one within an earlier operator new."""
    program = compile_c(folder, "prog", NEWS, "-O1", *FRAMES, compiler="g++", suffix=".cc")
    for mode in ("full", "sample=50%"):
        stream = record(folder, program, options=("--stack", "fp", "--mode", mode), stream=mode[:4] + ".memscope")
        by = {}
        for stack in summary(stream, "--stacks")["stacks"]:
            first = stack["frames"][0]["function"]
            for site in stack["sites"]: by[first] = by.get(first, 0) + site["allocations"]
        assert 18500 < by["newer(int)"] < 21500 and 18500 < by["mallocer()"] < 21500, (mode, by)


def functions_of(stream):
    """The functions of each stack, innermost first."""
    return [[f["function"] for f in s["frames"]] for s in summary(stream, "--stacks")["stacks"]]


def test_forced_frame_pointers(folder):
    """With the plugin's argument stacks are whole, whatever the build says; without it they are not."""
    bare = ("-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls")
    for name, words in (("forced", ("--memscope-frame-pointers",)), ("arg", ("-fplugin-arg-memscope-frame-pointers",)), ("bare", ())):
        stream = record(folder, compile_c(folder, name, PROGRAM, *bare, *words, compiler=CC), options=("--stack", "fp"), stream=name + ".memscope")
        depths = {stack.count("grow") for stack in functions_of(stream) if stack[0] == "node_new" and "main" in stack}
        assert depths == ({1, 2, 3, 4, 5} if words else set()), (name, functions_of(stream))


def test_unwound(folder):
    """By unwind tables: through code without frame pointers, and libc; names are those of frame pointers."""
    program = compile_c(folder, "prog", PROGRAM, "-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls", compiler="gcc")
    stream = record(folder, program, options=("--stack", "dwarf"))
    if all(len(stack) == 1 for stack in functions_of(stream)): return  # no libunwind here, as run has said
    agrees(summary(stream, "--stacks"), program, program, 4)
    assert any(stack[0].endswith("strdup") and stack[1] == "main" for stack in functions_of(stream)), functions_of(stream)
    assert {stack.count("grow") for stack in functions_of(stream) if stack[0] == "node_new"} == {1, 2, 3, 4, 5}
    short = record(folder, program, options=("--stack", "dwarf=2"), stream="short.memscope")
    assert max(len([f for f in s["frames"] if not f["inlined"]]) for s in summary(short, "--stacks")["stacks"]) == 2


def test_preset_full(folder):
    """sample=full is every event and its stack, of 20 frames; full alone has none."""
    program = compile_c(folder, "prog", PROGRAM.replace("grow(2);", "grow(30);"), "-O2", *FRAMES, compiler="gcc")
    streams = {mode: record(folder, program, options=("--mode", mode), stream=mode + ".memscope") for mode in ("full", "sample=full")}
    deep = record(folder, program, options=("--mode", "sample=full", "--stack", "fp=25"), stream="deep.memscope")
    longest = lambda stream: max((len([f for f in s["frames"] if not f["inlined"]]) for s in summary(stream, "--stacks")["stacks"]), default=0)
    assert [longest(s) for s in (streams["full"], streams["sample=full"], deep)] == [0, 20, 25]
    one, other = (summary(s) for s in streams.values())
    assert one["totals"]["allocations"] == other["totals"]["allocations"] and other["process"]["mode"] == "full", other["process"]


def test_arguments(folder):
    program = compile_c(folder, "prog", PROGRAM, compiler="gcc")
    for words in (("--stack", "orc"), ("--stack", "dwarf=65"), ("--stack", "fp=0"), ("--stack", "fp=65"), ("--stack", "fp=x"), ("--stack", "none=3"), ("--stack",)):
        one_line_error(run(MEMSCOPE, "run", *words, "--", program, cwd=folder), 2, "--stack", "memscope help run")
    stream = record(folder, program, options=("--stack", "none"))
    assert summary(stream, "--stacks")["stacks"] == []
    assert "memscope run --stack fp" in ok(MEMSCOPE, "summary", stream, "--stacks")
    one_line_error(run(MEMSCOPE, "summary", stream, "--debug-dir", folder), 2, "--stacks")
    one_line_error(run(MEMSCOPE, "summary", stream, "--stacks", "--debug-dir", folder + "/none"), 2, "folder")
    one_line_error(run(MEMSCOPE, "summary", stream, "--stacks", "--sysroot"), 2, "--sysroot")


if __name__ == "__main__":
    main()
