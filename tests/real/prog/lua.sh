# SPDX-License-Identifier: MIT
# Lua 5.4: one compiler call per file. The hash seed is fixed through Lua's own
# hook, so that two runs allocate alike.
# LUA_SHARED=1 puts the interpreter's core into a shared library.
LUA_FLAGS=(-std=gnu99 -DLUA_COMPAT_5_3 -DLUA_USE_LINUX "-Dluai_makeseed(L)=42u")

prog_build() {
  local tree=$1 out=$2 pic=()
  cp -r "$tree/src" "$out/src"
  rm "$out/src/luac.c"
  [ -n "${LUA_SHARED-}" ] && pic=(-fPIC)
  (cd "$out" && printf '%s\n' src/*.c | xargs -P "$MS_JOBS" -I{} bash -c \
    "$CC $CFLAGS \"\$@\" -c {} -o \$(basename {} .c).o" _ "${LUA_FLAGS[@]}" "${pic[@]}") || return 1
  cd "$out"
  if [ -n "${LUA_SHARED-}" ]; then
    $CC $CFLAGS -shared -o liblua.so $(ls *.o | grep -vx lua.o) $LDFLAGS -lm -ldl &&
      $CC $CFLAGS -o lua lua.o -L. -llua "-Wl,-rpath,$out" $LDFLAGS -lm -ldl
  else
    $CC $CFLAGS -o lua *.o -Wl,-E $LDFLAGS -lm -ldl
  fi
}

prog_binary() { echo lua; }
prog_drive() { (cd "$1" && $RUN ./lua "$REAL/drive/lua.lua" "${LUA_SCALE:-3}" </dev/null); }
