/* SPDX-License-Identifier: MIT
 *
 * memscope pack: a finished stream in a tenth of the room, and back. The input
 * stays and is never written on; outputs get their names when all are whole. A file
 * that exists is replaced when -o names it, and never otherwise.
 */
#define _GNU_SOURCE /* mkostemp */
#include "cmd/cmd.h"
#include "cmd/pack.h"
#include "cmd/progress.h"

#include "base/text.h"
#include "memscope/stream.h"
#include "pack/pack.h"
#include "reader/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_UNPACK = 256 };
static const struct option options[] = {
    {"output", required_argument, NULL, 'o'}, {"unpack", no_argument, NULL, OPTION_UNPACK}, {0}};

static int arguments_read(struct ms_cmd_context *context, struct ms_packing *packing, int argc, char **argv) {
  optind = 1;
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
    if (option == ':' || option == '?') return ms_cmd_getopt(context, option, argv);
    if (option == 'o') packing->output = optarg;
    if (option == OPTION_UNPACK) packing->unpack = true;
  }
  if (optind >= argc) return ms_cmd_usage(context, "no stream given");
  if (optind + 1 < argc) return ms_cmd_usage(context, "one stream at a time, not also %s", argv[optind + 1]);
  packing->input = argv[optind];
  if (packing->output && !*packing->output) return ms_cmd_usage(context, "-o needs a file's name");
  return 0;
}

/* F.memscope <-> F.packed.memscope; what has no such ending gets it behind. */
static const char *output_name(struct ms_arena *arena, const struct ms_packing *packing) {
  const char *from = packing->unpack ? ".packed.memscope" : ".memscope", *to = packing->unpack ? ".memscope" : ".packed.memscope";
  size_t length = strlen(packing->input), cut = strlen(from);
  bool ends = length > cut && strcmp(packing->input + length - cut, from) == 0;
  return ms_arena_print(arena, "%.*s%s", (int)(ends ? length - cut : length), packing->input, to);
}

static int cannot_read(const struct ms_packing *packing, const char *why, struct ms_error *error) {
  return ms_error_set(error, MS_ERROR_USAGE, "%s: cannot be read: %s; give the stream that `memscope run` wrote", packing->input, why);
}

static int input_map(struct ms_packing *packing, struct ms_error *error) {
  struct stat status;
  int fd = open(packing->input, O_RDONLY | O_CLOEXEC);
  bool known = fd >= 0 && fstat(fd, &status) == 0, file = known && S_ISREG(status.st_mode) && status.st_size;
  void *bytes = file ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  int why = errno;
  if (fd >= 0) close(fd);
  if (known && !file)
    return cannot_read(packing, S_ISDIR(status.st_mode) ? "it is a directory" : S_ISREG(status.st_mode) ? "it is empty" : "it is no file", error);
  if (bytes == MAP_FAILED) return cannot_read(packing, strerror(why), error);
  packing->bytes = bytes;
  packing->size = (uint64_t)status.st_size;
  return 0;
}

static int output_write(struct ms_arena *arena, const struct ms_packing *packing, FILE *out, const char *path, struct ms_error *error) {
  struct ms_progress_line line;
  const struct ms_progress *shown = packing->quiet ? NULL : ms_progress_begin(&line, packing->unpack ? "unpacking" : "packing");
  struct ms_pack_losses losses;
  int code = packing->unpack ? ms_unpack(arena, packing->bytes, packing->size, packing->input, fileno(out), shown, &losses, error)
                             : ms_pack(arena, packing->bytes, packing->size, out, path, shown, error);
  if (shown) ms_progress_end(&line);
  return code;
}

static int cannot_write(const char *path, struct ms_error *error) {
  return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s: %s; choose another place with -o", path, strerror(errno));
}

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Nothing is lost by writing there? `chosen`: the name is the user's. */
static int output_check(const struct ms_packing *packing, bool chosen, struct ms_error *error) {
  const char *path = packing->output;
  struct stat status;
  if (same_file(packing->input, path))
    return ms_error_set(error, MS_ERROR_USAGE, "%s is the file to be read; name another output with -o", path);
  if (lstat(path, &status)) return 0;
  if (!chosen) return ms_error_set(error, MS_ERROR_USAGE, "%s exists; remove it, or name the output with -o (-o replaces what is there)", path);
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
    return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s: %s; choose another place with -o", path,
                        S_ISDIR(status.st_mode) ? strerror(EISDIR) : "no regular file");
  return 0;
}

static bool holds_any(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && status.st_size > 0;
}

