/* SPDX-License-Identifier: MIT
 *
 * Has time gone on? Asked before every event, so it must cost a load. The kernel
 * keeps the coarse clock in a page that every process can read, [vvar], and raises
 * it with each tick: where its nanoseconds lie is found by their value, which the
 * vDSO has just given us. Nothing is taken from that word but that it changes.
 *
 * Not found (another kernel's layout, a time namespace, no /proc): ms_tick points
 * to a word that stays, and threads look at the clock by the number of their rows.
 */
#include "runtime.h"

enum { TRIES = 4 };

const uint64_t ms_no_tick;
const volatile uint64_t *ms_tick = &ms_no_tick;

/* Where the page begins that the vDSO reads; NULL: there is none. */
static const volatile uint64_t *time_page(char *text) {
  size_t used = ms_os_read_file("/proc/self/maps", text, MS_OS_MAPS_ROOM);
  static const char name[] = " [vvar]\n";
  uintptr_t page = 0;
  for (size_t i = 0, line = 0; i + sizeof name - 1 <= used; i++) {
    if (text[i] == '\n') line = i + 1;
    else if (memcmp(text + i, name, sizeof name - 1) == 0) return ms_os_hex(text + line, &page), (const volatile uint64_t *)page;
  }
  return NULL;
}

/* The nanoseconds of the clock, behind its seconds. */
static const volatile uint64_t *clock_word(const volatile uint64_t *page, uint64_t now) {
  for (size_t i = 0; i + 1 < MS_OS_PAGE / sizeof *page; i++)
    if (page[i] == now / 1000000000u && page[i + 1] == now % 1000000000u) return &page[i + 1];
  return NULL;
}

void ms_tick_find(void) {
  char *text = ms_os_pages(MS_OS_MAPS_ROOM);
  const volatile uint64_t *page = text ? time_page(text) : NULL, *word = NULL;
  for (int i = 0; page && !word && i < TRIES; i++) word = clock_word(page, ms_os_now_coarse()); /* again: it ticked between */
  if (word) ms_tick = word;
  if (text) ms_os_unmap(text, MS_OS_MAPS_ROOM);
}
