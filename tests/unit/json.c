/* SPDX-License-Identifier: MIT
 *
 * The JSON writer on a model made by hand: every key of schema 1 and no other,
 * numbers beyond 2^53, strings that need escaping. (The sums behind the figures
 * are model.c's; a whole program's JSON is e2e's.)
 */
#include "test.h"

#include "export/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

static const char *const argv_rows[] = {"p", "a\"b\\c\n\001"};
static const struct ms_model_place place = {.text = "a.c:3 f",
                                            .holder = "p->x",
                                            .function = "f",
                                            .callee = "malloc",
                                            .file = "/a.c",
                                            .line = 3,
                                            .column = 4,
                                            .kind = MS_SITE_ASSIGN,
                                            .flags = MS_SITE_WRAPPER,
                                            .type_id = 1};
static const struct ms_model_place foreign = {
    .text = "libz.so+0x10", .holder = "", .function = "", .callee = "", .file = ""};
static const struct ms_model_place *const chain[] = {&place};
static const uint64_t none[MS_LIFETIME_BUCKETS];
static const struct ms_model_site sites[] = {
    {.id = 1,
     .place = &place,
     .holder = "p->x",
     .type_id = 1,
     .type = "struct s",
     .element_bytes = 8,
     .module_id = 1,
     .chain = chain,
     .chain_count = 1,
     .provenance = MS_DERIVED,
     .allocations = UINT64_MAX,
     .lifetime = {.count = 1, .max_ns = 7, .buckets = none},
     .alloc_threads = {.count = 3}},
    {.id = 2,
     .place = &foreign,
     .holder = "",
     .type = "",
     .naming = MS_UNNAMED,
     .provenance = MS_INFERRED,
     .lifetime = {.buckets = none}},
};
static const struct ms_model_type types[] = {
    {.id = 1, .name = "struct s", .size_bytes = 8, .align_bytes = 4, .padding_bytes = 2}};
static const struct ms_model_holder holders[] = {{.id = 1, .holder = "p->x", .type = "struct s"}};
static const struct ms_model_module modules[] = {
    {.id = 1, .path = "/bin/p", .name = "p", .build_id = "c0", .instrumented = true},
    {.id = 2,
     .path = "/l.so",
     .name = "l.so",
     .build_id = "",
     .status = MS_MODULE_UNLOADED,
     .unloaded_ns = 9}};
static const struct ms_model_thread threads[] = {{.id = 1, .stream_id = 4, .name = "main"}};
static const struct ms_model_domain domains[] = {{.id = 1, .name = "addon"}};
static const struct ms_evidence evidence[] = {{"share", "50 %"}};
static const struct ms_finding findings[] = {{.rule = "leak",
                                              .severity = "error",
                                              .message = "m",
                                              .holder = "h",
                                              .type = "t",
                                              .file = "f",
                                              .function = "g",
                                              .cwe = 401,
                                              .allocated_at = "a",
                                              .freed_at = "",
                                              .evidence = evidence,
                                              .evidence_count = 1}};
static const struct ms_model model = {.process = {.program = "/bin/p",
                                                  .argv = argv_rows,
                                                  .argc = 2,
                                                  .pid = 7,
                                                  .host = "h",
                                                  .start_unix_ns = UINT64_C(1700000000123456789),
                                                  .mode = "full",
                                                  .complete = true,
                                                  .end_how = MS_END_SIGNAL,
                                                  .end_status = 9},
                                      .totals = {.allocated_bytes = UINT64_C(9007199254740993)},
                                      .sites = sites,
                                      .site_count = 2,
                                      .types = types,
                                      .type_count = 1,
                                      .holders = holders,
                                      .holder_count = 1,
                                      .modules = modules,
                                      .module_count = 2,
                                      .threads = threads,
                                      .thread_count = 1,
                                      .domains = domains,
                                      .domain_count = 1,
                                      .findings = findings,
                                      .finding_count = 1};

