# SPDX-License-Identifier: MIT
# Lua's own tests, those for its users, and with PART all the C libraries that
# attrib.lua loads and unloads, compiled as the interpreter is. The interpreter
# starts itself over and over in main.lua.
SUITE_SOURCES=lua-tests
suite_missing() { [ -f /usr/include/readline/readline.h ] || echo libreadline-dev; }

prog_build() {
  local tree=$1 out=$2
  cp -r "$tree/src" "$out/src" && cp -r "$(source_tree lua-tests)" "$out/tests" || return 1
  # Takes it that a shell is quicker than the script it has just started.
  sed -i '/^print(.testing Ctrl C.)/,/^end$/d' "$out/tests/main.lua"
  make -C "$out/src" -j"$MS_JOBS" CC="$CC -std=gnu99" MYCFLAGS="$CFLAGS" CFLAGS="$CFLAGS -DLUA_COMPAT_5_3 -DLUA_USE_LINUX -DLUA_USE_READLINE" \
    MYLIBS="-Wl,-E -ldl -lreadline" MYLDFLAGS="$LDFLAGS" lua &&
    make -C "$out/tests/libs" CC="$CC" LUA_DIR="$out/src"
}

# Which files were run and what each says it tests; numbers are times, memory and random choices.
suite_run() {
  local options=(-e "_soft=true _port=true _nomsg=true") rc
  [ "$2" = all ] && options=()
  cp -r "$1/tests" tests && cd tests || return 1
  true | "$1/src/lua" "${options[@]}" all.lua >out 2>&1 # a pipe: it cannot seek
  rc=${PIPESTATUS[1]}
  grep -E "FILE '|^testing|^OK$|^final OK" out | sed -E 's/[0-9]+/N/g'
  [ "$rc" = 0 ] && grep -q '^final OK' out || { tail -n 20 out >&2; return 1; }
}

suite_count() { echo "$(grep -c "FILE '" "$1") files"; }
