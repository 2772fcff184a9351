/* SPDX-License-Identifier: MIT
 *
 * Writes a report of a small model made by hand, so that container.mjs can say
 * what every column must hold: ui_fixture OUT.html SOURCE.c
 */
#include "base/arena.h"
#include "base/error.h"
#include "model/model.h"
#include "view/view.h"

#include <stdio.h>

/* Names of allocator functions belong to the model, which is not under test. */
const char *ms_model_function(uint32_t id) { return id == 1 ? "malloc" : "realloc"; }

enum { SAMPLES = 3 };

static struct ms_model_place places[] = {
    {.id = 1,
     .text = "a.c:3 main",
     .holder = "list->head",
     .function = "main",
     .callee = "malloc",
     .line = 3,
     .column = 17,
     .kind = MS_SITE_ASSIGN,
     .flags = MS_SITE_ARRAY,
     .type_id = 1,
     .element_bytes = 24,
     .module_id = 1,
     .site_id = 7},
    {.id = 2,
     .text = "libz.so+0x1234",
     .holder = "",
     .function = "",
     .callee = "",
     .file = "",
     .address = 0x1234},
    {.id = 3,
     .text = "no.secret:1 f",
     .holder = "x",
     .function = "f",
     .callee = "free",
     .file = "/etc/passwd",
     .line = 1,
     .column = 1},
};
static const struct ms_model_place *const chain[] = {&places[2], &places[0]};
static const struct ms_tally threads[] = {{1, 10}, {2, 5}}, free_places[] = {{3, 9}, {0, 2}},
                             functions[] = {{1, 14}, {17, 1}};
static const struct ms_point points[] = {{0, 100}, {2, UINT64_C(5000000000)}};
static const uint64_t buckets[MS_LIFETIME_BUCKETS] = {[0] = 4, [63] = 7}, no_buckets[MS_LIFETIME_BUCKETS];
static const struct ms_model_site sites[] = {
    {.id = 1,
     .place = &places[0],
     .holder = "list->head",
     .type_id = 1,
     .type = "struct node",
     .element_bytes = 24,
     .holder_id = 1,
     .module_id = 1,
     .chain = chain,
     .chain_count = 2,
     .provenance = MS_DERIVED,
     .naming = MS_NAMED,
     .allocations = 15,
     .frees = 11,
     .reallocations = 1,
     .allocated_bytes = UINT64_C(9007199254740991),
     .live_blocks = 4,
     .live_bytes = 70000,
     .peak_bytes = 300,
     .bytes_at_peak = 256,
     .lifetime = {.count = 11, .max_ns = 9, .median_ns = 3, .buckets = buckets},
     .alloc_threads = {threads, 2},
     .free_places = {free_places, 2},
     .functions = {functions, 2},
     .points = {points, 2}},
    {.id = 2,
     .place = &places[1],
     .holder = "",
     .type = "",
     .naming = MS_UNNAMED,
     .provenance = MS_INFERRED,
     .allocations = 1,
     .lifetime = {.buckets = no_buckets}},
};
static const struct ms_model_field fields[] = {
    {.name = "next", .type = "struct node *", .size_bytes = 8, .flags = MS_FIELD_POINTER},
    {.name = "\xc3\xa4",
     .type = "int",
     .offset_bytes = 8,
     .bits = 3,
     .offset_bits = 2,
     .padding_bytes = 15,
     .flags = MS_FIELD_BITS},
};
static const struct ms_model_type types[] = {{.id = 1,
                                              .name = "struct node",
                                              .kind = MS_TYPE_STRUCT,
                                              .size_bytes = 24,
                                              .align_bytes = 8,
                                              .padding_bytes = 15,
                                              .fields = fields,
                                              .field_count = 2,
                                              .site_count = 1}};
static const struct ms_model_holder holders[] = {
    {.id = 1, .holder = "list->head", .type = "struct node", .type_id = 1, .allocations = 15}};
static const struct ms_model_module modules[] = {
    {.id = 1, .path = "/opt/a", .name = "a", .build_id = "c0ffee", .instrumented = true, .is_main = true}};
static const struct ms_model_thread thread_rows[] = {
    {.id = 1, .stream_id = 1, .name = "main", .allocations = 10}, {.id = 2, .stream_id = 4, .name = ""}};
static const uint64_t rising[SAMPLES] = {1, 2, 3}, live[SAMPLES] = {100, 200, UINT64_C(5000000000)};
static const struct ms_model_curve curves[] = {{1, live}, {0, rising}};
static const struct ms_model_live live_rows[] = {
    {.address = UINT64_C(0x7fffdeadbee0), .size_bytes = 4096, .site_id = 1, .thread_id = 2}};
static const char *const argv_rows[] = {"a", "</script><b>\"&"};

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  places[0].file = argv[2];
  const struct ms_model model = {
      .process = {.program = "/opt/a",
                  .directory = "/",
                  .argv = argv_rows,
                  .argc = 2,
                  .pid = 42,
                  .host = "h\xf0\x9f\x90\x9e",
                  .parent_stream = "",
                  .start_unix_ns = UINT64_C(1700000000123456789),
                  .mode = "full",
                  .complete = true,
                  .end_how = MS_END_EXIT},
      .totals = {.allocations = 16, .peak_bytes = 256, .events = 28},
      .coverage = {.named_allocations = 15, .unnamed_allocations = 1},
      .places = places,
      .place_count = 3,
      .sites = sites,
      .site_count = 2,
      .types = types,
      .type_count = 1,
      .holders = holders,
      .holder_count = 1,
      .modules = modules,
      .module_count = 1,
      .threads = thread_rows,
      .thread_count = 2,
      .live = live_rows,
      .live_count = 1,
      .timeline = {.sample_count = SAMPLES,
                   .end_ns = rising,
                   .end_event = rising,
                   .live_bytes = live,
                   .most_bytes = live,
                   .live_blocks = rising,
                   .allocations = rising,
                   .frees = rising,
                   .allocated_bytes = rising,
                   .peak_sample = 2,
                   .types = curves,
                   .type_count = 2,
                   .holders = curves,
                   .holder_count = 1},
  };
  struct ms_error error = {0};
  struct ms_arena *arena = ms_arena_new();
  uint64_t size = 0;
  if (ms_view_report(arena, &model, argv[1], &size, &error))
    fprintf(stderr, "%s\n", error.text);
  else
    printf("%llu\n", (unsigned long long)size);
  ms_arena_free(arena);
  return (int)error.code;
}
