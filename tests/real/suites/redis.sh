# SPDX-License-Identifier: MIT
# redis' own tests in Tcl, against servers of several processes (snapshots and
# rewritten logs are written by forked children), with the C library's malloc.
QUICK="unit/type/incr unit/auth unit/bitfield"
ALL="$QUICK unit/printver unit/dump unit/keyspace unit/scan unit/type/hash unit/type/string unit/type/list unit/type/list-2 unit/type/list-3
  unit/type/set unit/type/zset unit/type/stream unit/sort unit/expire unit/multi unit/scripting unit/functions unit/pubsub
  unit/bitops unit/geo unit/hyperloglog unit/acl unit/aofrw unit/lazyfree unit/quit unit/protocol unit/slowlog
  integration/aof integration/rdb integration/replication-2"

suite_missing() { command -v tclsh8.6 >/dev/null || echo tcl8.6; }

prog_build() {
  local tree=$1 out=$2
  cp -r "$tree/." "$out" &&
    make -C "$out/src" -j"$MS_JOBS" MALLOC=libc CC="$CC" OPTIMIZATION="" REDIS_CFLAGS="$CFLAGS" REDIS_LDFLAGS="$LDFLAGS" \
      BUILD_TLS=no USE_SYSTEMD=no redis-server redis-cli redis-benchmark redis-sentinel redis-check-aof redis-check-rdb
}

# A test's line is "[ok]: what it is (times)". Tests run one behind the other.
suite_run() {
  local folder=$1 unit units=$QUICK options=()
  [ "$2" = all ] && units=$ALL
  for unit in $units; do options+=(--single "$unit"); done
  (cd "$folder" && ./runtest "${options[@]}" --clients 1 --durable --tags "-needs:debug-reload -slow") >out 2>&1
  local rc=$?
  sed 's/\x1b\[[0-9;]*m//g' out | grep -E '^\[(ok|err|exception|ignore|skip)\]' | sed -E 's/ \([0-9]+ ms\)//'
  [ $rc = 0 ] || tail -n 30 out >&2
  return $rc
}

suite_count() { echo "$(grep -c '^\[ok\]' "$1") tests"; }
