# SPDX-License-Identifier: MIT
# redis 7 by its own makefile with the C library's malloc; driven over a Unix
# socket by redis-benchmark and redis-cli of the plain build.
prog_build() {
  local tree=$1 out=$2
  cp -r "$tree" "$out/tree"
  make -C "$out/tree/src" -j"$MS_JOBS" MALLOC=libc CC="$CC" OPTIMIZATION="" REDIS_CFLAGS="$CFLAGS" REDIS_LDFLAGS="$LDFLAGS" \
    BUILD_TLS=no USE_SYSTEMD=no redis-server redis-cli redis-benchmark
}

prog_binary() { echo tree/src/redis-server; }

# REDIS_N requests of each kind. stdout: what the server holds at the end. REDIS_STEADY, the
# library steady.so: one client alone, nothing by the clock or by chance, so that each run allocates the same.
prog_drive() {
  local run client=$MS_WORK/redis/plain/tree/src rc
  run=$(mktemp -d "${TMPDIR:-/tmp}/redis.XXXXXX")
  (
    cd "$run" || exit 1
    LD_PRELOAD=${REDIS_STEADY-} $RUN "$1/tree/src/redis-server" --port 0 --unixsocket "$run/s" --save "" --appendonly no --daemonize no \
      --dir "$run" --logfile "$run/log" --hz 1 --enable-debug-command local ${REDIS_STEADY:+--activerehashing no} </dev/null >"$run/stdout" &
    server=$!
    cli() { timeout 60 "$client/redis-cli" -s "$run/s" "$@"; }
    trap 'kill $server 2>/dev/null' EXIT
    for _ in $(seq 200); do [ "$(cli ping 2>/dev/null)" = PONG ] && break; sleep 0.1; done
    [ "$(cli ping)" = PONG ] || { cat "$run/log" >&2; exit 1; }
    [ -n "${REDIS_STEADY-}" ] || timeout 300 "$client/redis-benchmark" -s "$run/s" -q -c 10 -n "${REDIS_N:-20000}" -t set,get,lpush,hset >"$run/bench" || exit 1
    cli <"$REAL/drive/redis.txt"
    cli --raw debug digest 2>/dev/null
    [ -n "${REDIS_STEADY-}" ] || cli info commandstats | tr -d '\r' | sed -nE 's/^cmdstat_([^:]*):calls=([0-9]+),.*failed_calls=([0-9]+)/\1 \2 \3/p' | grep -v ping | sort
    cli shutdown nosave
    for _ in $(seq 300); do kill -0 $server 2>/dev/null || break; sleep 0.1; done
    wait $server
    rc=$?
    trap - EXIT
    echo "server exit $rc"
    cat "$run/stdout"
  )
  rc=$?
  rm -rf "$run"
  return $rc
}
