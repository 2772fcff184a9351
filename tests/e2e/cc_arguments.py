#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope-cc adds the plugin where something is compiled and the runtime where
a program is linked, and nothing anywhere else. --memscope-print shows the line."""
import os

from e2e import CC, CXX, LIB, environment, main, ok, run, write

# arguments -> plugin added, runtime added ("static" = the archive)
LINES = [
    ("a.c", True, True),
    ("a.c -o a", True, True),
    ("-o a a.o", True, True),
    ("-c a.c", True, False),
    ("a.c -c -o a.o", True, False),
    ("-S a.c", True, False),
    ("-E a.c", True, False),
    ("-M a.c", True, False),
    ("-MM a.c", True, False),
    ("-MD -MF a.d a.c -o a", True, True),
    ("-fsyntax-only a.c", True, False),
    ("--precompile a.cppm", True, False),
    ("-shared a.o -o liba.so", True, False),
    ("-r a.o b.o -o c.o", True, False),
    ("-Wl,-r a.o -o c.o", True, False),
    ("-Xlinker -r a.o -o c.o", True, False),
    ("-Wl,--gc-sections,-shared a.o", True, False),
    ("-Wl,-rpath,/x a.o", True, True),
    ("-static a.c", True, "static"),
    ("-static-pie a.c", True, "static"),
    ("-static-libgcc a.c", True, True),
    ("-nostdlib a.c", True, False),
    ("-nodefaultlibs a.c", True, False),
    ("-fsanitize=address a.c", True, True),
    ("-fsanitize=undefined,thread a.c", True, True),
    ("-fsanitize=memory a.c", True, True),
    ("-fsanitize=hwaddress a.c", True, False),
    ("-fsanitize=address -static a.c", True, False),
    ("-fsanitize=undefined a.c", True, True),
    ("-fsanitize=address -fno-sanitize=address a.c", True, True),
    ("-fsanitize=address -fno-sanitize=all a.c", True, True),
    ("-fsanitize=address-is-no-word-of-ours a.c", True, True),
    ("-m32 a.c", True, False),
    ("--target=aarch64-linux-gnu a.c", True, False),
    ("-target x86_64-pc-linux-gnu a.c", True, True),
    ("-x c -", True, True),
    ("-x c - -c", True, False),
    ("-- a.c", True, True),
    ("a.h", True, False),
    ("-x c++-header a -o a.pch", True, False),
    ("-xc-header a -o a.pch", True, False),
    ("-x c a.h -x none b.o", True, True),
    ("a.h b.c", True, True),
    # no input: nothing to add, the driver answers for itself
    ("--version", False, False),
    ("-v", False, False),
    ("-###", False, False),
    ("-print-prog-name=ld", False, False),
    ("-print-search-dirs", False, False),
    ("-dumpmachine", False, False),
    ("-Wl,--version", False, False),
    ("-o a -I b -L c -D d -include e -isystem f -MF g -Xclang h -mllvm i -T j", False, False),
]


def printed(*arguments, compiler=CC):
    return ok(compiler, "--memscope-print", *arguments).split()


def parts(words):
    plugin = any(w.startswith("-fplugin=") for w in words)
    if os.path.join(LIB, "libmemscope.a") in words:
        return plugin, "static"
    return plugin, os.path.join(LIB, "libmemscope.so") in words


def test_what_is_added(folder):
    wrong = []
    for line, plugin, runtime in LINES:
        got = parts(printed(*line.split()))
        if got != (plugin, runtime):
            wrong.append(f"{line}: {got}, not {(plugin, runtime)}")
    assert not wrong, "\n".join(wrong)


def test_users_arguments_stay(folder):
    for line, _, _ in LINES:
        words = printed(*line.split())
        assert words[len(words) - len(line.split()):] == line.split(), words


def test_include_folder(folder):
    """memscope.h's folder where something is compiled, in the last place; nothing where objects are linked."""
    for line in ("a.c", "-c a.c", "-E a.c", "a.o b.c", "-x c -", "-S a.i", "--memscope-no-plugin -c a.c", "-x c a.o"):
        words = printed(*line.split())
        at = words.index("-idirafter")
        assert os.listdir(words[at + 1]) == ["memscope.h"], "nothing else is found because of it"
        assert words.index("--start-no-unused-arguments") < at < words.index("--end-no-unused-arguments"), words
    for line in ("a.o -o a", "a.o liba.a libb.so libc.so.1.2 -lm -o a", "-shared a.lo -o liba.so", "--version", "-v"):
        assert "-idirafter" not in printed(*line.split()), line


