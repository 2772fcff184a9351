#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house keeps its order: layers of the tool see only those below, every
source says its licence, presets configure, scripts parse."""
import json
import os
import re
import shlex
import subprocess
import time

from e2e import BUILD, SOURCE, main, ok, run, write

LAYERS = ["base", "reader", "model", "rule", "symbol", "export", "view", "place"]
SOURCES = (".c", ".h", ".def", ".cpp", ".hpp", ".S", ".py", ".sh", ".ts", ".tsx", ".cmake")


def files():
    """Source files of the checkout, without what is built or downloaded."""
    for base, folders, names in os.walk(SOURCE):
        folders[:] = [f for f in folders if not f.startswith((".", "build")) and f not in ("node_modules", "dist", "__pycache__")]
        for name in names:
            yield os.path.join(base, name)


def layer_flags():
    """Layer -> the include flags its sources are compiled with."""
    flags = {}
    with open(os.path.join(BUILD, "compile_commands.json")) as file:
        for entry in json.load(file):
            found = re.search(r"/tools/memscope/(\w+)/\w+\.c$", entry["file"])
            if found and f"ms_{found.group(1)}.dir" in entry["command"]:  # tests compile some once more, their way
                flags[found.group(1)] = [w for w in shlex.split(entry["command"]) if w.startswith("-I")]
    return flags


def headers(layer):
    folder = os.path.join(SOURCE, "tools/memscope", layer)
    return [f"{layer}/{n}" for n in sorted(os.listdir(folder)) if n.endswith(".h")] if os.path.isdir(folder) else []


def test_upward_include_fails(folder):
    flags = layer_flags()
    assert {"base", "reader", "model"} <= set(flags), flags
    for at, layer in enumerate(LAYERS):
        for other in LAYERS + ["cc", "cmd"]:
            if layer not in flags or not headers(other):
                continue
            source = write(folder + "/a.c", f'#include "{headers(other)[0]}"\n')
            done = run("gcc", "-E", *flags[layer], source, "-o", folder + "/out")
            allowed = other in LAYERS[: at + 1]
            assert (done.returncode == 0) == allowed, f"{layer} includes {other}: {done.stderr or 'accepted'}"


def test_no_include_by_relative_path(folder):
    for path in files():
        if path.startswith(os.path.join(SOURCE, "tools/memscope")) and path.endswith((".c", ".h")):
            with open(path) as file:
                assert '#include "../' not in file.read(), path


def test_every_source_says_its_licence(folder):
    bare = []
    for path in files():
        if path.endswith(SOURCES) or os.path.basename(path) in ("CMakeLists.txt", "setup", "check"):
            with open(path, errors="replace") as file:
                if "SPDX-License-Identifier: MIT" not in file.read(600):
                    bare.append(os.path.relpath(path, SOURCE))
    assert not bare, bare


def test_scripts_parse(folder):
    for name in ("setup", "check", ".ci/run"):
        path = os.path.join(SOURCE, name)
        assert os.access(path, os.X_OK), name
        ok("bash", "-n", path)
    for name in ("setup", "check"):
        assert "--help" in ok(os.path.join(SOURCE, name), "--help")
        assert run(os.path.join(SOURCE, name), "--nonsense").returncode == 2


def test_presets_configure(folder):
    """Each preset is accepted; the two that leave a part out leave it out."""
    presets = [p["name"] for p in json.load(open(os.path.join(SOURCE, "CMakePresets.json")))["configurePresets"] if not p.get("hidden")]
    assert set(presets) == {"release", "dev", "asan", "tsan", "plugin-only", "no-plugin"}
    for preset in presets:
        ok("cmake", "--preset", preset, "-B", f"{folder}/{preset}", cwd=SOURCE)
        targets = ok("cmake", "--build", f"{folder}/{preset}", "--target", "help")
        assert ("memscope-cc" in targets) == (preset != "plugin-only"), preset
        assert bool(re.search(r"^memscope-(plugin-)?19", targets, re.M)) == (preset != "no-plugin"), (preset, targets[:2000])


def test_counting_line(folder):
    """./check's last line and exit code, on a suite that passes, fails, skips, misses and hangs."""
    write(folder + "/CMakeLists.txt", """cmake_minimum_required(VERSION 3.25)
project(x NONE)
enable_testing()
add_test(NAME good COMMAND true)
add_test(NAME bad COMMAND false)
add_test(NAME away COMMAND sh -c "exit 77")
add_test(NAME may COMMAND sh -c "exit 77")
add_test(NAME missing COMMAND /nonexistent/program)
add_test(NAME slow COMMAND sleep 9)
set_tests_properties(away may PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(may PROPERTIES LABELS optional)
set_tests_properties(slow PROPERTIES TIMEOUT 1)
""")
    ok("cmake", "-S", folder, "-B", folder + "/b")

    def count(regex, **env):
        subprocess.run(["ctest", "--test-dir", folder + "/b", "--output-junit", "c.xml", "-R", regex], capture_output=True)
        done = run("python3", os.path.join(SOURCE, "tests/count.py"), folder + "/b/c.xml", folder + "/b",
                   env={"PATH": os.environ["PATH"], **env})
        return done.returncode, done.stdout.splitlines()[-1]

    assert count("good") == (0, "1 passed, 0 failed")
    assert count(".") == (1, "1 passed, 3 failed, 2 skipped")
    assert count(".", CI="true") == (1, "1 passed, 4 failed, 1 skipped")
    assert count("good|may", CI="true") == (0, "1 passed, 0 failed, 1 skipped")
    assert count("none-of-these") == (1, "0 passed, 0 failed")


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_timeout_ends_all(folder):
    """What run() gives up on leaves no program behind that runs on."""
    try:
        run("sh", "-c", "(sleep 20; touch late) & echo $! > pid; wait", cwd=folder, timeout=1)
        raise AssertionError("it ended")
    except subprocess.TimeoutExpired:
        pid = open(folder + "/pid").read().strip()
    while runs(pid):
        time.sleep(0.01)
    assert not os.path.exists(folder + "/late")


if __name__ == "__main__":
    main()
