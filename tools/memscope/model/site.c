/* SPDX-License-Identifier: MIT
 *
 * Names to sites: a thread's name stands for a chain of places, innermost (the
 * allocator's caller) first; here it is decided which of them holds the block.
 *
 *   1. the outermost place outside allocation wrappers; user code before
 *      system headers; none: the outermost of all (wrapper only)
 *   2. when that place only passes the block on (return, argument, *f(), f();)
 *      and an inner place outside wrappers is a variable or field: that one;
 *      but an argument before a local that did no more than hand the block up
 *   3. element type: the holder's own, else that of the nearest place in the
 *      chain outside wrappers (an allocator's own header says nothing)
 *
 * Exact: the outermost place holds it and has its own type; else derived.
 */
#include "model/build.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

enum { CHAIN_MOST = 64 };

struct chain {
  uint32_t places[CHAIN_MOST]; /* outermost first while it is followed */
  uint32_t count;
  uint32_t caller; /* place of the return address below it all, 0 = none */
};

static bool keeps(const struct ms_model_place *place) {
  return place->kind == MS_SITE_INIT || place->kind == MS_SITE_ASSIGN || place->kind == MS_SITE_OUT;
}

/* Index into the chain (innermost first) of the outermost place without these
 * flags, UINT32_MAX if there is none. */
static uint32_t outermost_without(const struct build *build, const struct chain *chain, unsigned flags,
                                  bool keeping) {
  for (uint32_t i = chain->count; i-- > 0;) {
    const struct ms_model_place *place = &build->places[chain->places[i]];
    if (!(place->flags & flags) && (!keeping || keeps(place))) return i;
  }
  return UINT32_MAX;
}

static uint32_t holder_choose(const struct build *build, const struct chain *chain, enum ms_naming *naming) {
  unsigned avoid = MS_SITE_WRAPPER | MS_SITE_SYSTEM;
  uint32_t found = outermost_without(build, chain, avoid, false);
  if (found == UINT32_MAX) found = outermost_without(build, chain, avoid = MS_SITE_WRAPPER, false);
  *naming = found == UINT32_MAX ? MS_WRAPPER_ONLY : MS_NAMED;
  if (found == UINT32_MAX) return chain->count - 1;
  if (keeps(&build->places[chain->places[found]])) return found;
  uint32_t kept = outermost_without(build, chain, avoid, true);
  if (kept == UINT32_MAX) return found;
  bool gone = build->places[chain->places[kept]].flags & MS_SITE_PASSING;
  return gone && build->places[chain->places[found]].kind == MS_SITE_ARG ? found : kept;
}

static bool tells_type(const struct ms_model_place *place) { return place->type_id && !(place->flags & MS_SITE_WRAPPER); }

/* The nearest place with a type: the holder, inwards, then outwards. */
static uint32_t typed_choose(const struct build *build, const struct chain *chain, uint32_t holder) {
  if (build->places[chain->places[holder]].type_id) return holder;
  for (uint32_t i = holder; i-- > 0;)
    if (tells_type(&build->places[chain->places[i]])) return i;
  for (uint32_t i = holder + 1; i < chain->count; i++)
    if (tells_type(&build->places[chain->places[i]])) return i;
  return holder;
}

static uint32_t holder_intern(struct build *build, const char *text, uint32_t type) {
  const uint64_t parts[] = {(uintptr_t)text, type};
  for (uint64_t key = XXH64(parts, sizeof parts, build->seed) | 1;; key += 2) {
    uint32_t *at = ms_map_at(&build->holder_index, key);
    if (*at && build->holders[*at].text == text && build->holders[*at].type == type) return *at;
    if (*at) continue;
    *at = ++build->holder_count;
    MS_TABLE_ROOM(build, build->holders, build->holder_count, build->holder_room);
    build->holders[build->holder_count] = (struct holder){.text = text, .type = type};
    return build->holder_count;
  }
}

