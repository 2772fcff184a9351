# SPDX-License-Identifier: MIT
"""What is measured against the plain program: MemScope's ways of recording, and
its peers. A row says how the program is built (programs.py), under which
environment it runs, and what must be there; a row whose `needs` are missing is
left out and named.

In values {out} is the beginning of the names of the files a run writes, which are
removed behind it, and {lib} MemScope's own lib folder.
"""
import glob
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field

BUILD = os.path.abspath(os.environ.get("MS_BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build")))
LIB = os.path.join(BUILD, "lib")


def library(name):
    """A shared library as Debian has it; its bare name when it is not there."""
    return next(iter(sorted(glob.glob("/usr/lib/*/" + name) + glob.glob("/usr/lib/" + name))), name)


@dataclass(frozen=True)
class Variant:
    name: str
    build: str
    help: str
    env: dict = field(default_factory=dict, hash=False)
    needs: tuple = ()  # files, and programs on PATH
    package: str = ""  # that brings them
    peer: bool = False
    daemon: type = None  # a class that is entered while the program runs
    against: str = "plain"  # the variant it is compared with, when nothing else is said


class Lttng:
    """A tracing session of the C library's allocator functions, in a folder of its own.
    Its daemons are processes of their own: what they cost is not counted."""

    def __init__(self, out):
        self.env = {**os.environ, "LTTNG_HOME": out + "-home"}
        self.out, self.pid = out, out + "-pid"

    def call(self, *words):
        subprocess.run(["lttng", "--no-sessiond", *words], env=self.env, check=True, capture_output=True)

    def __enter__(self):
        os.makedirs(self.env["LTTNG_HOME"], exist_ok=True)
        subprocess.run(["lttng-sessiond", "--daemonize", "--no-kernel", "--pidfile", self.pid], env=self.env, check=True, capture_output=True)
        self.call("create", "bench", "--output", self.out + "-trace")
        self.call("enable-channel", "-u", "heap", "--subbuf-size", "4M", "--num-subbuf", "8", "--blocking-timeout", "inf")
        self.call("enable-event", "-u", "-c", "heap", "lttng_ust_libc:*")
        self.call("start")
        return {"LTTNG_HOME": self.env["LTTNG_HOME"], "LTTNG_UST_ALLOW_BLOCKING": "1"}

    def __exit__(self, *error):
        self.call("destroy", "bench")
        with open(self.pid) as file: pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        while os.path.exists(f"/proc/{pid}"): time.sleep(0.05)


def recorded(**options):
    return {"MEMSCOPE": "on", "MEMSCOPE_OUTPUT": "{out}", **options}


HEAPTRACK, TCMALLOC = library("heaptrack/libheaptrack_preload.so"), library("libtcmalloc.so.4")
JEMALLOC, LTTNG = library("libjemalloc.so.2"), library("liblttng-ust-libc-wrapper.so.1")

VARIANTS = (
    Variant("plain", "plain", "as without any of them"),
    Variant("again", "plain", "plain once more: how far a pair of equals lies apart"),
    Variant("bare", "plugin", "instrumented, without a runtime"),
    Variant("off", "memscope", "the runtime linked, not recording; against bare", against="bare"),
    Variant("memscope", "memscope", "every event, names, no stacks; the runtime linked", recorded()),
    Variant("preloaded", "plugin", "the same, the runtime preloaded", recorded(LD_PRELOAD="{lib}/libmemscope.so")),
    Variant("counters", "memscope", "no events: what each site allocated, freed and holds", recorded(MEMSCOPE_MODE="counters")),
    Variant("exact", "memscope", "a stamp for each event", recorded(MEMSCOPE_MODE="exact")),
    Variant("sample 512K", "memscope", "one allocation in about 512 KiB", recorded(MEMSCOPE_MODE="sample=512K")),
    Variant("framed", "framed", "every event, no stacks, of a program with frame pointers", recorded()),
    Variant("stacks", "framed", "the same program, and stacks of 16 frames",
            recorded(MEMSCOPE_STACK="fp", MEMSCOPE_STACK_DEPTH="16")),
    Variant("unwound", "memscope", "every event, and stacks of 16 frames by unwind tables",
            recorded(MEMSCOPE_STACK="dwarf", MEMSCOPE_STACK_DEPTH="16"), (library("libunwind.so.8"),), "libunwind8"),
    Variant("heaptrack", "plain", "every event with a stack", {"LD_PRELOAD": HEAPTRACK, "DUMP_HEAPTRACK_OUTPUT": "{out}"},
            (HEAPTRACK,), "heaptrack", True),
    Variant("gperftools", "plain", "its heap profiler: every allocation with a stack", {"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "{out}"},
            (TCMALLOC,), "libgoogle-perftools4", True),
    Variant("jemalloc prof", "plain", "every allocation with a stack",
            {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:{out}"},
            (JEMALLOC,), "libjemalloc2", True),
    Variant("jemalloc 512K", "plain", "one stack in 512 KiB",
            {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF": "prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:{out}"},
            (JEMALLOC,), "libjemalloc2", True),
    Variant("LTTng", "plain", "every event of libc's wrapper, no stacks", {"LD_PRELOAD": LTTNG},
            (LTTNG, "lttng", "lttng-sessiond"), "lttng-tools liblttng-ust1", True, Lttng),
    Variant("MemProf", "memprof", "LLVM's: every allocation and each access", {"MEMPROF_OPTIONS": "log_path={out}:print_text=true"}, (),
            "libclang-rt-19-dev", True),
    Variant("ASan", "asan", "AddressSanitizer with leak detection", {"ASAN_OPTIONS": "log_path={out}"}, (), "libclang-rt-19-dev", True),
)


def missing(variant):
    """Of what it needs, what is not there."""
    return [need for need in variant.needs if not os.path.exists(need) and not shutil.which(need)]


BY_NAME = {v.name: v for v in VARIANTS}
