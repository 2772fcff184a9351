/* SPDX-License-Identifier: MIT
 *
 * Arena, map, text, and the merge's table of addresses.
 */
#include "test.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "reader/cell.h"
#include "reader/freed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_arena(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  for (size_t bytes = 0; bytes < 200000; bytes = bytes * 3 / 2 + 1) {
    unsigned char *got = ms_arena_get(arena, bytes);
    assert_int_equal((uintptr_t)got % 16, 0);
    for (size_t i = 0; i < bytes; i++) assert_int_equal(got[i], 0);
    memset(got, 0xee, bytes); /* must not be seen by the next */
  }
  size_t held = ms_arena_bytes(arena);
  uint32_t *table = NULL;
  for (size_t room = 0; room < 1 << 23;) {
    size_t more = room ? room * 2 : 16;
    table = ms_arena_grow(arena, table, room * sizeof *table, more * sizeof *table);
    for (size_t i = 0; i < room; i++) assert_int_equal(table[i], i);
    for (size_t i = room; i < more; i++) {
      assert_int_equal(table[i], 0);
      table[i] = (uint32_t)i;
    }
    room = more;
  }
  assert_true(ms_arena_bytes(arena) - held < (33 << 20)); /* the old large ones went back */
  assert_string_equal(ms_arena_print(arena, "%d-%s", 7, "x"), "7-x");
  assert_string_equal(ms_arena_text(arena, "abcdef", 3), "abc");
  ms_arena_free(arena);
}

static void test_map(void **state) {
  (void)state;
  enum { KEYS = 200000 };
  struct ms_arena *arena = ms_arena_new();
  struct ms_map map;
  ms_map_init(&map, arena);
  assert_int_equal(ms_map_find(&map, 5), 0);
  for (uint64_t i = 1; i <= KEYS; i++) {
    uint32_t *at = ms_map_at(&map, i << 32 | 7);
    assert_int_equal(*at, 0);
    *at = (uint32_t)i;
  }
  assert_int_equal(map.count, KEYS);
  for (uint64_t i = 1; i <= KEYS; i++) assert_int_equal(ms_map_find(&map, i << 32 | 7), i);
  for (uint64_t i = 1; i <= KEYS; i++) assert_int_equal(ms_map_find(&map, i << 32 | 8), 0);
  ms_arena_free(arena);
}

/* The live map against a plain array, through growth and reuse; of addresses without a
 * block their generation and lane too, if they are remembered. */
static void test_cells(void **state) {
  (void)state;
  enum { ADDRESSES = 1 << 18, ROUNDS = 2000000 };
  for (int remembers = 0; remembers < 2; remembers++) {
    struct ms_cells cells;
    struct ms_arena *arena = ms_arena_new();
    uint32_t *live = calloc(ADDRESSES, sizeof *live), *told = calloc(ADDRESSES, sizeof *told), grown = 0;
    assert_true(ms_cells_init(&cells, remembers ? ms_freed_new(arena) : NULL));
    uint64_t random = 1;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
      random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
      uint32_t index = (uint32_t)(random >> 40) % ADDRESSES;
      uint64_t addr8 = (UINT64_C(0x555500000000) + (uint64_t)index * 16 * (1 + index % 3)) >> 3;
      index = (uint32_t)((addr8 << 3) - UINT64_C(0x555500000000)) / 16 % ADDRESSES;
      addr8 = (UINT64_C(0x555500000000) + (uint64_t)index * 16) >> 3;
      grown += cells.count >= cells.most;
      assert_true(ms_cells_room(&cells));
      struct ms_cell *cell = ms_cell_at(&cells, addr8);
      uint32_t known = cell->key & MS_CELL_SEEN ? (cell->lane << 12 | (uint32_t)(cell->key >> 8 & 0xfff)) + 1 : 0;
      if (remembers || known) assert_int_equal(known, told[index]);
      assert_int_equal(cell->key >> 20, addr8);
      assert_int_equal(!!(cell->key & MS_CELL_LIVE), live[index] != 0);
      if (live[index]) assert_int_equal(cell->block, live[index]);
      cell->key ^= MS_CELL_LIVE;
      cell->key |= MS_CELL_SEEN;
      cell->block = live[index] = live[index] ? 0 : i;
      cell->key = (cell->key & ~UINT64_C(0xfff00)) | (uint64_t)(random & 0xfff) << 8;
      cell->lane = random >> 12 & 0xffff;
      told[index] = (uint32_t)(random & 0xfffffff) + 1;
    }
    assert_in_range(grown, 7, ROUNDS);
    for (uint32_t index = 0; index < ADDRESSES; index++) {
      struct ms_cell *cell = ms_cell_find(&cells, (UINT64_C(0x555500000000) + (uint64_t)index * 16) >> 3);
      assert_int_equal(cell && cell->key & MS_CELL_LIVE ? cell->block : 0, live[index]);
    }
    assert_true(cells.count <= cells.most);
    ms_cells_fini(&cells);
    ms_arena_free(arena);
    free(live);
    free(told);
  }
}

