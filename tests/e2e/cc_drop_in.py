#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope-cc and memscope-c++ stand in for Clang: in shell probes as configure
makes them, in CMake, with response files, from stdin, and for odd outputs."""
import os
import shutil

from e2e import CC, CXX, LIB, compile_c, environment, main, ok, record, run, summary, write

HELLO = """#include <stdio.h>
#include <stdlib.h>
char *kept;
int main(void) { kept = malloc(10); puts("hello"); return kept == 0; }
"""
HELLO_CXX = """#include <iostream>
int *kept;
int main() { kept = new int[3]; std::cout << "hello\\n"; delete[] kept; }
"""


def clang():
    """The Clang behind memscope-cc."""
    return ok(CC, "--memscope-print", "-c", "a.c").split()[0]


def holders(folder, program):
    return {s["holder"] for s in summary(record(folder, program))["sites"]}


def test_c_and_cxx(folder):
    program = compile_c(folder, "c", HELLO)
    assert ok(program) == "hello\n"
    assert "kept" in holders(folder, program)
    program = compile_c(folder, "cxx", HELLO_CXX, compiler=CXX, suffix=".cc")
    assert ok(program) == "hello\n"
    os.remove(folder + "/s.memscope")
    assert "kept" in holders(folder, program)


def test_queries_answer_as_clang(folder):
    for query in ("--version", "-dumpversion", "-dumpmachine", "-print-prog-name=ld", "-print-search-dirs",
                  "-print-file-name=crt1.o", "-print-resource-dir", "-print-libgcc-file-name"):
        assert ok(CC, query) == ok(clang(), query), query
    ours, theirs = run(CC, "-###", "-c", "x.c"), run(clang(), "-###", "-c", "x.c")
    assert ours.returncode == theirs.returncode
    assert "-cc1" in run(CC, "-###", "-x", "c", "-c", "/dev/null").stderr
    assert "clang version" in run(CC, "-v").stderr
    macros = ok(CC, "-dM", "-E", "-x", "c", "/dev/null")
    assert macros == ok(clang(), "-dM", "-E", "-x", "c", "/dev/null")


def test_errors_are_clangs(folder):
    bad = write(folder + "/bad.c", "int main(void) { return x; }\n")
    done = run(CC, "-c", bad, cwd=folder)
    plain = run(clang(), "-c", bad, cwd=folder)
    assert (done.returncode, done.stderr) == (plain.returncode, plain.stderr)
    done = run(CC, cwd=folder)
    plain = run(clang(), cwd=folder)
    assert done.returncode == plain.returncode and "no input files" in done.stderr


def test_no_word_of_its_own(folder):
    """Probes take any output on stderr as a failure, and -Werror any warning."""
    source = write(folder + "/a.c", HELLO)
    assembly = write(folder + "/b.s", ".globl x\nx: ret\n.section .note.GNU-stack,\"\",@progbits\n")
    write(folder + "/a.h", "int x(void);\n")
    for line in (f"-Werror -Wall -fPIC -c {source} -o a.o", "-Werror a.o -o a", f"-Werror -c {assembly} -o b.o",
                 f"-Werror -E {source} -o a.i", f"-Werror -S {source} -o a.s", f"-Werror -fsyntax-only {source}",
                 "-Werror -c a.i -o i.o", "-Werror -c a.s -o s.o", f"-Werror -M {source}",
                 "-Werror -shared a.o -o liba.so", "-Werror -r a.o b.o -o ab.o", "-Werror -x c-header a.h -o a.h.pch",
                 f"-Werror -include-pch a.h.pch -c {source} -o p.o",
                 f"-Werror -flto -c {source} -o lto.o", f"-Werror -emit-llvm -c {source} -o a.bc", "-Werror -c a.bc -o bc.o"):
        done = run(CC, *line.split(), cwd=folder)
        assert done.returncode == 0 and not done.stderr, f"{line}: {done.stderr}"
    assert ok(folder + "/a") == "hello\n"


def test_stdin_and_response_file(folder):
    ok(CC, "-x", "c", "-", "-o", "a", cwd=folder, stdin=HELLO)
    assert ok(folder + "/a") == "hello\n"
    write(folder + "/b c.c", HELLO)
    write(folder + "/line.rsp", "-O2 \"b c.c\"\n-o 'b c'\n")
    ok(CC, "@line.rsp", cwd=folder)
    assert ok(folder + "/b c") == "hello\n"
    assert "libmemscope" in ok("readelf", "-d", folder + "/b c")
    os.remove(folder + "/b c.c")


def test_stdout_and_save_temps(folder):
    source = write(folder + "/a.c", HELLO)
    assert "main" in ok(CC, "-S", source, "-o", "-", cwd=folder)
    ok(CC, "-save-temps", source, "-o", "a", cwd=folder)
    assert ok(folder + "/a") == "hello\n"


def test_needs_runtime_whatever_the_linker_drops(folder):
    for flags in ((), ("-Wl,--as-needed",), ("-Wl,-Bstatic", "-Wl,-Bdynamic"), ("-Wl,--gc-sections",)):
        program = compile_c(folder, "a", HELLO, *flags)
        dynamic = ok("readelf", "-d", program)
        assert "[libmemscope.so" in dynamic, (flags, dynamic)
        assert LIB in dynamic, dynamic
        assert ok(program) == "hello\n"


def test_static(folder):
    program = compile_c(folder, "a", HELLO, "-static")
    assert ok(program) == "hello\n"
    assert "no dynamic section" in ok("readelf", "-d", program)
    assert "kept" in holders(folder, program)
    os.remove(folder + "/s.memscope")
    program = compile_c(folder, "cxx", HELLO_CXX, "-static", compiler=CXX, suffix=".cc")
    assert ok(program) == "hello\n"
    assert "kept" in holders(folder, program)


def test_linked_program_is_silent_without_run(folder):
    program = compile_c(folder, "a", HELLO)
    done = run(program, cwd=folder)
    assert (done.stdout, done.stderr) == ("hello\n", "")
    assert sorted(os.listdir(folder)) == ["a", "a.c"]


CONFIGURE = r"""#!/bin/sh
# As generated configure scripts probe: each compile's stderr must be empty.
probe() { # name, flags..., program on stdin
  name=$1; shift
  cat >conftest.c; rm -f conftest
  if $CC "$@" -o conftest conftest.c $LIBS 2>conftest.err && ! test -s conftest.err && ./conftest; then
    echo "$name yes"; else echo "$name no"; fi
}
echo 'int main(void){return 0;}' | probe works
echo 'int main(void){return 0;}' | probe werror -Werror
echo 'int main(void){return 1;}' | probe returns-1
for f in malloc reallocarray aligned_alloc free_sized free_aligned_sized malloc_usable_size valloc no_such_fn; do
  echo "char $f(); int main(int c, char **v){if (c > 9) return $f(); return 0;}" | probe $f -fno-builtin -w
