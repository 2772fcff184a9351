#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh FUZZER SAMPLES: runs the fuzzer for MEMSCOPE_FUZZ_SECONDS (60) from the
# sample streams on. What it finds stays in the current folder as crash-*.
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$2" "$corpus"
"$1" -max_total_time="${MEMSCOPE_FUZZ_SECONDS:-60}" -max_len=65536 -timeout=20 -print_final_stats=1 -verbosity=0 "$corpus"
