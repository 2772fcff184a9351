# SPDX-License-Identifier: MIT
# SQLite 3.40: the amalgamation and its shell, made once by SQLite's own
# makefile, then compiled in one call.
prog_prepare() {
  command -v tclsh >/dev/null || { echo "no tclsh: install tcl"; return 1; }
  mkdir -p "$1/bld" && cd "$1/bld" && ../configure --disable-tcl --disable-readline && make -s sqlite3.c shell.c
}

prog_build() {
  local tree=$1 out=$2
  cp "$tree"/bld/{sqlite3.c,sqlite3.h,shell.c} "$out/"
  cd "$out" &&
    $CC $CFLAGS -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE -DSQLITE_THREADSAFE=1 -I. -c sqlite3.c -o sqlite3.o &&
    $CC $CFLAGS -DSQLITE_ENABLE_FTS5 -I. -c shell.c -o shell.o &&
    $CC $CFLAGS -o sqlite3 shell.o sqlite3.o $LDFLAGS -lm -lpthread -ldl
}

prog_binary() { echo sqlite3; }
prog_drive() { (cd "$1" && HOME=/nonexistent $RUN ./sqlite3 -batch :memory: <"$REAL/drive/sqlite.sql"); }