done
printf '#include <stdlib.h>\n int main(void){void *p = malloc(0); return !p;}' | probe malloc-0
printf '#include <stdlib.h>\n int main(void){void *p = realloc(0, 0); return !p;}' | probe realloc-0-0
printf '#include <math.h>\n int main(int c, char **v){return sqrt(c) != 1;}' | LIBS=-lm probe libm
printf 'int main(void){return 0;}' | probe static -static
printf 'int main(void){return 0;}' | probe bad-flag -fno-such-flag
printf '#include <no_such.h>\nint main(void){return 0;}' | probe bad-header
printf '#include <stdio.h>\n' >conftest.c; $CC -E conftest.c 2>&1 | grep -q printf && echo cpp yes
$CC -MM conftest.c | grep -q conftest.o && echo deps yes
$CC -print-prog-name=ld
"""


def test_configure_probes(folder):
    """A probe's answers decide what is built: they must be those of plain Clang."""
    script = write(folder + "/configure", CONFIGURE, 0o755)
    answers = []
    for compiler in (CC, clang()):
        os.makedirs(folder + "/probe", exist_ok=True)
        answers.append(ok(script, cwd=folder + "/probe", env=environment(CC=compiler)))
    assert answers[0] == answers[1], "\n".join(answers)
    assert "works yes" in answers[0] and "returns-1 no" in answers[0] and "bad-flag no" in answers[0]
    assert "no_such_fn no" in answers[0] and "malloc yes" in answers[0]


CMAKE = """cmake_minimum_required(VERSION 3.16)
project(probe C CXX)
include(CheckCSourceCompiles)
include(CheckIPOSupported)
find_package(Threads REQUIRED)
check_c_source_compiles("int main(void) { return 0; }" WORKS)
check_c_source_compiles("int main(void) { return x; }" BROKEN)
if(NOT WORKS OR BROKEN OR NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "probes: ${WORKS} ${BROKEN} ${CMAKE_C_COMPILER_ID}")
endif()
add_library(part SHARED part.c)
add_library(fixed STATIC fixed.c)
add_executable(app app.cc)
target_link_libraries(app part fixed Threads::Threads)
"""


def test_cmake(folder):
    write(folder + "/CMakeLists.txt", CMAKE)
    write(folder + "/part.c", "#include <stdlib.h>\nchar *part_block;\nvoid part(void) { part_block = malloc(33); }\n")
    write(folder + "/fixed.c", "#include <stdlib.h>\nchar *fixed_block;\nvoid fixed(void) { fixed_block = malloc(44); }\n")
    write(folder + "/app.cc", 'extern "C" void part(void), fixed(void);\nint *app_block;\n'
                              "int main() { part(); fixed(); app_block = new int(7); }\n")
    ok("cmake", "-S", folder, "-B", folder + "/b", f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_CXX_COMPILER={CXX}",
       "-DCMAKE_BUILD_TYPE=Release")
    ok("cmake", "--build", folder + "/b")
    assert {"part_block", "fixed_block", "app_block"} <= holders(folder, folder + "/b/app")


def test_ccache(folder):
    assert shutil.which("ccache"), "apt-get install ccache"
    source = write(folder + "/a.c", HELLO)
    env = environment(CCACHE_DIR=folder + "/cache")
    objects = []
    for name in ("1.o", "2.o"):
        ok("ccache", CC, "-O2", "-c", source, "-o", name, cwd=folder, env=env)
        objects.append(open(f"{folder}/{name}", "rb").read())
    assert objects[0] == objects[1] and b".note.memscope" in objects[0]
    assert ok(CC, "1.o", "-o", "a", cwd=folder) == "" and ok(folder + "/a") == "hello\n"


def test_every_built_major(folder):
    """Each plugin built is used by MEMSCOPE_CLANG, for C and C++ alike."""
    built = [f[9:-3] for f in os.listdir(LIB) if f.startswith("memscope-") and f.endswith(".so")]
    usable = [major for major in built if shutil.which(f"clang-{major}")]
    assert usable, built
    write(folder + "/a.cc", HELLO_CXX)
    for major in usable:
        done = run(CXX, "-O1", "a.cc", "-o", "a", cwd=folder, env=environment(MEMSCOPE_CLANG=f"clang-{major}"))
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert "kept" in holders(folder, folder + "/a"), major
        os.remove(folder + "/s.memscope")


if __name__ == "__main__":
    main()
