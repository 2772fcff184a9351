# SPDX-License-Identifier: MIT
#
# Runs a program under the runtime and prints what the summary says, one line
# for each site, ordered by place so that expectations can stand beside the
# statements they are about:
#
#   @8 a->s : char in main, exact <- p in xmalloc
#   @9 v : int in f<int>, exact x3
#
# line, holder, type, function, provenance, number of allocations if more than
# one, then the chain inwards. Blocks the program itself obtained that no site
# saw are `unnamed : N`; those of uninstrumented libraries are left out.
#
#   --dump    prints the events instead, in order, without module lines
#   --all     also sites in files below /usr
import argparse
import json
import os
import subprocess
import sys
import tempfile


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--dump", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--preload", default="")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    return parser.parse_args()


def record(o, folder):
    stream = os.path.join(folder, "stream")
    libraries = " ".join(filter(None, [o.preload, o.runtime]))
    environment = dict(os.environ, MEMSCOPE="on", MEMSCOPE_OUTPUT=stream, LD_PRELOAD=libraries)
    done = subprocess.run([o.program, *o.arguments], env=environment, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{o.program}: exit code {done.returncode}")
    return stream


def tool(o, *arguments):
    return subprocess.run([o.tool, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def dump(o, stream):
    for line in tool(o, "dump", "--stable", stream).splitlines():
        if " module " not in line:
            print(line)


def chain_text(site):
    """The chain but for the link that won, outermost first."""
    place = (site["file"], site["line"], site["column"])
    links = [c for c in site["chain"] if (c["file"], c["line"], c["column"]) != place or c["holder"] != site["holder"]]
    return "".join(f" <- {c['holder']} in {c['function']}" for c in reversed(links))


def site_text(site):
    count = f" x{site['allocations']}" if site["allocations"] != 1 else ""
    return (f"@{site['line']} {site['holder']} : {site['type'] or 'void'} in {site['function']}, "
            f"{site['provenance']}{count}{chain_text(site)}")


def summary(o, stream):
    data = json.loads(tool(o, "summary", "--json", stream))
    rows, unnamed = [], 0
    program = os.path.realpath(o.program)
    for site in data["sites"]:
        if not site["file"]:
            unnamed += site["allocations"] if site["module"] == program else 0
        elif o.all or not site["file"].startswith("/usr/"):
            rows.append((site["line"], site["column"], site["function"], site_text(site)))
    for row in sorted(rows):
        print(row[-1])
    if unnamed:
        print(f"unnamed : {unnamed}")


o = options()
with tempfile.TemporaryDirectory() as folder:
    stream = record(o, folder)
    dump(o, stream) if o.dump else summary(o, stream)
