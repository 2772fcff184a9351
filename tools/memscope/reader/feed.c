/* SPDX-License-Identifier: MIT
 *
 * A merge's events in batches. Merging and replaying take about as long as one
 * another, and neither needs what the other has: with a processor to spare they run
 * beside each other, the merge at most a ring of batches ahead. Who has to wait sleeps
 * until half the ring is his, so that he is woken once for many batches.
 *
 * What the merge's thread touches is the merge's own: its runs, its cells, its arena;
 * of the stream the rows, which nobody changes, and its problems, which nobody else
 * looks at until the feed is closed. So the events are the same with and without it.
 */
#define _GNU_SOURCE /* sched_getaffinity, getloadavg */
#include "reader/reader.h"

#include "base/arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { BATCH = 256, RING = 32, HALF = RING / 2 };

/* Below that a thread's start and the first batches' wait are most of what it saves. */
static const uint64_t PAYS_BYTES = 4 << 20;

struct batch {
  uint32_t count;
  uint64_t row_bytes; /* behind it */
};

struct ms_feed {
  struct ms_merge *merge;
  struct ms_event *events; /* RING batches, or one */
  struct batch batches[RING];
  struct ms_feed_done done;
  bool ahead;
  pthread_t thread;
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t made_more, taken_more;
  uint64_t made, taken; /* batches; the one that is being read is not taken yet */
  bool reading, ended, stopped;
};

/* Handing events over costs a few percent: not where others would wait for the processor. */
static bool pays(const struct ms_stream *stream) {
  cpu_set_t cpus;
  double load;
  return ms_stream_bytes(stream) >= PAYS_BYTES && sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 1 &&
         getloadavg(&load, 1) == 1 && load < CPU_COUNT(&cpus) - 0.5;
}

/* Waits until there is room for a batch; false: nobody wants more. */
static bool room_await(struct ms_feed *feed) {
  pthread_mutex_lock(&feed->lock);
  if (feed->made - feed->taken == RING)
    while (feed->made - feed->taken > HALF && !feed->stopped) pthread_cond_wait(&feed->taken_more, &feed->lock);
  bool wanted = !feed->stopped;
  pthread_mutex_unlock(&feed->lock);
  return wanted;
}

static void batch_give(struct ms_feed *feed, bool ended) {
  pthread_mutex_lock(&feed->lock);
  feed->made++;
  feed->ended = ended;
  if (ended || feed->made - feed->taken >= HALF) pthread_cond_signal(&feed->made_more);
  pthread_mutex_unlock(&feed->lock);
}

/* The at-th batch of the ring; false: there are no more events. */
static bool batch_make(struct ms_feed *feed, uint32_t at) {
  uint32_t count = ms_merge_next(feed->merge, feed->events + (size_t)at * BATCH, BATCH);
  feed->batches[at] = (struct batch){count, ms_merge_counts(feed->merge)->row_bytes};
  return count;
}

static void *make(void *context) {
  struct ms_feed *feed = context;
  bool more = true;
  for (uint32_t at = 0; more && room_await(feed); at = (at + 1) % RING) {
    more = batch_make(feed, at);
    batch_give(feed, !more);
  }
  return NULL;
}

static bool thread_start(struct ms_feed *feed) {
  pthread_mutex_init(&feed->lock, NULL);
  pthread_cond_init(&feed->made_more, NULL);
  pthread_cond_init(&feed->taken_more, NULL);
  return pthread_create(&feed->thread, NULL, make, feed) == 0;
}

static uint64_t rows_bytes(const struct ms_stream *stream) {
  uint64_t words = 0;
  for (uint32_t i = 0; i < stream->lane_count; i++)
    for (uint32_t j = 0; j < stream->lanes[i].piece_count; j++) words += stream->lanes[i].pieces[j].words;
  return words * sizeof(uint64_t);
}

struct ms_feed *ms_feed_open(struct ms_stream *stream, struct ms_merge *merge, enum ms_feed_how how) {
  struct ms_feed *feed = ms_arena_get(stream->arena, sizeof *feed);
  bool ahead = how == MS_FEED_AHEAD || (how == MS_FEED_AUTO && pays(stream));
  feed->merge = merge;
  feed->done.all = rows_bytes(stream);
  feed->events = ms_arena_array(stream->arena, (size_t)BATCH * (ahead ? RING : 1), sizeof *feed->events);
  feed->ahead = ahead && thread_start(feed);
  return feed;
}

/* Index in the ring of the next batch, which is there. */
static uint32_t batch_await(struct ms_feed *feed) {
  pthread_mutex_lock(&feed->lock);
  feed->taken += feed->reading;
  feed->reading = true;
  if (feed->made - feed->taken <= HALF) pthread_cond_signal(&feed->taken_more);
  if (feed->made == feed->taken)
    while (feed->made - feed->taken < HALF && !feed->ended) pthread_cond_wait(&feed->made_more, &feed->lock);
  uint32_t at = (uint32_t)(feed->taken % RING);
  pthread_mutex_unlock(&feed->lock);
  return at;
}

uint32_t ms_feed_next(struct ms_feed *feed, const struct ms_event **events) {
  uint32_t at = feed->ahead ? batch_await(feed) : 0;
  if (!feed->ahead) batch_make(feed, at);
  *events = feed->events + (size_t)at * BATCH;
  feed->done.done = feed->batches[at].row_bytes;
  return feed->batches[at].count;
}

struct ms_feed_done ms_feed_done(const struct ms_feed *feed) { return feed->done; }

void ms_feed_close(struct ms_feed *feed) {
  if (!feed->ahead) return;
  pthread_mutex_lock(&feed->lock);
  feed->stopped = true;
  pthread_cond_signal(&feed->taken_more);
  pthread_mutex_unlock(&feed->lock);
  pthread_join(feed->thread, NULL);
  feed->ahead = false;
}
