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

int ms_cmd_usage(struct ms_cmd_context *context, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return ms_error_set(&context->error, MS_ERROR_USAGE, "%s; usage: memscope %s %s", text, context->cmd->name,
                      context->cmd->usage);
}
