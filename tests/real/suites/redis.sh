# SPDX-License-Identifier: MIT
# redis' own tests in Tcl, against servers of several processes (snapshots and
# rewritten logs are written by forked children), with the C library's malloc. Left out: what
# waits for minutes (replication, failover, eviction, buffers), and unit/other, which wants the
# environment behind argv in one piece for a long title of its process.
QUICK="unit/type/incr unit/auth unit/bitfield"
ALL="$QUICK unit/printver unit/dump unit/keyspace unit/scan unit/type/hash unit/type/string unit/type/list unit/type/list-2 unit/type/list-3
  unit/type/set unit/type/zset unit/type/stream unit/sort unit/expire unit/multi unit/scripting unit/functions unit/pubsub
  unit/bitops unit/geo unit/hyperloglog unit/acl unit/aofrw unit/lazyfree unit/quit unit/protocol unit/slowlog
  integration/aof integration/rdb integration/replication-2
  unit/info unit/info-command unit/acl-v2 unit/limits unit/type/stream-cgroups unit/introspection unit/introspection-2 unit/tracking
  unit/networking unit/pubsubshard unit/cluster unit/cluster-scripting unit/cluster/misc unit/cluster/links unit/querybuf
  unit/replybufsize unit/memefficiency unit/wait unit/pause unit/oom-score-adj unit/shutdown integration/aof-multi-part
  integration/convert-zipmap-hash-on-load integration/convert-ziplist-hash-on-load integration/convert-ziplist-zset-on-load
  integration/logging integration/redis-cli integration/redis-benchmark integration/dismiss-mem integration/corrupt-dump"

suite_missing() { command -v tclsh8.6 >/dev/null || echo tcl8.6; }

prog_build() {
  local tree=$1 out=$2
  cp -r "$tree/." "$out" &&
    make -C "$out/src" -j"$MS_JOBS" MALLOC=libc CC="$CC" OPTIMIZATION="" REDIS_CFLAGS="$CFLAGS" REDIS_LDFLAGS="$LDFLAGS" \
      BUILD_TLS=no USE_SYSTEMD=no redis-server redis-cli redis-benchmark redis-sentinel redis-check-aof redis-check-rdb
}

# A test's line is "[ok]: what it is (times)". Tests run one behind the other, on ports that
# the other build's leave alone; a node of a cluster takes one more, 10,000 above.
suite_run() {
  local folder=$1 unit units=$QUICK options=(--baseport 21111 --portcount 4000)
  case $folder in *.plain) options=(--baseport 26111 --portcount 4000) ;; esac
  [ "$2" = all ] && units=$ALL
  for unit in $units; do options+=(--single "$unit"); done
  (cd "$folder" && ./runtest "${options[@]}" --clients 1 --durable --tags "-needs:debug-reload -slow") >out 2>&1
  local rc=$?
  sed 's/\x1b\[[0-9;]*m//g' out | grep -E '^\[(ok|err|exception|ignore|skip)\]' | sed -E 's/ \([0-9]+ ms\)//'
  [ $rc = 0 ] || tail -n 30 out >&2
  return $rc
}

suite_count() { echo "$(grep -c '^\[ok\]' "$1") tests"; }
