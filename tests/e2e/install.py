#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cmake --install lays the parts where a package would, and they find each
other there; examples build with what is installed."""
import glob
import os

from e2e import BUILD, CC, MEMSCOPE, SOURCE, compile_c, main, ok, record, run, summary, write


def tree(folder):
    return sorted(os.path.relpath(os.path.join(base, name), folder) for base, _, names in os.walk(folder) for name in names)


def test_installed_parts_work(folder):
    prefix = folder + "/usr"
    ok("cmake", "--install", BUILD, "--prefix", prefix)
    files = tree(prefix)
    for wanted in ("bin/memscope", "bin/memscope-cc", "bin/memscope-c++", "share/doc/memscope/README.md",
                   "share/doc/memscope/copyright", "share/man/man1/memscope.1"):
        assert wanted in files, (wanted, files)
    for wanted in ("libmemscope.so", "libmemscope.a", "memscope.so"):
        assert any(os.path.basename(f) == wanted for f in files), (wanted, files)
    done = run(prefix + "/bin/memscope", "doctor", cwd=folder)
    assert done.returncode == 0 and prefix in done.stdout and BUILD not in done.stdout, done.stdout


def test_installed_header_is_found(folder):
    prefix = folder + "/usr"
    ok("cmake", "--install", BUILD, "--prefix", prefix)
    source = write(folder + "/a.c", '#include "memscope.h"\n')
    text = ok(prefix + "/bin/memscope-cc", "-E", source, cwd=folder)
    assert f'"{prefix}/lib' in text and os.path.exists(prefix + "/include/memscope.h"), text


def test_nothing_points_back(folder):
    """No installed file may need the build tree."""
    prefix = folder + "/usr"
    ok("cmake", "--install", BUILD, "--prefix", prefix)
    for name in ("memscope", "memscope-cc", "memscope-c++"):
        dynamic = ok("readelf", "-d", f"{prefix}/bin/{name}")
        assert "RUNPATH" not in dynamic and "RPATH" not in dynamic, dynamic


def test_examples(folder):
    """Each builds, does what it does without us, and has ten lines to read."""
    sources = sorted(glob.glob(os.path.join(SOURCE, "examples/*/*.c")))
    assert len(sources) >= 2
    for source in sources:
        assert os.path.exists(os.path.join(os.path.dirname(source), "README.md")), source
        program, plain = folder + "/program", folder + "/plain"
        ok(CC, "-O2", "-g", source, "-o", program, "-lpthread", "-lm")
        ok("gcc", "-O2", source, "-o", plain, "-lpthread", "-lm")
        done = run(MEMSCOPE, "run", "--", program, cwd=folder)
        assert done.returncode == 0 and done.stdout == ok(plain, cwd=folder), (source, done.stderr)


ORDERS = {"customer->orders": 20000, "order->item": 20000, "*slot": 701, "customer->name": 701, "book->log[…]": 20000}


def test_orders_example_names(folder):
    """What examples/orders/README.md says of the names."""
    text = open(os.path.join(SOURCE, "examples/orders/orders.c")).read()
    data = summary(record(folder, compile_c(folder, "orders", text)))
    count = {}
    for site in data["sites"]:
        count[site["holder"]] = count.get(site["holder"], 0) + site["allocations"]
    for holder, allocations in ORDERS.items():
        assert count.get(holder) == allocations, (holder, count)
    left = [s for s in data["sites"] if s["live_blocks"]]
    assert sum(s["live_blocks"] for s in left if s["file"].endswith("orders.c")) == 690, left
    assert not [s for s in data["sites"] if s["function"] in ("xmalloc", "text_copy")], "the wrapper's caller is named"


if __name__ == "__main__":
    main()
