# SPDX-License-Identifier: MIT
#
# A test is a small program that stands as it would in a user's source, with
# what each statement must be named beside it. Substitutions:
#
#   %cc %cxx       clang-<major> with the plugin; %plain_cc %plain_cxx without
#   %run PROG      runs PROG under the runtime and prints a line for each site
#                  in order of lines, see Inputs/sites.py; %dump the events
#   %check         FileCheck with whole lines that accepts no site beside those
#                  expected; %FileCheck also others, %find parts of lines too
#   %harness       sources of a runtime small enough to trust, to be linked
#                  instead of the real one; prints who got each block
#   %note          prints sites, types or units of a linked file
#   %sites         plugin argument that lists the sites
#
# Features: lld, sanitizers, another-clang, clang-<major>, and clang-at-least-<n> for each n up to it.
import glob
import os
import shutil

import lit.formats

config.name = "memscope-plugin-" + config.memscope_major
config.test_format = lit.formats.ShTest(False)
config.suffixes = [".c", ".cpp", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)

major, build = config.memscope_major, config.memscope_build
inputs = os.path.join(config.test_source_root, "Inputs")
plugin = f"{build}/lib/memscope-{major}.so"
check = shutil.which("FileCheck-19") or shutil.which("FileCheck-" + major)
if not check:
    lit_config.fatal("FileCheck is not here: install llvm-19-tools")
# A header or a folder of another user of the machine must not change a name.
config.environment["LC_ALL"] = "C"
for name in [n for n in os.environ if n.startswith("MEMSCOPE")]:
    config.environment.pop(name, None)

run = f"python3 {inputs}/sites.py --tool={build}/bin/memscope --runtime={build}/lib/libmemscope.so"
whole = f"{check} %s --match-full-lines --dump-input=fail"
# Warnings about old or odd forms are not tested here.
quiet = "-Wno-everything"
config.substitutions += [
    (r"(?<![%/\w])FileCheck(?!-)", check),
    ("%harness", f"{inputs}/harness.c -I{config.memscope_source}/include"),
    ("%note", f"python3 {inputs}/note.py"),
    ("%plain_cc", f"clang-{major} {quiet}"),
    ("%plain_cxx", f"clang++-{major} {quiet}"),
    ("%cc", f"clang-{major} {quiet} -fplugin={plugin}"),
    ("%cxx", f"clang++-{major} {quiet} -fplugin={plugin}"),
    ("%sites", "-fplugin-arg-memscope-verbose=sites"),
    ("%run", run),
    ("%dump", run + " --dump"),
    ("%check", whole + " --implicit-check-not='{{.* : .*}}'"),
    ("%FileCheck", whole),
    ("%find", f"{check} %s --dump-input=fail"),
    ("%inputs", inputs),
    ("%include", f"{config.memscope_source}/include"),
    ("%lib", f"{build}/lib"),
    ("%major", major),
    ("%readobj", shutil.which("llvm-readobj-19") or "llvm-readobj-" + major),
    ("%readelf", "readelf"),
    ("%not", f"python3 {inputs}/not.py"),
]
config.available_features.add("clang-" + major)
for n in range(14, int(major) + 1):
    config.available_features.add(f"clang-at-least-{n}")
for other in (14, 16, 19, 22):
    if str(other) != major and shutil.which(f"clang-{other}"):
        config.available_features.add("another-clang")
        config.substitutions.append(("%another-clang", f"clang-{other}"))
        break
# Debian has the sanitizers' own runtime in a package of each version.
if glob.glob(f"/usr/lib/llvm-{major}/lib/clang/*/lib/*/libclang_rt.asan*.a"):
    config.available_features.add("sanitizers")
if shutil.which("ld.lld-" + major):
    config.available_features.add("lld")
