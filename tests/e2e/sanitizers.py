#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs built with a sanitizer: they behave as without us, the sanitizer finds what
it finds, and what is allocated is recorded, to the last event and with names."""
import os
import re
import shutil

from e2e import CC, CXX, LIB, MEMSCOPE, SOURCE, Skip, compile_c, environment, main, ok, record, run, summary

KINDS = ("address", "thread", "memory", "leak")
OWNERS = {"address": "AddressSanitizer", "thread": "ThreadSanitizer", "memory": "MemorySanitizer", "leak": "LeakSanitizer"}
CLANG = "clang-19"  # the one whose sanitizers setup installs
ENV = environment(MEMSCOPE_CLANG=CLANG if os.path.exists(os.path.join(LIB, "memscope-19.so")) else None)

# 4 threads, each 1,000 times: two blocks kept, one grown, one temporary. Then what argv[1] says.
PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *next; char *text; };
static struct node *lists[4];
static int shared;
static struct node *node_new(const char *text) {
  struct node *node = malloc(sizeof *node);
  node->text = strdup(text);
  return node;
}
static void *work(void *argument) {
  struct node **list = argument;
  int *grown = NULL;
  for (int i = 0; i < 1000; i++) {
    struct node *fresh = node_new("a text of some length");
    fresh->next = *list;
    *list = fresh;
    grown = realloc(grown, (i + 1) * sizeof *grown);
    grown[i] = i;
    char *temporary = calloc(1, 32 + i % 64);
    temporary[0] = 1;
    free(temporary);
  }
  free(grown);
  return NULL;
}
static void *race(void *argument) { shared++; return argument; }
int main(int argc, char **argv) {
  char how = argc > 1 ? argv[1][0] : '-';
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, &lists[i]);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 4; i++)
    while (lists[i]) {
      struct node *node = lists[i];
      lists[i] = node->next;
      free(node->text);
      free(node);
    }
  char *volatile block = malloc(10);
  if (how == 'o') block[10] = 1;
  if (how == 'u' && block[3]) puts("undefined");
  free(block);
  if (how == 'f') block[2] = 1;
  if (how == 'd') free(block);
  if (how == 'l') { char *volatile lost = malloc(77); lost[0] = 1; lost = NULL; }
  if (how == 'r') {
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, race, NULL);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  }
  if (how == 'a') { void *aligned; if (posix_memalign(&aligned, 64, 100) == 0) free(aligned); }
  puts("done");
  return how == '7' ? 7 : 0;
}
"""
FINDS = {"address": "ofdl", "thread": "r", "memory": "u", "leak": "l"}


def need(compiler):
    if not shutil.which(compiler):
        raise Skip(f"no {compiler}")


def words():
    """What keeps addresses where old ThreadSanitizers want them."""
    return ("setarch", "-R") if run("setarch", "-R", "true").returncode == 0 else ()


def memscope_run(folder, program, *arguments, options=(), env=None):
    for name in os.listdir(folder):
        if ".memscope" in name:
            os.unlink(os.path.join(folder, name))
    path = os.path.join(folder, "s.memscope")
    done = run(*words(), MEMSCOPE, "run", "--quiet", "-o", path, *options, "--", program, *arguments, cwd=folder, env=env)
    assert os.path.exists(path), f"no stream: {done.stderr}"
    return done, path


def report(text):
    """A sanitizer's report without what differs between any two runs."""
    kept = [line for line in text.splitlines() if not line.startswith("memscope: ")]
    return re.sub(r"0x[0-9a-f]+|\d+", "N", "\n".join(kept))


def found(text):
    return re.findall(r"(?:ERROR|WARNING): (\w+Sanitizer: [a-z-]+(?: [a-z]+)?)", text)


def plain_counts(folder):
    """What the program does by the runtime's own account, without a sanitizer."""
    program = compile_c(folder, "plain", PROGRAM, "-fno-builtin", "-pthread", env=ENV)
    totals = summary(record(folder, program, stream="plain.memscope"))["totals"]
    return totals["allocations"] + totals["reallocations"], totals["frees"] + totals["reallocations"]


def notes(stream):
    return ok(MEMSCOPE, "summary", stream)


