/* SPDX-License-Identifier: MIT
 *
 * How long blocks lived: counts by power of two for each site, and each power that
 * has any in PARTS equal parts, so that a rank's age is known to half a part.
 *
 *   bits of ns    0 0 1 p p p p x x x x x    power: where the highest 1 stands
 *                       part                 below PARTS * 2 every ns has its own
 *
 * A site whose blocks die takes 512 bytes, and 128 for each power.
 */
#include "model/build.h"

enum { PARTS = MS_AGE_PARTS, EXACT_POWER = MS_AGE_EXACT };

uint64_t *ms_age_parts_new(struct build *build, struct site *site, uint64_t ns) {
  if (!site->ages) {
    site->ages = ms_arena_array(build->arena, MS_LIFETIME_BUCKETS, sizeof *site->ages);
    site->shortest_ns = ns;
  }
  uint64_t **parts = &site->ages[ms_age_power(ns)];
  if (!*parts) *parts = ms_arena_array(build->arena, PARTS, sizeof **parts);
  return *parts;
}

/* The middle of that part. */
static uint64_t age_of(uint32_t power, uint32_t part) {
  uint64_t width = UINT64_C(1) << ms_age_shift(power), first = power >= EXACT_POWER ? PARTS + part : part;
  return first * width + (width - 1) / 2;
}

/* The age that `rank` of the blocks did not outlive (rank from 1). */
static uint64_t age_at(const struct ms_model_lifetime *lifetime, uint64_t *const *ages, uint64_t rank) {
  uint32_t power = 0, part = 0;
  while (power < MS_LIFETIME_BUCKETS - 1 && lifetime->buckets[power] < rank) rank -= lifetime->buckets[power++];
  if (!ages[power]) return lifetime->max_ns; /* sums of a damaged stream that wrapped */
  while (part < PARTS - 1 && ages[power][part] < rank) rank -= ages[power][part++];
  uint64_t age = age_of(power, part);
  if (age < lifetime->min_ns) age = lifetime->min_ns;
  return age > lifetime->max_ns ? lifetime->max_ns : age;
}

struct ms_model_lifetime ms_lifetime_take(struct build *build, const struct site *site) {
  static const uint64_t none[MS_LIFETIME_BUCKETS];
  struct ms_model_lifetime lifetime = {.buckets = none};
  if (!site->ages) return lifetime;
  uint64_t *buckets = ms_arena_array(build->arena, MS_LIFETIME_BUCKETS, sizeof *buckets);
  for (uint32_t i = 0; i < MS_LIFETIME_BUCKETS; i++)
    for (uint32_t part = 0; site->ages[i] && part < PARTS; part++) buckets[i] += site->ages[i][part];
  for (uint32_t i = 0; i < MS_LIFETIME_BUCKETS; i++) lifetime.count += buckets[i];
  lifetime.buckets = buckets;
  lifetime.min_ns = site->shortest_ns;
  lifetime.max_ns = site->longest_ns;
  lifetime.median_ns = age_at(&lifetime, site->ages, (lifetime.count + 1) / 2);
  lifetime.p99_ns = age_at(&lifetime, site->ages, lifetime.count - lifetime.count / 100);
  return lifetime;
}
