/* SPDX-License-Identifier: MIT
 *
 * A merge's events made ahead by a thread of its own: they, and the model made of them,
 * are the same. Also built with ThreadSanitizer, which sees what the two threads share.
 */
#define _GNU_SOURCE /* cpu_set_t */
#include "test.h"

#include "base/arena.h"
#include "model/model.h"
#include "reader/reader.h"
#include "world.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { MS = 1000000, SITES = 60 };

/* ---- the machine, as the test has it: two processors, and so much to do ---- */

static double machine_load;
static int threads_made;

int __wrap_getloadavg(double *loads, int count);
int __wrap_getloadavg(double *loads, int count) {
  for (int i = 0; i < count; i++) loads[i] = machine_load;
  return count;
}

int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *cpus);
int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *cpus) {
  (void)pid;
  CPU_ZERO_S(bytes, cpus);
  CPU_SET_S(0, bytes, cpus);
  CPU_SET_S(1, bytes, cpus);
  return 0;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *context) {
  threads_made++;
  return __real_pthread_create(thread, how, run, context);
}

/* ---- a stream of a storm, whose blocks have names ---- */

static struct world world;

static int storm_make(void **state) {
  static struct unit unit;
  static struct names names;
  world_init(&world, 4, 16, 1 * MS, 200, 7);
  unit_init(&unit);
  for (uint32_t i = 1; i <= SITES; i++) unit_site(&unit, i % 2 ? "odd" : "even", 0, "a.c", i, "f", MS_SITE_INIT, 0);
  names_init(&names, SITES);
  world.sites = SITES;
  world_storm(&world, 64, 7, 20, 200000);
  book_module(&world.book, 1, "/bin/p", 0x400000, 0x500000, 1, &unit);
  book_names(&world.book, &names);
  world_close(&world);
  *state = &world.book;
  return 0;
}

static int storm_free(void **state) {
  book_free(*state);
  return 0;
}

static struct ms_stream *storm_open(struct ms_arena *arena) {
  struct ms_error error = {0};
  struct ms_stream *stream = ms_stream_open_memory(arena, world.book.bytes, world.book.size, &error);
  assert_non_null(stream);
  assert_int_equal(stream->problem_count, 0);
  return stream;
}

/* ---- events ---- */

static void event_same(const struct ms_event *a, const struct ms_event *b) {
  assert_int_equal(a->kind, b->kind);
  assert_int_equal(a->lane, b->lane);
  assert_int_equal(a->block, b->block);
  assert_int_equal(a->ns, b->ns);
  assert_int_equal(a->address, b->address);
  assert_int_equal(a->offset, b->offset);
}

/* All of a stream's, and how many. */
static struct ms_event *events_all(struct ms_stream *stream, uint64_t *count) {
  enum { ROOM = 250000 };
  struct ms_event *events = ms_arena_array(stream->arena, ROOM, sizeof *events);
  struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_AUTO);
  *count = 0;
  for (uint32_t got; (got = ms_merge_next(merge, events + *count, 64));) assert_true((*count += got) + 64 < ROOM);
  ms_merge_close(merge);
  return events;
}

/* A feed's first `most` are those; how many came. */
static uint64_t feed_compare(struct ms_stream *stream, enum ms_feed_how how, const struct ms_event *expected, uint64_t most) {
  struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_AUTO);
  struct ms_feed *feed = ms_feed_open(stream, merge, how);
  const struct ms_event *events;
  uint64_t taken = 0;
  for (uint32_t count; taken < most && (count = ms_feed_next(feed, &events)); taken += count)
    for (uint32_t i = 0; i < count; i++) event_same(&events[i], &expected[taken + i]);
  ms_feed_close(feed);
  ms_merge_close(merge);
  return taken;
}

/* Also when it is closed before its end, with its thread at work or asleep. */
static void test_events(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct ms_stream *stream = storm_open(arena);
  uint64_t count;
  const struct ms_event *all = events_all(stream, &count);
  assert_in_range(count, 160000, 200000);
  for (int how = MS_FEED_AUTO; how <= MS_FEED_AHEAD; how++) assert_int_equal(feed_compare(stream, how, all, UINT64_MAX), count);
  for (uint64_t most = 0; most < count; most += 19999) assert_in_range(feed_compare(stream, MS_FEED_AHEAD, all, most), most, count);
  ms_stream_close(stream);
  ms_arena_free(arena);
}

/* ---- the model: it asks the stream for names while the merge goes on ---- */

static const struct ms_model *model_under(struct ms_arena *arena, struct ms_stream *stream, double load) {
  struct ms_error error = {0};
  machine_load = load;
  threads_made = 0;
  const struct ms_model *model = ms_model_build(arena, stream, &error);
  assert_non_null(model);
  return model;
}

static void sites_same(const struct ms_model *a, const struct ms_model *b) {
  assert_int_equal(a->site_count, b->site_count);
  for (uint32_t i = 0; i < a->site_count; i++) {
    assert_string_equal(a->sites[i].holder, b->sites[i].holder);
    assert_int_equal(a->sites[i].allocations, b->sites[i].allocations);
    assert_int_equal(a->sites[i].frees, b->sites[i].frees);
    assert_int_equal(a->sites[i].peak_bytes, b->sites[i].peak_bytes);
    assert_int_equal(a->sites[i].bytes_at_peak, b->sites[i].bytes_at_peak);
  }
}

static void test_model(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct ms_stream *one = storm_open(arena), *other = storm_open(arena);
  const struct ms_model *alone = model_under(arena, one, 2.0);
  assert_int_equal(threads_made, 0);
  const struct ms_model *ahead = model_under(arena, other, 0.0);
  assert_int_equal(threads_made, 1);
  assert_memory_equal(&alone->totals, &ahead->totals, sizeof alone->totals);
  assert_in_range(alone->site_count, SITES, SITES + 1); /* reallocations have none */
  sites_same(alone, ahead);
  ms_stream_close(one);
  ms_stream_close(other);
  ms_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_events),
      cmocka_unit_test(test_model),
  };
  return cmocka_run_group_tests(tests, storm_make, storm_free);
}
