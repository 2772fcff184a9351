/* SPDX-License-Identifier: MIT
 *
 * How long blocks lived: a histogram by powers of two for each site.
 */
#include "model/build.h"

static uint32_t bucket_of(uint64_t ns) {
  uint32_t bucket = ns ? 64 - (uint32_t)__builtin_clzll(ns) : 0;
  return bucket < MS_LIFETIME_BUCKETS ? bucket : MS_LIFETIME_BUCKETS - 1;
}

void ms_lifetime_count(struct build *build, struct site *site, uint64_t ns) {
  if (!site->buckets) {
    site->buckets = ms_arena_array(build->arena, MS_LIFETIME_BUCKETS, sizeof *site->buckets);
    site->shortest_ns = ns;
  }
  site->buckets[bucket_of(ns)]++;
  if (ns < site->shortest_ns) site->shortest_ns = ns;
  if (ns > site->longest_ns) site->longest_ns = ns;
}

/* The age below which `rank` of the blocks died (rank from 1): as far into its
 * bucket as the rank is. */
static uint64_t age_at(const struct ms_model_lifetime *lifetime, uint64_t rank) {
  uint64_t below = 0;
  uint32_t bucket = 0;
  while (bucket < MS_LIFETIME_BUCKETS - 1 && below + lifetime->buckets[bucket] < rank)
    below += lifetime->buckets[bucket++];
  if (!bucket) return lifetime->min_ns;
  double low = (double)(UINT64_C(1) << (bucket - 1)),
         part = (double)(rank - below) / (double)lifetime->buckets[bucket];
  uint64_t age = (uint64_t)(low + low * part);
  if (age < lifetime->min_ns) age = lifetime->min_ns;
  return age > lifetime->max_ns ? lifetime->max_ns : age;
}

struct ms_model_lifetime ms_lifetime_take(const struct site *site) {
  static const uint64_t none[MS_LIFETIME_BUCKETS];
  struct ms_model_lifetime lifetime = {.buckets = site->buckets ? site->buckets : none};
  for (uint32_t i = 0; i < MS_LIFETIME_BUCKETS; i++) lifetime.count += lifetime.buckets[i];
  if (!lifetime.count) return lifetime;
  lifetime.min_ns = site->shortest_ns;
  lifetime.max_ns = site->longest_ns;
  lifetime.median_ns = age_at(&lifetime, (lifetime.count + 1) / 2);
  lifetime.p99_ns = age_at(&lifetime, lifetime.count - lifetime.count / 100);
  return lifetime;
}
