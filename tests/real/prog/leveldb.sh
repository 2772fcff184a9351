# SPDX-License-Identifier: MIT
# leveldb 1.23 (C++): the library and its benchmark, which fills, reads and
# compacts a database in a scratch folder.
prog_build() {
  local tree=$1 out=$2
  cmake -S "$tree" -B "$out" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_CXX_FLAGS="$CXXFLAGS" -DCMAKE_EXE_LINKER_FLAGS="$LDFLAGS" \
    -DLEVELDB_BUILD_TESTS=OFF -DLEVELDB_BUILD_BENCHMARKS=OFF -DHAVE_SNAPPY=0 -DHAVE_TCMALLOC=0 -DHAVE_CRC32C=0 &&
    ninja -C "$out" -j"$MS_JOBS" leveldb leveldbutil &&
    $CXX $CXXFLAGS -std=c++11 -I"$tree/include" "$REAL/drive/leveldb.cc" -o "$out/drive" "$out/libleveldb.a" $LDFLAGS -lpthread
}

prog_binary() { echo drive; }
prog_drive() {
  local run rc
  run=$(mktemp -d "${TMPDIR:-/tmp}/leveldb.XXXXXX")
  (cd "$1" && $RUN ./drive "$run/db")
  rc=$?
  rm -rf "$run"
  return $rc
}