static char *written;
static size_t written_bytes;

static yajl_val json_made(const struct ms_model *from, unsigned top) {
  char error[256] = "";
  FILE *out = open_memstream(&written, &written_bytes);
  assert_true(ms_export_json(from, "1.2", top, NULL, out));
  fclose(out);
  yajl_val tree = yajl_tree_parse(written, error, sizeof error);
  assert_string_equal(error, "");
  assert_non_null(tree);
  return tree;
}

static yajl_val json_of(unsigned top) { return json_made(&model, top); }

static void json_free(yajl_val tree) {
  yajl_tree_free(tree);
  free(written);
}

static yajl_val at(yajl_val tree, const char *a, const char *b) {
  const char *path[] = {a, b, NULL};
  yajl_val value = yajl_tree_get(tree, path, yajl_t_any);
  if (!value) fail_msg("no %s.%s", a, b ? b : "");
  return value;
}

/* The object's keys in order, joined by commas. */
static void keys_are(yajl_val object, const char *keys) {
  char all[1024] = "";
  assert_true(YAJL_IS_OBJECT(object));
  for (size_t i = 0; i < object->u.object.len; i++) {
    if (i) strcat(all, ",");
    strcat(all, object->u.object.keys[i]);
  }
  assert_string_equal(all, keys);
}

static yajl_val row(yajl_val tree, const char *array, size_t index) {
  yajl_val rows = at(tree, array, NULL);
  assert_true(YAJL_IS_ARRAY(rows) && index < rows->u.array.len);
  return rows->u.array.values[index];
}

static void test_keys(void **state) {
  (void)state;
  yajl_val tree = json_of(0);
  keys_are(tree, "memscope,process,totals,coverage,sites,types,holders,modules,threads,domains,findings");
  keys_are(at(tree, "memscope", NULL), "version,schema");
  keys_are(at(tree, "process", NULL), "program,argv,pid,host,start_unix_ns,duration_ns,mode,complete,end");
  keys_are(at(tree, "totals", NULL),
           "allocations,frees,reallocations,allocated_bytes,peak_bytes,peak_time_ns,live_blocks,live_bytes,"
           "temporary,threads,events,lost_events");
  keys_are(at(tree, "coverage", NULL),
           "named_allocations,wrapper_only_allocations,unnamed_allocations,named_bytes,wrapper_only_bytes,"
           "unnamed_bytes,typed_bytes");
  for (size_t i = 0; i < 2; i++)
    keys_are(
        row(tree, "sites", i),
        "id,holder,type,element_bytes,file,line,column,function,module,chain,provenance,allocations,frees,"
        "allocated_bytes,live_blocks,live_bytes,peak_bytes,bytes_at_peak,temporary,threads,lifetime_ns");
  keys_are(at(row(tree, "sites", 0), "lifetime_ns", NULL), "min,median,p99,max");
  keys_are(row(tree, "types", 0), "name,size,align,allocations,live_bytes,peak_bytes,padding_bytes");
  keys_are(row(tree, "holders", 0), "holder,type,allocations,live_bytes,peak_bytes");
  keys_are(row(tree, "modules", 0),
           "name,build_id,instrumented,status,loaded_ns,unloaded_ns,allocations,live_bytes");
  keys_are(row(tree, "threads", 0), "id,name,allocations,frees,foreign_frees,allocated_bytes");
  keys_are(row(tree, "domains", 0), "id,name,parent,self_bytes,total_bytes");
  keys_are(
      row(tree, "findings", 0),
      "rule,severity,message,holder,type,file,line,function,cwe,blocks,bytes,allocated_at,freed_at,evidence");
  json_free(tree);
}