def test_header_is_found_and_yields(folder):
    """Without -I; but a file of that name in a folder of the user's own comes first."""
    write(folder + "/a.c", '#include "memscope.h"\nint main(void) { memscope_mark("here"); return 0; }\n')
    for compiler in (CC, CXX):
        done = run(compiler, "-Wall", "-Werror", "-x", "c" if compiler == CC else "c++", "a.c", "-o", "a", cwd=folder)
        assert done.returncode == 0 and not done.stderr, done.stderr
        ok(folder + "/a", cwd=folder)
    os.mkdir(folder + "/own")
    write(folder + "/own/memscope.h", "#define memscope_mark(name) the_users_own\n")
    for option in ("-I", "-iquote", "-isystem"):
        assert "the_users_own" in ok(CC, "-E", "a.c", option, "own", cwd=folder), option


def test_response_files(folder):
    inner = write(folder + "/inner.rsp", "-c")
    write(folder + "/outer.rsp", f"'a b.c' \"-DX=1 2\"\n-DY=\\\"q\\\" @{inner}")
    assert parts(printed(f"@{folder}/outer.rsp")) == (True, False)
    write(folder + "/self.rsp", f"@{folder}/self.rsp")
    assert parts(printed(f"@{folder}/self.rsp"))[0]
    assert parts(printed("@no-such-file")) == (True, True)


def test_driver_mode(folder):
    assert "--driver-mode=gcc" in printed("-c", "a.c")
    assert "--driver-mode=g++" in printed("-c", "a.cc", compiler=CXX)


def test_static_cxx(folder):
    """operator new comes along where the C++ library does, and only there."""
    archive = os.path.join(LIB, "libmemscope++.a")
    assert archive in printed("-static", "a.cc", compiler=CXX)
    assert archive in printed("-static", "a.o", "-lstdc++")
    assert archive not in printed("-static", "a.o")
    assert archive not in printed("a.o", "-lstdc++")


def test_own_arguments(folder):
    assert parts(printed("--memscope-no-runtime", "a.c")) == (True, False)
    assert parts(printed("--memscope-no-plugin", "a.c")) == (False, True)
    forced = "-fplugin-arg-memscope-frame-pointers"
    assert forced in printed("--memscope-frame-pointers", "-c", "a.c") and forced not in printed("-c", "a.c")
    assert forced not in printed("--memscope-frame-pointers", "--memscope-no-plugin", "-c", "a.c")
    text = ok(CC, "--memscope-help")
    assert "--memscope-no-runtime" in text and "--memscope-frame-pointers" in text and "clang" in text
    done = run(CC, "--memscope-nonsense", "a.c")
    assert done.returncode == 1 and "--memscope-help" in done.stderr, done.stderr


def test_compiler_choice(folder):
    def with_clang(name):
        return run(CC, "-c", "a.c", env=environment(MEMSCOPE_CLANG=name))

    for name, words in (("/nonexistent/clang", "is no program"), (CC, "memscope-cc itself"), ("/bin/true", "Clang version")):
        done = with_clang(name)
        assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, (name, done.stderr)
    old = write(folder + "/clang", "#!/bin/sh\necho 11.0.1\n", 0o755)
    done = with_clang(old)
    assert done.returncode == 1 and "Clang 11" in done.stderr and "no plugin" in done.stderr, done.stderr


if __name__ == "__main__":
    main()
