/* SPDX-License-Identifier: MIT
 *
 * What the verbs share.
 */
#include "cmd/cmd.h"

#include "symbol/symbol.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const struct ms_cmd *ms_cmd_find(const char *name) {
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++)
    if (strcmp(cmd->name, name) == 0) return cmd;
  return NULL;
}

/* How many letters must be changed, left out or put in to make b of a (Levenshtein). */
static unsigned letters_between(const char *a, const char *b) {
  enum { MOST = 16 };
  unsigned row[MOST + 1], length = (unsigned)strlen(b);
  if (strlen(a) > MOST || length > MOST) return MOST;
  for (unsigned j = 0; j <= length; j++) row[j] = j;
  for (unsigned i = 1; *a; a++, i++) {
    unsigned corner = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= length; j++) {
      unsigned change = corner + (*a != b[j - 1]), best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
      corner = row[j];
      row[j] = change < best ? change : best;
    }
  }
  return row[length];
}

const char *ms_cmd_near(const char *word) {
  const char *near = NULL;
  unsigned least = 3;
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++) {
    unsigned letters = letters_between(word, cmd->name);
    if (letters >= least || letters >= strlen(cmd->name)) continue;
    least = letters;
    near = cmd->name;
  }
  return near;
}

int ms_cmd_usage(struct ms_cmd_context *context, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return ms_error_set(&context->error, MS_ERROR_USAGE, "%s; usage: memscope %s %s", text, context->cmd->name,
                      context->cmd->usage);
}

/* The option's value: behind '=', or the next word; NULL: it is another option. "" when none follows. */
static const char *value_of(const char *option, int argc, char **argv, int *at) {
  size_t length = strlen(option);
  const char *word = argv[*at];
  if (strncmp(word, option, length) != 0) return NULL;
  if (word[length] == '=') return word + length + 1;
  if (word[length]) return NULL;
  return *at + 1 < argc ? argv[++*at] : "";
}

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int ms_cmd_symbols(struct ms_cmd_context *context, int argc, char **argv, int *at, struct ms_symbol_options *options) {
  const char *debug = value_of("--debug-dir", argc, argv, at), *root = debug ? NULL : value_of("--sysroot", argc, argv, at);
  if (!debug && !root) return 0;
  if (!is_folder(debug ? debug : root)) {
    ms_cmd_usage(context, "%s needs a folder, not '%s'", debug ? "--debug-dir" : "--sysroot", debug ? debug : root);
    return -1;
  }
  *(debug ? &options->debug_dir : &options->sysroot) = debug ? debug : root;
  return 1;
}