/* What most processes are not stands there only where it is so. */
static void test_process(void **state) {
  (void)state;
  struct ms_model other = model;
  other.process.heard = "ThreadSanitizer";
  other.process.restricted_ns = 7;
  yajl_val tree = json_made(&other, 0);
  keys_are(at(tree, "process", NULL), "program,argv,pid,host,start_unix_ns,duration_ns,mode,complete,end,heard,restricted_ns");
  assert_string_equal(YAJL_GET_STRING(at(tree, "process", "heard")), "ThreadSanitizer");
  assert_int_equal(YAJL_GET_INTEGER(at(tree, "process", "restricted_ns")), 7);
  json_free(tree);
}

static void test_values(void **state) {
  (void)state;
  yajl_val tree = json_of(0);
  assert_string_equal(YAJL_GET_STRING(at(tree, "memscope", "version")), "1.2");
  assert_int_equal(YAJL_GET_INTEGER(at(tree, "memscope", "schema")), 1);
  assert_string_equal(YAJL_GET_NUMBER(at(tree, "totals", "allocated_bytes")), "9007199254740993");
  assert_string_equal(YAJL_GET_NUMBER(at(row(tree, "sites", 0), "allocations", NULL)),
                      "18446744073709551615");
  assert_string_equal(YAJL_GET_STRING(at(tree, "process", "argv")->u.array.values[1]), "a\"b\\c\n\001");
  assert_true(YAJL_IS_TRUE(at(tree, "process", "complete")));
  yajl_val end = at(tree, "process", "end");
  keys_are(end, "how,status");
  assert_string_equal(YAJL_GET_STRING(at(end, "how", NULL)), "signal");
  assert_int_equal(YAJL_GET_INTEGER(at(end, "status", NULL)), 9);
  static const char *const lifetimes[] = {"min", "median", "p99", "max"};
  for (size_t i = 0; i < 4; i++) {
    assert_true(YAJL_IS_NUMBER(at(row(tree, "sites", 0), "lifetime_ns", lifetimes[i])));
    assert_true(YAJL_IS_NULL(at(row(tree, "sites", 1), "lifetime_ns", lifetimes[i]))); /* nothing died */
  }
  assert_string_equal(YAJL_GET_STRING(at(row(tree, "sites", 0), "provenance", NULL)), "derived");
  assert_string_equal(YAJL_GET_STRING(at(row(tree, "sites", 0), "module", NULL)), "/bin/p");
  assert_int_equal(YAJL_GET_INTEGER(at(row(tree, "sites", 0), "threads", NULL)), 3);
  yajl_val links = at(row(tree, "sites", 0), "chain", NULL);
  assert_int_equal(links->u.array.len, 1);
  keys_are(links->u.array.values[0], "holder,type,file,line,column,function,callee,kind,wrapper");
  assert_true(YAJL_IS_TRUE(at(links->u.array.values[0], "wrapper", NULL)));
  assert_string_equal(YAJL_GET_STRING(at(row(tree, "sites", 1), "function", NULL)), "libz.so+0x10");
  assert_true(YAJL_IS_NULL(at(row(tree, "modules", 0), "unloaded_ns", NULL)));
  assert_string_equal(YAJL_GET_STRING(at(row(tree, "modules", 1), "status", NULL)), "unloaded");
  assert_int_equal(YAJL_GET_INTEGER(at(row(tree, "modules", 1), "unloaded_ns", NULL)), 9);
  assert_int_equal(YAJL_GET_INTEGER(at(row(tree, "threads", 0), "id", NULL)), 4);
  assert_string_equal(YAJL_GET_STRING(at(row(tree, "findings", 0), "evidence", "share")), "50 %");
  assert_int_equal(written[written_bytes - 1], '\n');
  json_free(tree);
}

static void test_top(void **state) {
  (void)state;
  yajl_val tree = json_of(1);
  assert_int_equal(at(tree, "sites", NULL)->u.array.len, 1);
  assert_int_equal(at(tree, "modules", NULL)->u.array.len, 2); /* not what is on top, but all of them */
  json_free(tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_values), cmocka_unit_test(test_process),
                                     cmocka_unit_test(test_top)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
