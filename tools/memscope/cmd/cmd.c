/* SPDX-License-Identifier: MIT
 *
 * What the verbs share.
 */
#include "cmd/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
