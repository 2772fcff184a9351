/* SPDX-License-Identifier: MIT
 *
 * Variables: one row each, and what belongs to a variable in tables ordered by
 * their `site` column.
 */
#include "view/view.h"

#include "model/model.h"

static void sites(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_site *s = model->sites;
  struct ms_table *table = ms_table_add(columns, "sites", model->site_count);
#define NUMBER(field) MS_NUMBERS(table, #field, s[i].field);
  MS_NUMBERS(table, "place", s[i].place ? s[i].place->id : 0);
  MS_TEXTS(table, "holder", s[i].holder);
  MS_NUMBERS(table, "type", s[i].type_id);
  MS_NUMBERS(table, "module", s[i].module_id);
  NUMBER(element_bytes)
  NUMBER(holder_id) NUMBER(provenance) NUMBER(naming) NUMBER(allocations) NUMBER(frees) NUMBER(reallocations)
      NUMBER(allocated_bytes) NUMBER(live_blocks) NUMBER(live_bytes) NUMBER(peak_bytes) NUMBER(peak_blocks)
          NUMBER(bytes_at_peak) NUMBER(blocks_at_peak) NUMBER(temporary) NUMBER(smallest_bytes)
              NUMBER(largest_bytes) NUMBER(first_ns) NUMBER(last_ns)
                  MS_NUMBERS(table, "lifetime_count", s[i].lifetime.count);
  MS_NUMBERS(table, "lifetime_min_ns", s[i].lifetime.min_ns);
  MS_NUMBERS(table, "lifetime_max_ns", s[i].lifetime.max_ns);
  MS_NUMBERS(table, "lifetime_median_ns", s[i].lifetime.median_ns);
  MS_NUMBERS(table, "lifetime_p99_ns", s[i].lifetime.p99_ns);
  MS_NUMBERS(table, "thread_count", s[i].alloc_threads.count);
#undef NUMBER
}

static void places(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_place *p = model->places;
  struct ms_table *table = ms_table_add(columns, "places", model->place_count);
#define NUMBER(field) MS_NUMBERS(table, #field, p[i].field);
#define TEXT(field) MS_TEXTS(table, #field, p[i].field);
  TEXT(text)
  TEXT(holder) TEXT(function) TEXT(callee) TEXT(file) NUMBER(line) NUMBER(column) NUMBER(kind) NUMBER(flags)
      NUMBER(element_bytes) NUMBER(site_id) NUMBER(address) MS_NUMBERS(table, "type", p[i].type_id);
  MS_NUMBERS(table, "module", p[i].module_id);
#undef NUMBER
#undef TEXT
}

static void chains(struct ms_columns *columns, const struct ms_model *model) {
  uint32_t rows = 0, row = 0;
  for (uint32_t s = 0; s < model->site_count; s++) rows += model->sites[s].chain_count;
  struct ms_table *table = ms_table_add(columns, "chains", rows);
  uint64_t *site = ms_table_numbers(table, "site"), *place = ms_table_numbers(table, "place");
  for (uint32_t s = 0; s < model->site_count; s++)
    for (uint32_t c = 0; c < model->sites[s].chain_count; c++, row++) {
      site[row] = s + 1;
      place[row] = model->sites[s].chain[c]->id;
    }
}

static void lifetimes(struct ms_columns *columns, const struct ms_model *model) {
  uint32_t rows = 0, row = 0;
  for (uint32_t s = 0; s < model->site_count; s++)
    for (uint32_t b = 0; b < MS_LIFETIME_BUCKETS; b++) rows += model->sites[s].lifetime.buckets[b] > 0;
  struct ms_table *table = ms_table_add(columns, "lifetimes", rows);
  uint64_t *site = ms_table_numbers(table, "site"), *bucket = ms_table_numbers(table, "bucket"),
           *blocks = ms_table_numbers(table, "blocks");
  for (uint32_t s = 0; s < model->site_count; s++)
    for (uint32_t b = 0; b < MS_LIFETIME_BUCKETS; b++) {
      if (!model->sites[s].lifetime.buckets[b]) continue;
      site[row] = s + 1;
      bucket[row] = b;
      blocks[row++] = model->sites[s].lifetime.buckets[b];
    }
}

/* ---- tallies ---- */

static const struct {
  const char *table;
  size_t offset; /* of a struct ms_tallies in struct ms_model_site */
} tally_tables[] = {
    {"alloc_threads", offsetof(struct ms_model_site, alloc_threads)},
    {"free_threads", offsetof(struct ms_model_site, free_threads)},
    {"free_places", offsetof(struct ms_model_site, free_places)},
    {"functions", offsetof(struct ms_model_site, functions)},
};

static const struct ms_tallies *tallies_of(const struct ms_model_site *site, size_t offset) {
  return (const struct ms_tallies *)((const char *)site + offset);
}

static void tallies(struct ms_columns *columns, const struct ms_model *model, const char *name,
                    size_t offset) {
  bool names = offset == offsetof(struct ms_model_site, functions);
  uint32_t rows = 0, row = 0;
  for (uint32_t s = 0; s < model->site_count; s++) rows += tallies_of(&model->sites[s], offset)->count;
  struct ms_table *table = ms_table_add(columns, name, rows);
  uint64_t *site = ms_table_numbers(table, "site"), *count = ms_table_numbers(table, "count");
  uint64_t *id = names ? NULL : ms_table_numbers(table, "id");
  uint32_t *text = names ? ms_table_texts(table, "name") : NULL;
  for (uint32_t s = 0; s < model->site_count; s++) {
    const struct ms_tallies *list = tallies_of(&model->sites[s], offset);
    for (uint32_t k = 0; k < list->count; k++, row++) {
      site[row] = s + 1;
      count[row] = list->rows[k].count;
      if (names)
        text[row] = ms_columns_text(columns, ms_model_function(list->rows[k].id));
      else
        id[row] = list->rows[k].id;
    }
  }
}

static void live(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_live *l = model->live;
  struct ms_table *table = ms_table_add(columns, "live", model->live_count);
  MS_NUMBERS(table, "address", l[i].address);
  MS_NUMBERS(table, "size_bytes", l[i].size_bytes);
  MS_NUMBERS(table, "born_ns", l[i].born_ns);
  MS_NUMBERS(table, "site", l[i].site_id);
  MS_NUMBERS(table, "thread", l[i].thread_id);
  MS_NUMBERS(table, "reallocations", l[i].reallocations);
}

void ms_view_sites(struct ms_columns *columns, const struct ms_model *model) {
  sites(columns, model);
  places(columns, model);
  chains(columns, model);
  lifetimes(columns, model);
  for (uint32_t t = 0; t < sizeof tally_tables / sizeof *tally_tables; t++)
    tallies(columns, model, tally_tables[t].table, tally_tables[t].offset);
  live(columns, model);
}
