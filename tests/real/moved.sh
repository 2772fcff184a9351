# SPDX-License-Identifier: MIT
# Sourced by `real moved`: a stream needs nothing but itself. Its summaries and
# its report must be byte-identical when the program, its libraries' build and
# its sources are gone and the stream lies elsewhere. Source excerpts, which a
# report shows when the file is readable, are left out of the comparison by
# hiding the sources already for the first report.

# moved DIR STREAM
moved() {
  local dir=$1 stream=$2 away=$1.away work=$MS_WORK/${1##*/}.moved
  work=$MS_WORK/$name/moved
  rm -rf "$work" && mkdir -p "$work/there" "$work/else/where"
  cp "$stream" "$work/there/run.memscope"
  ( cd / && describe "$work/there/run.memscope" "$work/before" ) || return 1
  trap 'rm -rf "$dir" && mv "$away" "$dir"' EXIT
  mv "$dir" "$away" || return 1
  mv "$work/there/run.memscope" "$work/else/where/run.memscope" && rmdir "$work/there"
  ( cd "$work" && describe "else/where/run.memscope" "$work/after" ) || return 1
  local kind
  for kind in txt json; do compare "$work/before.$kind" "$work/after.$kind"; done
  excerpts_only "$work/before.html" "$work/after.html" || die "the report differs in more than source excerpts"
  echo "summary, summary --json and report ($(stat -c %s "$work/after.html") bytes) are the same without sources and binaries"
}

describe() { # STREAM OUT
  "$MEMSCOPE" summary "$1" >"$2.txt" && "$MEMSCOPE" summary --json "$1" >"$2.json" && "$MEMSCOPE" report "$1" -o "$2.html" >"$2.log" 2>&1
}
