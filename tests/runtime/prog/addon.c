/* SPDX-License-Identifier: MIT
 *
 * A library for dl.c, with a unit made by hand: its constructor allocates
 * before dlopen returns.
 */
#include "unit.h"

#include <stdlib.h>

UNIT(addon_unit, SITE("early : constructor") SITE("block : addon"), "addon.c")

static void *early;

__attribute__((constructor)) static void addon_begin(void) {
  UNIT_LOADED(addon_unit);
  early = BIND(addon_unit, malloc(31), 0);
}

__attribute__((destructor)) static void addon_end(void) { free(early); }

void *addon(int n) { return BIND(addon_unit, malloc(1000 + (size_t)n), 1); }
