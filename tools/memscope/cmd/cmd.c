/* SPDX-License-Identifier: MIT
 *
 * What the verbs share.
 */
#include "cmd/cmd.h"

#include "cmd/near.h"
#include "symbol/symbol.h"

#include <getopt.h>
#include <limits.h>
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

int ms_cmd_usage(struct ms_cmd_context *context, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  bool asks = *text && text[strlen(text) - 1] == '?';
  return ms_error_set(&context->error, MS_ERROR_USAGE, "%s%s: memscope help %s", text, asks ? " See" : "; see", context->cmd->name);
}

int ms_cmd_unknown(struct ms_cmd_context *context, const char *word) {
  const char *verb = context->cmd->name;
  struct ms_near near = ms_near_option(verb, word);
  if (near.length) return ms_cmd_usage(context, "%s knows no %s, did you mean %.*s?", verb, word, near.length, near.name);
  return ms_cmd_usage(context, "%s knows no %s", verb, word);
}

int ms_cmd_getopt(struct ms_cmd_context *context, int option, char **argv) {
  const char *word = argv[optind - 1];
  if (option == ':') return ms_cmd_usage(context, "%s needs a value", word);
  if (optopt > UCHAR_MAX) return ms_cmd_usage(context, "%.*s takes no value", (int)strcspn(word, "="), word);
  return ms_cmd_unknown(context, optopt ? (char[]){'-', (char)optopt, 0} : word);
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
