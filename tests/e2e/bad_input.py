#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every bad input is one line that says what to do, with the right exit code:
127 no such program, 126 not executable, 2 usage and unwritable places, 3 bad data."""
import os
import shutil
import struct

from e2e import BUILD, MEMSCOPE, Skip, compile_c, main, ok, one_line_error, record, run, summary, write

READERS = ("summary", "report", "dump")
VERSION_OFFSET = 12  # of struct ms_file_header: magic[8], byte_order, version
BLOCKS = "#include <stdlib.h>\nchar *kept[9];\nint main(void) { for (int i = 0; i < 9; i++) kept[i] = malloc(10); return 0; }\n"


def test_programs(folder):
    write(folder + "/plain", "text\n", 0o644)
    write(folder + "/text", "text\n", 0o755)
    write(folder + "/lost", "#!/nonexistent/interpreter\n", 0o755)
    for words, code, says in (
        (["./none"], 127, "no such program"),
        (["no-such-program-anywhere"], 127, "no such program"),
        (["plain"], 127, "PATH"),
        (["./plain"], 126, "chmod +x"),
        (["."], 126, "folder"),
        (["./text"], 126, "no program"),
        (["./lost"], 127, "interpreter"),
    ):
        one_line_error(run(MEMSCOPE, "run", *words, cwd=folder), code, says)
        one_line_error(run(MEMSCOPE, "run", "--", *words, cwd=folder), code, says)
    assert not [f for f in os.listdir(folder) if ".memscope" in f], "nothing ran, so nothing is left"


def test_verbs(folder):
    one_line_error(run(MEMSCOPE, "sumary"), 2, "did you mean 'summary'")
    one_line_error(run(MEMSCOPE, "dmup"), 2, "did you mean 'dump'")
    one_line_error(run(MEMSCOPE, "entirely-else"), 2, "memscope help")
    write(folder + "/a.memscope", "text")
    write(folder + "/prog", "text", 0o755)
    one_line_error(run(MEMSCOPE, folder + "/a.memscope"), 2, "memscope report")
    one_line_error(run(MEMSCOPE, folder + "/prog"), 2, "memscope run")


def test_unwritable_output(folder):
    started = folder + "/started"
    os.mkdir(folder + "/d")
    for place, says in ((folder + "/none/x", "No such file"), (folder + "/d", "directory"), ("/proc/x", "-o"), ("/dev/full", "no regular file"),
                        (folder + "/%p/x", "%")):
        one_line_error(run(MEMSCOPE, "run", "-o", place, "touch", started, cwd=folder), 2, says)
    if os.geteuid() != 0:
        os.chmod(folder + "/d", 0o555)
        one_line_error(run(MEMSCOPE, "run", "touch", started, cwd=folder + "/d"), 2, "Permission denied", "-o")
    assert not os.path.exists(started), "checked before the program is started"


def test_unwritable_folder_of_another(folder):
    """The same as another user, for whom permissions count."""
    if os.geteuid() != 0:
        raise Skip("runs as root only; the test above covers other users")
    os.chmod(folder, 0o755)
    for part in ("bin/memscope", "lib/libmemscope.so"):  # the checkout may be root's alone
        os.makedirs(os.path.dirname(f"{folder}/copy/{part}"), exist_ok=True)
        shutil.copy(os.path.join(BUILD, part), f"{folder}/copy/{part}")
    done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", folder + "/copy/bin/memscope", "run", "true",
               cwd=folder)
    one_line_error(done, 2, f"cannot write into {folder}: Permission denied", "-o")


def test_usage(folder):
    for words in (["run"], ["run", "--"], ["run", "--mode", "x", "true"], ["run", "--follow-fork=x", "true"],
                  ["run", "--nonsense", "true"], ["run", "-o"], ["run", "-o", "", "true"],
                  ["nonsense"], ["help", "nonsense"], ["doctor", "x", "y"], *([v] for v in READERS),
                  *([v, "--nonsense", "x"] for v in READERS), *([v, "a", "b"] for v in READERS)):
        one_line_error(run(MEMSCOPE, *words, cwd=folder), 2, "memscope")
    assert run(MEMSCOPE).returncode == 2


def test_unknown_options_are_short(folder):
    """What was most likely meant, and where all of them are: no list of every option there is."""
    for words, meant in ((("run", "--stak", "fp", "true"), "--stack"), (("run", "--folow-fork=no", "true"), "--follow-fork"),
                         (("summary", "--jsn", "x"), "--json"), (("summary", "--folow=3", "x"), "--follow"), (("dump", "--symbol", "x"), "--symbols"),
                         (("pack", "--unpak", "x"), "--unpack"), (("report", "--opne", "x"), "--open")):
        done = run(MEMSCOPE, *words, cwd=folder)
        one_line_error(done, 2, f"did you mean {meant}? See: memscope help {words[0]}")
        assert len(done.stderr) < 120, done.stderr
    for words, word in ((("run", "--entirely-else", "true"), "--entirely-else"), (("run", "-xq", "true"), "-x"), (("pack", "-x", "f"), "-x")):
        done = run(MEMSCOPE, *words, cwd=folder)
        one_line_error(done, 2, f"knows no {word};")
        assert "did you mean" not in done.stderr, done.stderr
    for words in (["--color=purple"], ["--color="], ["--color"]):
        done = run(MEMSCOPE, "summary", *words, "x", cwd=folder)
        one_line_error(done, 2, "auto", "always", "never")
        assert "did you mean" not in done.stderr, done.stderr
    one_line_error(run(MEMSCOPE, "summary"), 2, "which stream? See: memscope help summary")
    one_line_error(run(MEMSCOPE, "run", "--quiet=3", "true", cwd=folder), 2, "--quiet takes no value")
    for words in (["run"], ["summary"], ["pack"], ["dump", "a", "b"], ["ctl", "1"]):
        assert len(run(MEMSCOPE, *words, cwd=folder).stderr) < 120, words


def test_folders_need_symbols(folder):
    for verb, option in (("dump", "--symbols"), ("summary", "--stacks")):
        for where in ("--debug-dir", "--sysroot"):
            one_line_error(run(MEMSCOPE, verb, where, folder, "x", cwd=folder), 2, where, f"add {option}")


def test_no_stream_there(folder):
    for verb in READERS:
        one_line_error(run(MEMSCOPE, verb, "none.memscope", cwd=folder), 2, "none.memscope", "No such file")
        one_line_error(run(MEMSCOPE, verb, folder, cwd=folder), 2, folder)


def bad_data(folder, name, *says):
    for verb in READERS:
        done = run(MEMSCOPE, verb, name, cwd=folder)
        one_line_error(done, 3, name, *says)
        assert done.stdout == "", "a stream that cannot be read gives no product"


def test_foreign_files(folder):
    write(folder + "/empty.memscope", "")
    write(folder + "/text.memscope", "This is not a stream.\n" * 1000)
    bad_data(folder, "empty.memscope", "empty")
    bad_data(folder, "text.memscope", "not a MemScope stream")
    bad_data(folder, "/bin/true", "not a MemScope stream")


def test_versions(folder):
    stream = record(folder, compile_c(folder, "a", BLOCKS))
    data = bytearray(open(stream, "rb").read())
    version = struct.unpack_from("<I", data, VERSION_OFFSET)[0]
    struct.pack_into("<I", data, VERSION_OFFSET, version + 1)  # a sampled stream's, but its header says nothing of it
    open(folder + "/half.memscope", "wb").write(data)
    bad_data(folder, "half.memscope", "sampled", "damaged")
    struct.pack_into("<I", data, VERSION_OFFSET, version + 2)  # of counters; likewise
    open(folder + "/half.memscope", "wb").write(data)
    bad_data(folder, "half.memscope", "counters", "damaged")
    struct.pack_into("<I", data, VERSION_OFFSET, version + 3)
    open(folder + "/newer.memscope", "wb").write(data)
    bad_data(folder, "newer.memscope", f"version {version + 3}", "newer")


def test_truncated(folder):
    """Within the header nothing can be read; behind it all whole events are shown, and the loss is said."""
    stream = record(folder, compile_c(folder, "a", BLOCKS))
    data = open(stream, "rb").read()
    whole = summary(stream)["totals"]["allocations"]
    for size in (1, 7, 8, 100, 4095):
        open(folder + "/cut.memscope", "wb").write(data[:size])
        bad_data(folder, "cut.memscope")
    seen = set()
    for size in range(4096, len(data), max(4096, len(data) // 40)):
        open(folder + "/cut.memscope", "wb").write(data[:size])
        done = run(MEMSCOPE, "summary", "cut.memscope", cwd=folder)
        assert done.returncode in (0, 3), (size, done.returncode, done.stderr)
        assert done.stderr.count("\n") <= 1, done.stderr
        if done.returncode == 3:
            assert "its last rows are missing" in done.stdout.splitlines()[1] and "at exit" not in done.stdout, done.stdout
        if done.returncode == 0:
            seen.add(summary(folder + "/cut.memscope")["totals"]["allocations"])
    assert all(count <= whole for count in seen), (seen, whole)


TAIL = 56  # of struct ms_file_header: where the next record goes


def test_room_never_written(folder):
    """A thread that the end overtakes has taken room and writes nothing there: the file is whole. A part
    of a file is none, whether it ends between records or its writer was killed."""
    kills = compile_c(folder, "k", BLOCKS.replace("return 0", "raise(9); return 0").replace("#include", "#include <signal.h>\n#include", 1))
    for name, program, code in (("ends", compile_c(folder, "a", BLOCKS), 0), ("killed", kills, 128 + 9)):
        data = bytearray(open(record(folder, program, stream=name, code=code), "rb").read())
        struct.pack_into("<Q", data, TAIL, struct.unpack_from("<Q", data, TAIL)[0] + (1 << 20))
        open(f"{folder}/{name}.room", "wb").write(data)
        ok(MEMSCOPE, "summary", f"{folder}/{name}.room")
        records = [at for at in range(4096, len(data), 4096) if data[at:at + 4] == b"MSRC"]
        open(f"{folder}/{name}.part", "wb").write(data[:records[-1]])
        one_line_error(run(MEMSCOPE, "summary", f"{folder}/{name}.part"), 3, "before its writer's end")


def test_full_stdout(folder):
    stream = record(folder, compile_c(folder, "a", BLOCKS))
    for words in (["summary", stream], ["dump", stream], ["help"]):
        done = run("sh", "-c", '"$@" >/dev/full', "sh", MEMSCOPE, *words)
        one_line_error(done, 2, "standard output")


def test_report_cannot_be_written(folder):
    stream = record(folder, compile_c(folder, "a", BLOCKS))
    for place in (folder + "/none/r.html", folder, "/dev/full"):
        one_line_error(run(MEMSCOPE, "report", stream, "-o", place, cwd=folder), 2, place)


def test_messages_hold_no_own_paths(folder):
    done = run(MEMSCOPE, "summary", "none")
    assert ".c:" not in done.stderr, done.stderr
    assert ok(MEMSCOPE, "help").count("\n") > 5


if __name__ == "__main__":
    main()
