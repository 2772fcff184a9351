# SPDX-License-Identifier: MIT
"""The programs whose recording is measured, and how they are built for each kind
of variant. SQLite, Lua, jq, leveldb and redis come from Debian's sources
(../tests/real), the others stand beside this file.
"""
import json
import os
import random
import re
import shlex
import subprocess
import time
from dataclasses import dataclass

from variants import BUILD, LIB

HERE = os.path.dirname(os.path.abspath(__file__))
REAL = os.path.join(HERE, "..", "tests", "real")
WORK = os.path.join(os.path.abspath(os.environ.get("MS_WORK", os.path.join(BUILD, "real"))), "bench")
CACHE = os.path.abspath(os.environ.get("MS_CACHE", os.path.join(BUILD, "cache")))
os.environ.setdefault("MEMSCOPE_CLANG", os.environ.get("PLAIN_CC", "clang-19"))  # one compiler for all
CLANG = os.environ["MEMSCOPE_CLANG"]
CLANGXX = CLANG.replace("clang", "clang++", 1)

OURS = (BUILD + "/bin/memscope-cc", BUILD + "/bin/memscope-c++")
# kind of build: C and C++ compiler, flags for compiling and linking
KINDS = {
    "plain": (CLANG, CLANGXX, ""),
    "memscope": (*OURS, ""),
    "framed": (*OURS, "-fno-omit-frame-pointer"),
    "plugin": (CLANG, CLANGXX, f"-fplugin={LIB}/memscope.so"),
    "memprof": (CLANG, CLANGXX, "-fmemory-profile"),
    "asan": (CLANG, CLANGXX, "-fsanitize=address"),
}


@dataclass(frozen=True)
class Program:
    name: str
    command: str  # {own}, {lua}, …: folders of builds; {work}: files of all runs; {out}: to write to, of this run
    apart: bool = False  # its threads want all CPUs: the two of a pair run one behind the other
    wall: bool = False  # ratios by throughput, not by CPU time


REDIS = "{redis}/tree/src/redis-server --port 0 --unixsocket {out}.sock --save '' --appendonly no --hz 1"
SERVED, TORTURE = 30000, 4000000  # requests of each kind; rounds of all threads together, where it runs apart
PROGRAMS = (
    Program("sqlite speedtest1", "{sqlite}/speedtest1 :memory: --size 25"),
    Program("lua churn", "{lua}/lua " + os.path.join(HERE, "churn.lua") + " 50"),
    Program("jq 15 MB", "{jq}/jq . {work}/data.json"),
    Program("cfrac", "{own}/cfrac"),
    Program("leveldb", "{leveldb}/drive {out}-db"),
    Program("redis server", REDIS),
    Program("larson 2 threads", "{own}/larson 2 10000000", apart=True, wall=True),
    Program("torture 1 thread", "{own}/torture 1 8000000"),
    *(Program(f"torture {n} thread{'s' * (n > 1)}{', apart' * (n == 1)}", f"{{own}}/torture {n} {TORTURE // n}", apart=True)
      for n in (1, 2, 4, 8, 16)),
    Program("parser", "{own}/parser 200"),
    Program("parser, one stack", "{own}/parser 200 same"),
)
BY_NAME = {p.name: p for p in PROGRAMS}
REAL_PROGRAMS = ("sqlite", "lua", "jq", "leveldb", "redis")


def toolchain(kind):
    cc, cxx, flags = KINDS[kind]
    return {"CC": cc, "CXX": cxx, "CFLAGS": "-O2 -g " + flags, "CXXFLAGS": "-O2 -g " + flags, "LDFLAGS": flags}


def build_real(name, kind):
    """Builds a program of tests/real; its folder. RuntimeError: the reason why not."""
    script = f'. "{REAL}/common.sh"; prog_load {name}; prog_make {name} {kind}'
    p = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                       env={**os.environ, "MS_BUILD": BUILD, "ASAN_OPTIONS": "detect_leaks=0", **toolchain(kind)})
    if p.returncode: raise RuntimeError((p.stderr or p.stdout).strip().split("\n")[-1])
    return p.stdout.strip().split("\n")[-1]


def compile_c(kind, sources, out, *words):
    cc, _, flags = KINDS[kind]
    subprocess.run([cc, "-O2", "-g", "-pthread", *flags.split(), *sources, "-o", out, *words], check=True)


def speeds():
    """ns of this machine, just now: an addition, a load from memory, 4 KiB of a file (machine.c)."""
    program, file = os.path.join(WORK, "machine"), os.path.join(WORK, "machine.out")
    os.makedirs(WORK, exist_ok=True)
    compile_c("plain", [os.path.join(HERE, "machine.c")], program)
    return [float(word) for word in subprocess.run([program, file], check=True, capture_output=True, text=True).stdout.split()]


def build_own(kind):
    out = os.path.join(WORK, kind)
    os.makedirs(out, exist_ok=True)
    for name in ("cfrac", "larson", "torture", "parser"): compile_c(kind, [os.path.join(HERE, name + ".c")], os.path.join(out, name))
    return out


def build_speedtest(folder, kind):
    """SQLite's own speed test beside the library of that kind."""
    source = os.path.join(CACHE, "tree/sqlite/test/speedtest1.c")
    compile_c(kind, ["-I" + folder, source, os.path.join(folder, "sqlite3.o")], os.path.join(folder, "speedtest1"), "-lm", "-ldl")


BUILT = {}


def folder_of(name, kind):
    if (name, kind) not in BUILT:
        BUILT[name, kind] = build_own(kind) if name == "own" else build_real(name, kind)
        if name == "sqlite": build_speedtest(BUILT[name, kind], kind)
    return BUILT[name, kind]


def words_of(program, kind, out):
    """The program's command line, built for that kind."""
    places = {q: folder_of(q, kind) for q in ("own", *REAL_PROGRAMS) if "{%s}" % q in program.command}
    return shlex.split(program.command.format(work=WORK, out=out, **places))


def drive(program, out):
    """What a server is measured under; the client is the plain build's and costs it nothing."""
    if not program.name.startswith("redis"): return
    client, sock = os.path.join(folder_of("redis", "plain"), "tree/src"), out + ".sock"
    cli = lambda *words: subprocess.run([client + "/redis-cli", "-s", sock, *words], capture_output=True, text=True).stdout.strip()
    for _ in range(400):
        if cli("ping") == "PONG": break
        time.sleep(0.05)
    subprocess.run([client + "/redis-benchmark", "-s", sock, "-q", "-c", "10", "-n", str(SERVED), "-t", "set,get,lpush,hset"],
                   check=True, capture_output=True)
    cli("shutdown", "nosave")


def data_json(path, want=15_000_000):
    if os.path.exists(path) and os.path.getsize(path) >= want: return
    rng, size = random.Random(15), 0
    with open(path, "w") as f:
        f.write("[")
        for i in range(10 ** 9):
            row = json.dumps({"id": i, "name": "".join(rng.choices("abcdefgh ", k=rng.randint(4, 40))), "score": rng.random(),
                              "tags": ["t%d" % rng.randint(0, 99) for _ in range(rng.randint(0, 6))],
                              "at": {"x": rng.randint(-999, 999), "y": rng.randint(-999, 999), "ok": rng.random() < .5}})
            f.write((",\n" if i else "") + row)
            size += len(row) + 2
            if size > want: break
        f.write("]\n")


def steady(program, said):
    """What a program prints, without times and process ids."""
    if program.name.startswith("redis"): return b""
    if program.name.startswith("sqlite"): return re.sub(rb"[0-9.]+s", b"", said)
    return said
