# SPDX-License-Identifier: MIT
# Shared by the scripts of tests/real and bench: where things are, how to skip,
# how to fetch and build a program. Sourced by bash; writes only below $MS_CACHE
# (archives, unpacked sources) and $MS_WORK (builds, runs, records).
#
#   MS_BUILD  build tree of MemScope (bin/, lib/)     default: <source>/build
#   MS_CACHE  downloaded archives and their trees     default: $MS_BUILD/cache
#   MS_WORK   everything else                         default: $MS_BUILD/real
#   CC CXX CFLAGS CXXFLAGS LDFLAGS   toolchain of prog_build; RUN: words before a program
set -u
REAL=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MS_BUILD=$(realpath -m "${MS_BUILD:-$REAL/../../build}")
MS_CACHE=$(realpath -m "${MS_CACHE:-$MS_BUILD/cache}")
MS_WORK=$(realpath -m "${MS_WORK:-$MS_BUILD/real}")
MEMSCOPE=$MS_BUILD/bin/memscope
MS_CC=$MS_BUILD/bin/memscope-cc
MS_CXX=$MS_BUILD/bin/memscope-c++
MS_JOBS=${MS_JOBS:-2}
export LC_ALL=C MS_BUILD MS_CACHE MS_WORK

say() { echo "$*" >&2; }
die() { say "FAIL: $*"; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }
need_tool() { [ -x "$MEMSCOPE" ] || skip "no $MEMSCOPE: the tool is not built"; }
need_cc() { need_tool; [ -x "$MS_CC" ] || skip "no $MS_CC: the compiler wrapper is not built"; }

# source_row NAME -> package archive sha256 of sources.tsv
source_row() { awk -F'\t' -v n="$1" '$1 == n { print $2, $3, $4 }' "$REAL/sources.tsv"; }

# source_tree NAME: unpacks and prepares the program once; prints the folder.
# Fetches when the archive is not there; exits 77 when it cannot be had.
source_tree() {
  local name=$1 tree=$MS_CACHE/tree/$1 package archive sum
  read -r package archive sum <<<"$(source_row "$name")"
  [ -n "$package" ] || die "sources.tsv has no $name"
  if [ ! -f "$tree/.ready" ]; then
    (
      flock 9
      [ -f "$tree/.ready" ] && exit 0
      "$REAL/fetch" "$MS_CACHE" "$name" >&2 || exit $?
      rm -rf "$tree" && mkdir -p "$tree" && tar xf "$MS_CACHE/$archive" -C "$tree" --strip-components=1 || exit 1
      prog_prepare "$tree" >"$MS_CACHE/$name.prepare.log" 2>&1 ||
        { tail -5 "$MS_CACHE/$name.prepare.log" >&2; exit 1; }
      touch "$tree/.ready"
    ) 9>"$MS_CACHE/.$name.lock" || return $?
  fi
  echo "$tree"
}

# prog_load NAME: the program's functions prog_prepare, prog_build, prog_drive
prog_load() {
  local file=$REAL/prog/$1.sh
  [ -f "$file" ] || die "no program $1"
  mkdir -p "$MS_CACHE" "$MS_WORK"
  prog_prepare() { :; }
  . "$file"
}

# prog_make NAME VARIANT: builds into $MS_WORK/NAME/VARIANT unless it is there
# for the same tools; prints the folder. Toolchain from CC, CFLAGS, ... Who else
# wants the same one meanwhile waits.
prog_make() {
  mkdir -p "$MS_WORK/$1"
  ( flock 8; prog_make_alone "$@" ) 8>"$MS_WORK/$1/.$2.lock"
}

prog_make_alone() {
  local name=$1 out=$MS_WORK/$1/$2 tree key rc
  tree=$(source_tree "$name") || { rc=$?; [ $rc = 77 ] && exit 77; die "no source of $name"; }
  key="${MEMSCOPE_CLANG-} ${CC-} ${CXX-} ${CFLAGS-} ${CXXFLAGS-} ${LDFLAGS-} $(toolchain_stamp)"
  if [ "$(cat "$out/.key" 2>/dev/null)" != "$key" ]; then
    rm -rf "$out" && mkdir -p "$out"
    ( prog_build "$tree" "$out" ) >"$out.log" 2>&1 || { tail -20 "$out.log" >&2; die "$name ($2) does not build; see $out.log"; }
    echo "$key" >"$out/.key"
  fi
  echo "$out"
}

# Changes whenever the plugin, the runtime or the wrapper was built anew.
toolchain_stamp() {
  case "${CC-}${CXX-}" in *memscope*) ;; *) return ;; esac
  cat "$MS_BUILD"/lib/memscope*.so "$MS_BUILD"/lib/memscope/*.so "$MS_BUILD"/lib/libmemscope.* "$MS_CC" 2>/dev/null | sha256sum | cut -c1-16
}

use_plain() { CC=${PLAIN_CC:-clang-19} CXX=${PLAIN_CXX:-clang++-19} CFLAGS="-O2 -g" CXXFLAGS="-O2 -g" LDFLAGS=""; }
use_memscope() { CC=$MS_CC CXX=$MS_CXX CFLAGS="-O2 -g" CXXFLAGS="-O2 -g" LDFLAGS=""; }

# compare A B: equal text, else the difference and failure
compare() { cmp -s "$1" "$2" || { diff "$1" "$2" | head -20 >&2; die "$1 and $2 differ"; }; }
