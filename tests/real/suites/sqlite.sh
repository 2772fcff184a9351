# SPDX-License-Identifier: MIT
# SQLite's own tests in Tcl, which drive it from a shell it is compiled into, and
# its speedtest1 with the hash of all it read.
TCL_CONFIG=/usr/lib/tcl8.6
QUICK="select1 insert update delete trigger1 trans savepoint"
ALL="$QUICK select2 select3 select4 select5 select6 select7 select8 select9 selectA insert2 insert3 insert4 insert5
  update2 delete2 delete3 trigger2 trigger3 trigger4 trans2 trans3 savepoint2 savepoint4 join join2 join3 index index2
  index3 where where2 where3 func expr collate1 collate2 view vacuum vtab1 attach attach2 blob incrblob alter alter2
  autoinc between cast check conflict date distinct fkey1 fkey2 in like limit minmax null pragma rollback schema sort
  subquery table tableapi temptable types union upsert1 window1 with1 without_rowid1 wal malloc mallocA mallocB
  memsubsys1 ioerr thread001 thread002 json101 fts3aa fts3ab rtree1"

suite_missing() { [ -f $TCL_CONFIG/tclConfig.sh ] || echo tcl8.6-dev; }

prog_build() {
  local tree=$1 out=$2
  cd "$out" &&
    "$tree/configure" --with-tcl=$TCL_CONFIG --disable-readline CC="$CC" CFLAGS="$CFLAGS -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_FTS3" \
      LDFLAGS="$LDFLAGS" && make -s -j"$MS_JOBS" testfixture speedtest1
}

# The n-th allocation fails, for every n there is: how many, the length of the folder's name
# and the addresses of the run decide.
allocations_alike() {
  sed -E 's/^(malloc[A-Z]?: .*(transient|persistent))\.[0-9]+\.\.\. Ok$/\1... Ok/; s/^(malloc[A-Z]?: .*errors out of) [0-9]+ tests$/\1 all tests/' | uniq
}

# A test's line ends in "... Ok", or begins with "!" (some fail for root, to whom nothing
# is read-only); the memory used, times and the dots of threads before a test's name differ
# between two runs.
suite_run() {
  local folder=$1 name names=$QUICK
  [ "$2" = all ] && names=$ALL
  for name in $names; do
    [ -f "$MS_CACHE/tree/sqlite/test/$name.test" ] || continue
    "$folder/testfixture" "$MS_CACHE/tree/sqlite/test/$name.test" >out 2>&1
    grep -qE 'errors out of|do not work when run as root' out || { echo "$name.test came to no end" >&2; return 1; }
    grep -E '\.\.\. Ok$|errors out of|^!|^SQLite|Failures on' out | sed "s/^\.*/$name: /; s/^\(.*errors out of [0-9]* tests\).*/\1/" | allocations_alike
  done
  "$folder/speedtest1" --verify --size 10 :memory: >out || return 1
  sed -E 's/[0-9]+\.[0-9]+s//' out
}

suite_count() { echo "$(grep -c 'Ok$' "$1") tests"; }
