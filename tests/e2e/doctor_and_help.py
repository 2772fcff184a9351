#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""memscope doctor finds what is wrong and says how to mend it; memscope help
is generated from the tables and knows every verb."""
import os
import re
import shutil

from e2e import BUILD, MEMSCOPE, SOURCE, compile_c, environment, main, ok, one_line_error, run, write


def rows(name, pattern):
    """What the pattern's group finds at the beginning of each row of a table."""
    with open(os.path.join(SOURCE, name)) as file:
        return re.findall("^" + pattern, file.read(), re.M)


def test_all_is_well(folder):
    done = run(MEMSCOPE, "doctor", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout and "MemScope works here" in done.stdout
    assert "named doctor_block" in done.stdout
    assert os.listdir(folder) == []


def copy_of_build(folder):
    """bin and lib, to be broken."""
    for part in ("bin", "lib"):
        shutil.copytree(os.path.join(BUILD, part), f"{folder}/{part}", symlinks=True)
    return folder + "/bin/memscope"


def plugins(folder):
    return [f"{folder}/lib/{n}" for n in os.listdir(folder + "/lib") if re.fullmatch(r"memscope-\d+\.so", n)]


def test_a_moved_tree_works(folder):
    done = run(copy_of_build(folder), "doctor", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert folder in done.stdout


def test_no_runtime(folder):
    tool = copy_of_build(folder)
    for name in os.listdir(folder + "/lib"):
        if name.startswith("libmemscope.so"):
            os.remove(f"{folder}/lib/{name}")
    done = run(tool, "doctor", cwd=folder)
    assert done.returncode == 1 and "no libmemscope.so" in done.stdout and "./setup" in done.stdout, done.stdout
    one_line_error(run(tool, "run", "true", cwd=folder), 2, "./setup")


def test_no_plugin(folder):
    tool = copy_of_build(folder)
    for path in plugins(folder):
        os.remove(path)
    done = run(tool, "doctor", cwd=folder)
    assert done.returncode == 1 and "no plugin" in done.stdout, done.stdout


def test_broken_plugin(folder):
    tool = copy_of_build(folder)
    for path in plugins(folder):
        os.remove(path)
        write(path, "not a library\n")
    done = run(tool, "doctor", cwd=folder)
    assert done.returncode == 1 and "unable to load plugin" in done.stdout and "build the plugin again" in done.stdout, done.stdout


def test_compiler_gone(folder):
    tool = copy_of_build(folder)
    shutil.copy2(plugins(folder)[0], folder + "/lib/memscope-7.so")
    done = run(tool, "doctor", cwd=folder)
    assert "warn" in done.stdout and "apt-get install clang-7" in done.stdout, done.stdout


def test_limits_and_environment(folder):
    done = run("bash", "-c", 'ulimit -f 100000; ulimit -v 60000000; exec "$0" doctor', MEMSCOPE, cwd=folder,
               env=environment(MEMSCOPE_TYPO="1"))
    for says in ("ulimit -f unlimited", "ulimit -v unlimited", "MEMSCOPE_TYPO is no option"):
        assert says in done.stdout, done.stdout


def verdict(folder, program):
    """The table's row of the program, and how to mend it."""
    done = run(MEMSCOPE, "doctor", program, cwd=folder)
    lines = done.stdout.splitlines()
    at = [i for i, line in enumerate(lines) if re.match(r"\S+ +program  ", line)]
    assert len(at) == 1, done.stdout
    return done.returncode, lines[at[0]], lines[at[0] + 1]


def test_program(folder):
    """What memscope run would make of it is known from its file."""
    text = "#include <stdlib.h>\nint main(void) { free(malloc(7)); return 0; }\n"
    build = lambda name, *words: compile_c(folder, name, text, *words, compiler="gcc")
    code, row, _ = verdict(folder, build("plain"))
    assert code == 0 and row.startswith("ok") and "memscope run" in row, row
    code, row, mend = verdict(folder, build("static", "-static"))
    assert code == 1 and row.startswith("FAIL") and "static and holds no runtime" in row and "memscope-cc -static" in mend, (row, mend)
    for sanitizer, owner in (("address", "AddressSanitizer"), ("thread", "ThreadSanitizer"), ("leak", "LeakSanitizer")):
        code, row, mend = verdict(folder, build(sanitizer, f"-fsanitize={sanitizer}"))
        assert code == 0 and row.startswith("warn") and f"{owner} owns malloc" in row and "no call stacks" in row, row
        assert "without -fsanitize" in mend, mend
    code, row, _ = verdict(folder, "no_such_program")
    assert code == 1 and "no program no_such_program" in row, row
    for name in ("plain.c", "./plain.c"):
        code, row, mend = verdict(folder, name)
        assert code == 1 and f"{name} is not executable" in row and "built from it" in mend, (row, mend)
    code, row, mend = verdict(folder, "plain")
    assert code == 1 and "no program plain on PATH" in row and "./" in mend, (row, mend)
    build("plug.so", "-shared", "-fPIC")
    code, row, mend = verdict(folder, "./plug.so")
    assert code == 1 and "it is a shared library" in row and "loads it" in mend, (row, mend)
    code, row, mend = verdict(folder, build("static-pie", "-static-pie"))
    assert code == 1 and "static and holds no runtime" in row, row
    assert not re.search(r"^\S+ +program  ", run(MEMSCOPE, "doctor", cwd=folder).stdout, re.M)
    one_line_error(run(MEMSCOPE, "doctor", "true", "false"), 2, "one program")
    one_line_error(run(MEMSCOPE, "doctor", "--all"), 2, "--all")


def test_no_temporary_folder(folder):
    one_line_error(run(MEMSCOPE, "doctor", env=environment(TMPDIR=folder + "/none")), 1, "TMPDIR")


def test_help_lists_every_verb(folder):
    verbs = rows("tools/memscope/cmd/cmd.def", r"MS_CMD\((\w+),")
    text = ok(MEMSCOPE, "help")
    assert "help" in verbs and len(verbs) >= 6
    for verb in verbs:
        assert f"memscope {verb} " in text, verb
        own = ok(MEMSCOPE, "help", verb)
        assert own.startswith(f"memscope {verb}") and own == ok(MEMSCOPE, verb, "--help")
    assert ok(MEMSCOPE, "--help") == text


def test_help_explains_every_option(folder):
    flags = rows("tools/memscope/cmd/flag.def", r'MS_FLAG\((\w+), "(-[-\w]+)')
    for verb, flag in flags:
        text = ok(MEMSCOPE, "help", verb).splitlines()
        assert flag in text[0], (verb, flag)
        assert any(line.strip().startswith(flag) for line in text[1:]), (verb, flag)
    used = {(verb, flag) for verb, usage in rows("tools/memscope/cmd/cmd.def", r'MS_CMD\((\w+), "([^"]*)"')
            for flag in re.findall(r"(?<!\w)-[-\w]*\w", usage)}
    assert used == set(flags), used ^ set(flags)


def test_help_topics_hold_every_row(folder):
    options = rows("include/memscope/option.def", r"MS_OPTION\(\w+, \"(\w+)\"")
    text = ok(MEMSCOPE, "help", "env")
    for name in options:
        assert name in text, name
    assert len(options) >= 7
    kinds = rows("include/memscope/stream.def", r"MS_ROW\(0x\w+, (\w+),")
    text = ok(MEMSCOPE, "help", "events")
    for name in kinds:
        assert re.search(rf"\b{name}\b", text), name


def test_version(folder):
    version = rows("CMakeLists.txt", r"project\(memscope VERSION ([\d.]+)")[0]
    assert ok(MEMSCOPE, "--version") == f"memscope {version}\n"


if __name__ == "__main__":
    main()