/* Into a file beside the output, whose name it takes in the end; NULL: there is none. */
static int output_make(struct ms_arena *arena, const struct ms_packing *packing, const char **made, struct ms_error *error) {
  const char *path = packing->output;
  char *aside = ms_arena_print(arena, "%s.XXXXXX", path);
  int fd = mkostemp(aside, O_CLOEXEC);
  *made = NULL;
  FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
  if (!out) return cannot_write(path, error);
  mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, 0666 & ~mask);
  int code = output_write(arena, packing, out, path, error);
  if (fclose(out) && !code)
    code = cannot_write(path, error);
  if (!code || (code == MS_ERROR_DATA && holds_any(aside))) *made = aside; /* what was whole before the damage */
  else unlink(aside);
  return code;
}

static void result_print(const struct ms_packing *packing) {
  char text[32];
  printf("%s  %s", packing->output, ms_format_bytes(text, packing->written_bytes));
  if (packing->files > 1) printf(" in %" PRIu32 " files", packing->files);
  if (!packing->unpack)
    printf(", %.1f %% of %s", (double)packing->written_bytes * 100 / (double)packing->read_bytes, ms_format_bytes(text, packing->read_bytes));
  putchar('\n');
}

/* Damage behind the first bytes is packed as it is. */
static bool is_stream(const struct ms_packing *packing, uint32_t number) {
  if (number > 1) return ms_volume_number(packing->bytes, packing->size) == number;
  return packing->size >= MS_HEADER_BYTES && memcmp(packing->bytes, MS_STREAM_MAGIC, 8) == 0;
}

static int input_check(const struct ms_packing *packing, uint32_t number, struct ms_error *error) {
  bool packed = ms_is_packed(packing->bytes, packing->size);
  if (number == 1 && ms_volume_number(packing->bytes, packing->size)) return ms_volume_refuse(packing->input, error);
  if (!packed && !packing->unpack && !is_stream(packing, number))
    return ms_error_set(error, MS_ERROR_DATA, "%s is not a MemScope stream; give a file that `memscope run` wrote (*.memscope)", packing->input);
  if (packed == packing->unpack) return 0;
  return packed ? ms_error_set(error, MS_ERROR_USAGE, "%s is packed already; --unpack gives the stream back", packing->input)
                : ms_error_set(error, MS_ERROR_DATA, "%s is not a packed stream; give a file that `memscope pack` wrote", packing->input);
}

/* ---- a file, and the further ones of a rotated stream: all of them or none ---- */

/* An output that has not got its name yet. */
struct made {
  const char *aside, *output;
  uint64_t read_bytes;
  struct made *next;
};

struct set {
  struct ms_arena *arena;
  struct made *first, **last;
  bool chosen; /* the output's name is the user's */
};

/* number: of the volume, 1 is the stream's first file. */
static int set_add(struct set *set, struct ms_packing *packing, uint32_t number, struct ms_error *error) {
  const char *aside = NULL;
  if (input_map(packing, error)) return (int)error->code;
  int code = input_check(packing, number, error);
  if (!code) code = output_check(packing, set->chosen, error);
  if (!code) code = output_make(set->arena, packing, &aside, error);
  munmap((void *)(uintptr_t)packing->bytes, packing->size);
  if (!aside) return code;
  struct made *made = ms_arena_get(set->arena, sizeof *made);
  *made = (struct made){.aside = aside, .output = packing->output, .read_bytes = packing->size};
  *set->last = made;
  set->last = &made->next;
  return code;
}

static void set_drop(const struct set *set) {
  for (const struct made *made = set->first; made; made = made->next) unlink(made->aside);
}

static int set_name(const struct set *set, struct ms_error *error) {
  for (const struct made *made = set->first; made; made = made->next) {
    if (rename(made->aside, made->output) == 0) continue;
    int code = cannot_write(made->output, error);
    for (const struct made *named = set->first; named != made; named = named->next) unlink(named->output);
    set_drop(set);
    return code;
  }
  return 0;
}

static void set_count(const struct set *set, struct ms_packing *packing) {
  struct stat status;
  for (const struct made *made = set->first; made; made = made->next) {
    packing->files++;
    packing->read_bytes += made->read_bytes;
    if (stat(made->output, &status) == 0) packing->written_bytes += (uint64_t)status.st_size;
  }
}

/* The error says what became of the others. */
static int set_failed(const struct ms_packing *packing, struct ms_error *error) {
  struct ms_error why = *error;
  *error = (struct ms_error){.offset = why.offset};
  return ms_error_set(error, why.code, "%s; of the files of this rotated stream none was %s%s", why.text, packing->unpack ? "unpacked" : "packed",
                      packing->unpack ? ", summary and report read what is whole as it is" : "");
}

