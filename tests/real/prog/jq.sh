# SPDX-License-Identifier: MIT
# jq 1.6 by its own makefile, without regular expressions (oniguruma is another
# package).
prog_prepare() { cd "$1" && autoreconf -fi; }

prog_build() {
  local tree=$1 out=$2
  cp -r "$tree" "$out/tree" && cd "$out/tree" &&
    ./configure --disable-maintainer-mode --disable-docs --disable-shared --without-oniguruma CC="$CC" CFLAGS="$CFLAGS" LDFLAGS="$LDFLAGS" &&
    make -j"$MS_JOBS" && cp jq "$out/jq"
}

prog_binary() { echo jq; }
