# SPDX-License-Identifier: MIT
# Sourced by `real moved`: a stream needs nothing but itself. Summaries must be
# byte-identical when the program, its sources and its build are gone and the
# stream lies elsewhere; the report too, but for the source excerpts it shows
# while a file can still be read.

# From within the folder: the summary's last line repeats the name it was given.
moved_describe() { # FOLDER OUT
  cd "$1" || exit 1
  "$MEMSCOPE" summary run.memscope >"$2.txt" && "$MEMSCOPE" summary --json run.memscope >"$2.json" &&
    "$MEMSCOPE" report run.memscope -o "$2.html" >"$2.log" 2>&1 || die "summary or report fails: $(tail -1 "$2.log" 2>/dev/null)"
}

# moved DIR STREAM
moved() {
  local dir=$1 away=$1.away work=$MS_WORK/$name/moved kind
  rm -rf "$work" && mkdir -p "$work/there" "$work/else/where"
  cp "$2" "$work/there/run.memscope"
  moved_describe "$work/there" "$work/before"
  trap "rm -rf '$dir' && mv '$away' '$dir'" EXIT
  mv "$dir" "$away" || return 1
  moved_describe "$work/there" "$work/gone"
  mv "$work/there/run.memscope" "$work/else/where/run.memscope"
  moved_describe "$work/else/where" "$work/after"
  for kind in txt json; do compare "$work/before.$kind" "$work/after.$kind"; done
  cmp "$work/gone.html" "$work/after.html" || die "the report depends on where the stream lies"
  python3 "$REAL/page.py" same "$work/before.html" "$work/after.html" || die "the report needs sources or binaries"
  echo "summary, summary --json and report ($(stat -c %s "$work/after.html") bytes) stay the same"
}