def is_whole(stream):
    got = summary(stream)
    return "bad_frees" not in got and not got["totals"]["lost_events"] and not any(
        words in notes(stream) for words in ("not in the stream", "by time alone", "without a row", "damaged"))


def judge(folder, program, wants, name):
    done, stream = memscope_run(folder, program, "7")
    alone = run(*words(), program, "7", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (7, alone.stdout, alone.stderr) and alone.returncode == 7, (name, done.stderr, alone.stderr)
    got = summary(stream)
    totals = got["totals"]
    assert got["process"]["complete"] and is_whole(stream), (name, totals, notes(stream))
    assert totals["reallocations"] == 0
    if wants:  # some of the sanitizer's own threads beside
        assert abs(totals["allocations"] - wants[0]) <= 40 and abs(totals["frees"] - wants[1]) <= 40, (name, totals, wants)
        assert totals["live_blocks"] <= 8, totals
    heard = got["process"]["heard"]
    assert heard in OWNERS.values() and f"{heard} owns malloc here" in notes(stream), (name, heard, notes(stream))
    return got


def site_counts(got):
    return {site["holder"]: site["allocations"] for site in got["sites"] if site["holder"]}


def test_linked(folder):
    wants = plain_counts(folder)
    for kind in KINDS:
        program = compile_c(folder, kind, PROGRAM, "-fno-builtin", "-pthread", f"-fsanitize={kind}", env=ENV)
        got = judge(folder, program, None if kind == "memory" else wants, kind)
        counts = site_counts(got)
        assert counts["node"] == counts["node->text"] == counts["temporary"] == 4000 and counts["block"] == 1, (kind, counts)
        assert kind == "memory" or counts["grown"] == 4000, (kind, counts)
        assert OWNERS[kind] in notes(os.path.join(folder, "s.memscope"))


def test_preloaded(folder):
    """Into what other compilers made: the sanitizer inside, or in a library that must come first."""
    wants = plain_counts(folder)
    tried = 0
    for compiler, kinds, flags in ((CLANG, KINDS, ()), ("gcc", ("address", "thread", "leak"), ()), (CLANG, ("address",), ("-shared-libasan",))):
        if not shutil.which(compiler):
            continue
        path = run(compiler, "-print-file-name=libclang_rt.asan-x86_64.so").stdout.strip() if flags else ""
        more = (f"-Wl,-rpath,{os.path.dirname(path)}",) if flags else ()
        for kind in kinds:
            program = compile_c(folder, f"{compiler}-{kind}", PROGRAM, "-fno-builtin", "-pthread", f"-fsanitize={kind}", *flags, *more, compiler=compiler)
            # Old LeakSanitizers do not tell of reallocations.
            judge(folder, program, None if kind == "memory" or (compiler, kind) == ("gcc", "leak") else wants, f"{compiler} {kind} {flags}")
            tried += 1
    assert tried >= 4


def test_shared_library_linked(folder):
    """The sanitizer's library and the runtime both linked, in the order memscope-cc gives them."""
    need(CLANG)
    path = run(CLANG, "-print-file-name=libclang_rt.asan-x86_64.so").stdout.strip()
    program = compile_c(folder, "shared", PROGRAM, "-fno-builtin", "-pthread", "-fsanitize=address", "-shared-libasan", f"-Wl,-rpath,{os.path.dirname(path)}", env=ENV)
    judge(folder, program, plain_counts(folder), "shared")


def test_reports(folder):
    """Each finds with us what it finds without, and says it in the same words."""
    for kind in KINDS:
        program = compile_c(folder, kind, PROGRAM, "-fno-builtin", "-pthread", f"-fsanitize={kind}", env=ENV)
        for how in FINDS[kind]:
            alone = run(*words(), program, how, cwd=folder)
            done, stream = memscope_run(folder, program, how)
            what = f"{kind} {how}: {done.stderr}\nalone: {alone.stderr}"
            assert found(alone.stderr) and found(done.stderr) == found(alone.stderr), what
            assert (done.returncode, done.stdout) == (alone.returncode, alone.stdout) and done.returncode, what
            assert len(report(done.stderr).splitlines()) == len(report(alone.stderr).splitlines()), what
            process = summary(stream)["process"]
            assert process["end"]["status"] == done.returncode, (kind, how, process, done.returncode)


def test_not_told(folder):
    """ThreadSanitizer does not tell of aligned blocks: their frees are no bad ones."""
    program = compile_c(folder, "a", PROGRAM, "-fno-builtin", "-pthread", "-fsanitize=thread", env=ENV)
    done, stream = memscope_run(folder, program, "a")
    assert done.returncode == 0 and is_whole(stream), notes(stream)
    assert "1 block freed of which it had not told" in notes(stream), notes(stream)


def test_double_free(folder):
    """AddressSanitizer ends the program there; of which block it was, and who had freed it first, we tell too."""
    program = compile_c(folder, "a", PROGRAM, "-fno-builtin", "-pthread", "-fsanitize=address", env=ENV)
    done, stream = memscope_run(folder, program, "d")
    assert found(done.stderr) == ["AddressSanitizer: attempting double"], done.stderr
    said = notes(stream)
    assert "had not told" not in said and "double free" in said and "block : char" in said, said
    bad = summary(stream)["bad_frees"]
    assert len(bad) == 1 and bad[0]["kind"] == "double" and bad[0]["block"]["holder"] == "block" and bad[0]["count"] == 1, bad


def test_modes(folder):
    program = compile_c(folder, "a", PROGRAM, "-fno-builtin", "-pthread", "-fsanitize=address", env=ENV)
    done, stream = memscope_run(folder, program, options=("--mode", "exact"))
    exact = summary(stream)
    assert done.returncode == 0 and exact["process"]["mode"] == "exact" and site_counts(exact)["node"] == 4000
    done, stream = memscope_run(folder, program, options=("--mode", "sample=10%"))
    drawn = summary(stream)
    assert done.returncode == 0 and drawn["process"]["mode"] == "sample", drawn["process"]
    assert 0.7 < drawn["totals"]["allocations"] / exact["totals"]["allocations"] < 1.3, drawn["totals"]
    done, stream = memscope_run(folder, program, options=("--stack", "fp"))
    assert done.returncode == 0 and "no call stacks" in done.stderr, done.stderr


def test_cxx(folder):
    program = compile_c(folder, "cxx", """#include <vector>
struct thing { int a[10]; };
thing *kept[100];
int main() {
  for (int i = 0; i < 100; i++) kept[i] = new thing;
  std::vector<int> *many = new std::vector<int>[7];
  delete[] many;
  for (int i = 0; i < 100; i++) delete kept[i];
}
""", "-fsanitize=address", compiler=CXX, suffix=".cc", env=ENV)
    done, stream = memscope_run(folder, program)
    got = summary(stream)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert site_counts(got)["kept[i]"] == 100 and site_counts(got)["many"] == 1, site_counts(got)
    assert is_whole(stream), notes(stream)


def test_library_opened_later(folder):
    """Named as ever, though no caller's address leads to it."""
    library = os.path.join(folder, "addon.so")
    source = os.path.join(folder, "addon.c")
    with open(source, "w") as file:
        file.write("#include <stdlib.h>\nchar *addon_block;\nvoid addon(void) { addon_block = malloc(99); }\n")
    ok(CC, "-g", "-shared", "-fPIC", "-fsanitize=thread", source, "-o", library, env=ENV)
    program = compile_c(folder, "host", """#include <dlfcn.h>
int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  void (*call)(void) = (void (*)(void))dlsym(library, "addon");
  call();
  return argc - 2;
}
""", "-fsanitize=thread", env=ENV)
    done, stream = memscope_run(folder, program, library)
    assert done.returncode == 0, done.stderr
    assert site_counts(summary(stream)).get("addon_block") == 1, site_counts(summary(stream))


if __name__ == "__main__":
    if not shutil.which(CLANG) or run(CLANG, "-fsanitize=address", "-x", "c", "-", "-o", "/dev/null", stdin="int main(void){return 0;}").returncode:
        print(f"skipped: no {CLANG} with sanitizers")
        raise SystemExit(77)
    main()
