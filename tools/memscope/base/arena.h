/* SPDX-License-Identifier: MIT
 *
 * All memory of one command: given out in pieces, given back whole. A request
 * that cannot be met ends the process through the arena's one exit, so nobody
 * else checks for NULL. Not for several threads.
 */
#ifndef MS_BASE_ARENA_H
#define MS_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct ms_arena;

struct ms_arena *ms_arena_new(void);
void ms_arena_free(struct ms_arena *arena);

/* Zeroed, aligned to 16. */
void *ms_arena_get(struct ms_arena *arena, size_t bytes);
void *ms_arena_array(struct ms_arena *arena, size_t count, size_t bytes);

/* A copy with a NUL behind it. */
char *ms_arena_text(struct ms_arena *arena, const char *text, size_t bytes);
char *ms_arena_print(struct ms_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A block that may grow: contents are moved, what is new is zero. Old space
 * stays in the arena unless it was large (then it is given back at once). */
void *ms_arena_grow(struct ms_arena *arena, void *old, size_t old_bytes, size_t new_bytes);

/* For tables that move: large space of exactly that size goes back, small stays. */
void ms_arena_give_back(struct ms_arena *arena, void *old, size_t old_bytes);

/* Bytes held from the system. */
size_t ms_arena_bytes(const struct ms_arena *arena);

#endif