static const char *volume_name(struct ms_arena *arena, const char *path, uint32_t number) {
  return ms_arena_print(arena, "%s.vol%" PRIu32, path, number);
}

/* The number of the last one, as the plain form of the first file says; 1: none. */
static uint32_t volumes_of(const char *path) {
  struct ms_file_header header = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool whole = fd >= 0 && pread(fd, &header, sizeof header, 0) == sizeof header;
  if (fd >= 0) close(fd);
  return whole ? ms_volumes(header.volume_tail) : 1;
}

/* Those that are there. */
static int volumes_add(struct set *set, const struct ms_packing *first, uint32_t last, struct ms_error *error) {
  int code = 0;
  for (uint32_t number = 2; number <= last && !code; number++) {
    struct ms_packing volume = *first;
    volume.input = volume_name(set->arena, first->input, number);
    volume.output = volume_name(set->arena, first->output, number);
    if (access(volume.input, F_OK) == 0) code = set_add(set, &volume, number, error);
  }
  return code;
}

static void all_unlink(struct ms_arena *arena, const char *path, uint32_t last) {
  unlink(path);
  for (uint32_t number = 2; number <= last; number++) unlink(volume_name(arena, path, number));
}

/* Of a damaged file that stands alone what was whole before the damage is kept. */
static int all_pack(struct ms_arena *arena, struct ms_packing *packing, bool chosen, struct ms_error *error) {
  struct set set = {.arena = arena, .last = &set.first, .chosen = chosen};
  int code = set_add(&set, packing, 1, error);
  uint32_t last = set.first ? volumes_of(packing->unpack ? set.first->aside : packing->input) : 1;
  bool rotated = last > 1 || access(volume_name(arena, packing->input, 2), F_OK) == 0;
  if (!code) code = volumes_add(&set, packing, last, error);
  if (!code || (code == MS_ERROR_DATA && !rotated)) {
    if (set_name(&set, error)) return (int)error->code;
    set_count(&set, packing);
    return code;
  }
  set_drop(&set);
  return rotated ? set_failed(packing, error) : code;
}

int ms_pack_file(struct ms_arena *arena, struct ms_packing *packing, struct ms_error *error) {
  bool chosen = packing->output != NULL;
  if (!chosen) packing->output = output_name(arena, packing);
  return all_pack(arena, packing, chosen, error);
}

/* ---- in the stream's place ---- */

static bool same_volumes(const struct ms_stream *a, const struct ms_stream *b) {
  if (a->volume_count != b->volume_count) return false;
  for (uint32_t i = 0; i < a->volume_count; i++)
    if (a->volumes[i].size != b->volumes[i].size || memcmp(a->volumes[i].bytes, b->volumes[i].bytes, a->volumes[i].size) != 0)
      return false;
  return true;
}

/* Opening a packed stream unpacks it. */
static bool same_bytes(struct ms_arena *arena, const char *path, const char *packed) {
  struct ms_error error = {0};
  struct ms_stream *a = ms_stream_open(arena, path, &error), *b = ms_stream_open(arena, packed, &error);
  bool same = a && b && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0 && same_volumes(a, b);
  ms_stream_close(a);
  ms_stream_close(b);
  return same;
}

static bool is_there(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

/* As streams' names: what exists, or has a volume, gets .2, .3. */
static const char *free_name(struct ms_arena *arena, const char *name) {
  const char *path = name;
  for (unsigned i = 2; is_there(path) || is_there(volume_name(arena, path, 2)); i++) path = ms_arena_print(arena, "%s.%u", name, i);
  return path;
}

int ms_pack_replace(struct ms_arena *arena, struct ms_packing *packing, struct ms_error *error) {
  packing->output = free_name(arena, output_name(arena, packing));
  if (all_pack(arena, packing, false, error)) return (int)error->code;
  uint32_t last = volumes_of(packing->input);
  if (same_bytes(arena, packing->input, packing->output)) {
    all_unlink(arena, packing->input, last);
    return 0;
  }
  all_unlink(arena, packing->output, last);
  return ms_error_set(error, MS_ERROR_DATA, "%s could not be packed without loss; it stays as it is", packing->input);
}

int ms_cmd_pack(struct ms_cmd_context *context, int argc, char **argv) {
  struct ms_packing packing = {0};
  if (arguments_read(context, &packing, argc, argv)) return (int)context->error.code;
  struct ms_arena *arena = ms_arena_new();
  int code = ms_pack_file(arena, &packing, &context->error);
  if (!code) result_print(&packing);
  ms_arena_free(arena);
  return code;
}