static uint32_t site_new(struct build *build, const struct chain *chain) {
  uint32_t id = ++build->site_count;
  MS_TABLE_ROOM(build, build->sites, id, build->site_room);
  struct site *site = &build->sites[id];
  *site = (struct site){.smallest = UINT64_MAX, .chain_count = chain->count};
  if (!chain->count) {
    site->place = chain->caller ? chain->caller : ms_place_unknown(build);
    site->provenance = MS_INFERRED;
    site->naming = MS_UNNAMED;
    site->module = build->places[site->place].module_id;
    site->holder = holder_intern(build, "", 0);
    return id;
  }
  site->chain = ms_arena_array(build->arena, chain->count, sizeof *site->chain);
  memcpy(site->chain, chain->places, chain->count * sizeof *site->chain);
  enum ms_naming naming;
  uint32_t holder = holder_choose(build, chain, &naming), typed = typed_choose(build, chain, holder);
  site->place = chain->places[holder];
  site->naming = (uint8_t)naming;
  site->provenance = holder == chain->count - 1 && typed == holder ? MS_EXACT : MS_DERIVED;
  site->type = build->places[chain->places[typed]].type_id;
  site->module = build->places[site->place].module_id;
  site->holder = holder_intern(build, build->places[site->place].holder, site->type);
  return id;
}

static bool site_same(const struct build *build, const struct site *site, const struct chain *chain) {
  if (site->chain_count != chain->count) return false;
  if (!chain->count)
    return site->place == (chain->caller ? chain->caller : ms_place_unknown((struct build *)build));
  return memcmp(site->chain, chain->places, chain->count * sizeof *site->chain) == 0;
}

static uint32_t site_intern(struct build *build, const struct chain *chain) {
  const void *parts = chain->count ? (const void *)chain->places : &chain->caller;
  size_t bytes = (chain->count ? chain->count : 1) * sizeof(uint32_t);
  for (uint64_t key = XXH64(parts, bytes, build->seed + !chain->count) | 1;; key += 2) {
    uint32_t at = ms_map_find(&build->chain_index, key);
    if (at && site_same(build, &build->sites[at], chain)) return at;
    if (at) continue;
    at = site_new(build, chain);
    return *ms_map_at(&build->chain_index, key) = at;
  }
}

/* Follows a name inwards; a chain that does not end is cut. */
static void chain_follow(struct build *build, uint32_t name, struct chain *chain) {
  chain->count = chain->caller = 0;
  while (name && chain->count < CHAIN_MOST) {
    struct ms_name part = ms_stream_name(build->stream, name);
    uint32_t place = 0;
    if (part.kind == MS_NAME_IS_CALLER) chain->caller = ms_place_of_caller(build, part.address, part.ns);
    if (part.kind == MS_NAME_IS_SITE || part.kind == MS_NAME_IS_CHAIN)
      place = ms_place_of_site(build, part.site);
    if (place && build->places[place].site_id) chain->places[chain->count++] = place;
    name = part.kind == MS_NAME_IS_CHAIN ? part.parent : 0;
  }
  for (uint32_t i = 0, j = chain->count; i + 1 < j; i++) {
    uint32_t outer = chain->places[i];
    chain->places[i] = chain->places[--j];
    chain->places[j] = outer;
  }
}

/* Ids beyond the stream's names mean nothing, as 0 does. */
static uint32_t name_index(const struct build *build, uint32_t name) { return name < build->stream->name_room ? name : 0; }

uint32_t ms_site_named(struct build *build, uint32_t name) {
  uint32_t *site = &build->name_sites[name_index(build, name)];
  if (*site) return *site;
  struct chain chain;
  chain_follow(build, name, &chain);
  return *site = site_intern(build, &chain);
}

/* Where a name says that a block was freed: the outermost place; 0 = not known. */
uint32_t ms_freed_at(struct build *build, uint32_t name) {
  if (!name) return 0;
  uint32_t *place = &build->name_places[name_index(build, name)];
  if (*place) return *place;
  struct chain chain;
  chain_follow(build, name, &chain);
  if (chain.count) *place = chain.places[chain.count - 1];
  else *place = chain.caller ? chain.caller : ms_place_unknown(build);
  return *place;
}

void ms_sites_init(struct build *build) {
  uint32_t room = build->stream->name_room + 1;
  build->name_sites = ms_arena_array(build->arena, room, sizeof *build->name_sites);
  build->name_places = ms_arena_array(build->arena, room, sizeof *build->name_places);
}
