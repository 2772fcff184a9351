/* SPDX-License-Identifier: MIT
 *
 * Lanes by a key, the smallest on top; among equals the lane with the lower
 * time, then the lower index, so that every reading of a stream is the same.
 */
#include "reader/merge.h"

static bool before(const struct run *a, const struct run *b) {
  if (a->key != b->key) return a->key < b->key;
  if (a->lo != b->lo) return a->lo < b->lo;
  return a->index < b->index;
}

static void place_at(struct heap *heap, uint32_t at, struct run *run) {
  heap->runs[at] = run;
  run->heap_at = at;
}

static void rise(struct heap *heap, uint32_t at, struct run *run) {
  for (; at && before(run, heap->runs[(at - 1) / 2]); at = (at - 1) / 2)
    place_at(heap, at, heap->runs[(at - 1) / 2]);
  place_at(heap, at, run);
}

static void sink(struct heap *heap, uint32_t at, struct run *run) {
  for (uint32_t child; (child = 2 * at + 1) < heap->count; at = child) {
    if (child + 1 < heap->count && before(heap->runs[child + 1], heap->runs[child])) child++;
    if (!before(heap->runs[child], run)) break;
    place_at(heap, at, heap->runs[child]);
  }
  place_at(heap, at, run);
}

void ms_heap_add(struct heap *heap, struct run *run, uint64_t key) {
  run->key = key;
  rise(heap, heap->count++, run);
}

void ms_heap_remove(struct heap *heap, struct run *run) {
  uint32_t at = run->heap_at;
  struct run *last = heap->runs[--heap->count];
  if (last == run) return;
  if (at && before(last, heap->runs[(at - 1) / 2]))
    rise(heap, at, last);
  else
    sink(heap, at, last);
}