static void test_text_clean(void **state) {
  (void)state;
  static const struct {
    const char *bad, *good;
  } rows[] = {
      {"plain", "plain"},
      {"ä€𝄞", "ä€𝄞"},
      {"\xff", "\xef\xbf\xbd"},
      {"a\xc3", "a\xef\xbf\xbd"},
      {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
      {"\xed\xa0\x80z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},               /* surrogate */
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
      {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
  };
  struct ms_arena *arena = ms_arena_new();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(ms_text_clean(arena, rows[i].bad), rows[i].good);
  ms_arena_free(arena);
}

static const char *printed(const char *text, size_t columns, int keep_end, size_t *used) {
  static char buffer[256];
  memset(buffer, 0, sizeof buffer);
  FILE *out = fmemopen(buffer, sizeof buffer - 1, "w");
  *used = ms_text_print(out, text, columns, keep_end);
  fclose(out);
  return buffer;
}

static void test_text_print(void **state) {
  (void)state;
  size_t used;
  assert_string_equal(printed("abc", 3, 0, &used), "abc");
  assert_string_equal(printed("abcdef", 4, 0, &used), "abc…");
  assert_int_equal(used, 4);
  assert_string_equal(printed("abcdef", 4, 1, &used), "…def");
  assert_string_equal(printed("äöüß", 3, 0, &used), "äö…");
  assert_string_equal(printed("a\033[31mb\n\x7f", 20, 0, &used), "a?[31mb??");
  assert_string_equal(printed("a\xc2\x9b"
                              "b",
                              20, 0, &used),
                      "a?b"); /* CSI as one character */
  assert_string_equal(printed("abc", 0, 0, &used), "");
}

static void test_figures(void **state) {
  (void)state;
  char into[32];
  assert_string_equal(ms_format_bytes(into, 0), "0 B");
  assert_string_equal(ms_format_bytes(into, 1023), "1023 B");
  assert_string_equal(ms_format_bytes(into, 1024), "1.00 KiB");
  assert_string_equal(ms_format_bytes(into, 1536 * 1024), "1.50 MiB");
  assert_string_equal(ms_format_bytes(into, 1048575), "1.00 MiB");
  assert_string_equal(ms_format_bytes(into, UINT64_MAX), "16.0 EiB");
  assert_string_equal(ms_format_ns(into, 999), "999 ns");
  assert_string_equal(ms_format_ns(into, 1500), "1.50 us");
  assert_string_equal(ms_format_ns(into, 2310000000), "2.31 s");
  assert_string_equal(ms_format_ns(into, UINT64_C(600000000000)), "10.0 min");
  assert_string_equal(ms_format_count(into, 7), "7");
  assert_string_equal(ms_format_count(into, 1234567), "1,234,567");
  assert_string_equal(ms_format_count(into, UINT64_MAX), "18,446,744,073,709,551,615");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arena),      cmocka_unit_test(test_map),        cmocka_unit_test(test_cells),
      cmocka_unit_test(test_text_clean), cmocka_unit_test(test_text_print), cmocka_unit_test(test_figures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
