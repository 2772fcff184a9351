/* SPDX-License-Identifier: MIT
 *
 * Reads the environment into ms_options by the table in option.def. Runs before
 * libc is set up: nothing here but plain loops over bytes.
 */
#include "option.h"

#include "os.h"
#include "say.h"

#include <stdint.h>
#include <string.h>

struct ms_options ms_options;

enum { TEXT_ROOM = 4096, ENVIRON_ROOM = 1 << 17 };

static char text_store[TEXT_ROOM];
static size_t text_used;

static const char *text_keep(const char *value) {
  size_t bytes = strlen(value) + 1;
  if (bytes > TEXT_ROOM - text_used) return NULL;
  char *kept = memcpy(text_store + text_used, value, bytes);
  text_used += bytes;
  return kept;
}

/* Index of value among "a|b|c", -1 if it is none of them. */
static int word_index(const char *values, const char *value) {
  size_t length = strlen(value);
  for (int i = 0; *values; i++) {
    size_t n = strcspn(values, "|");
    if (n == length && memcmp(values, value, n) == 0) return i;
    values += n + (values[n] == '|');
  }
  return -1;
}

static size_t size_clamp(size_t size, const char *range) {
  char low[16] = "";
  size_t n = strcspn(range, ".");
  memcpy(low, range, n < sizeof low - 1 ? n : sizeof low - 1);
  size_t least = ms_size_parse(low), most = ms_size_parse(range + n + strspn(range + n, "."));
  return size < least ? least : size > most ? most : size;
}

#define PARSE_BOOL(id, values)                                                                                         \
  {                                                                                                                    \
    int word = word_index("off|on|0|1|no|yes", value);                                                                 \
    if (word >= 0) return ms_options.id = word & 1, 1;                                                                 \
  }
#define PARSE_WORD(id, values)                                                                                         \
  {                                                                                                                    \
    int word = word_index(values, value);                                                                              \
    if (word >= 0) return ms_options.id = word, 1;                                                                     \
  }
#define PARSE_MODE(id, values)                                                                                         \
  {                                                                                                                    \
    struct ms_mode_choice choice = ms_mode_parse(value);                                                               \
    if (choice.mode) return ms_options.id = choice, 1;                                                                 \
  }
#define PARSE_SIZE(id, values)                                                                                         \
  {                                                                                                                    \
    size_t size = ms_size_parse(value);                                                                                   \
    if (size) return ms_options.id = size_clamp(size, values), 1;                                                      \
  }
#define PARSE_SPAN(id, values)                                                                                         \
  {                                                                                                                    \
    struct ms_span span;                                                                                               \
    if (ms_span_parse(&span, value)) return ms_options.id = span, 1;                                                   \
  }
#define PARSE_TEXT(id, values)                                                                                         \
  {                                                                                                                    \
    const char *kept = *value ? text_keep(value) : NULL;                                                               \
    if (kept) return ms_options.id = kept, 1;                                                                          \
  }

/* One setter per option: false when the value is none. */
#define MS_OPTION(id, NAME, kind, fallback, values, help)                                                              \
  static int option_set_##id(const char *value) {                                                                      \
    PARSE_##kind(id, values) return 0;                                                                                 \
  }
#include "memscope/option.def"

static const struct option {
  const char *name, *fallback, *values;
  int (*set)(const char *);
} options[] = {
#define MS_OPTION(id, NAME, kind, fallback, values, help) {NAME, fallback, values, option_set_##id},
#include "memscope/option.def"
};
enum { OPTIONS = sizeof options / sizeof *options };

static const char *value_of(const char *entry, const char *name) {
  size_t n = strlen(name);
  return strncmp(entry, name, n) == 0 && entry[n] == '=' ? entry + n + 1 : NULL;
}

static void entry_take(const char *entry) {
  if (strncmp(entry, "MEMSCOPE", 8) != 0) return;
  for (int i = 0; i < OPTIONS; i++) {
    const char *value = value_of(entry, options[i].name);
    if (value && !options[i].set(value))
      ms_say("%s=%s is not one of %s; %s is used", options[i].name, value, options[i].values, options[i].fallback);
  }
}

/* Too early for libc's list: what the kernel was given. */
static void entries_read_proc(void) {
  char *text = ms_os_pages(ENVIRON_ROOM);
  if (!text) return;
  size_t used = ms_os_read_file("/proc/self/environ", text, ENVIRON_ROOM - 1);
  for (const char *entry = text; entry < text + used; entry += strlen(entry) + 1) entry_take(entry);
  ms_os_unmap(text, ENVIRON_ROOM);
}

void ms_options_read(char **environment) {
  for (int i = 0; i < OPTIONS; i++) options[i].set(options[i].fallback);
  if (!environment) entries_read_proc();
  else
    for (; *environment; environment++) entry_take(*environment);
}

static int entry_is_ours(const char *entry) {
  for (int i = 0; i < OPTIONS; i++)
    if (value_of(entry, options[i].name)) return 1;
  return 0;
}

static int path_is_ours(const char *path, size_t length) {
  static const char name[] = "libmemscope.so";
  size_t n = sizeof name - 1;
  return length >= n && memcmp(path + length - n, name, n) == 0 && (length == n || path[length - n - 1] == '/');
}

static int preload_has_ours(const char *value) {
  for (size_t n; *value; value += n + (value[n] != 0))
    if (path_is_ours(value, n = strcspn(value, ": "))) return 1;
  return 0;
}

/* Shortens "a:…/libmemscope.so:b" in place; true when nothing is left. Without ours it may
 * be the host's constant, and is not written to. */
static int preload_shorten(char *value) {
  if (!preload_has_ours(value)) return 0;
  char *to = value;
  for (const char *from = value; *from;) {
    size_t n = strcspn(from, ": ");
    if (n && !path_is_ours(from, n)) {
      if (to != value) *to++ = ':';
      memmove(to, from, n);
      to += n;
    }
    from += n + (from[n] != 0);
  }
  *to = 0;
  return to == value;
}

void ms_options_hide(char **environment) {
  char **to = environment;
  for (char **from = environment; *from; from++) {
    char *preload = (char *)value_of(*from, "LD_PRELOAD");
    if (entry_is_ours(*from) || (preload && preload_shorten(preload))) continue;
    *to++ = *from;
  }
  *to = NULL;
}
