/* SPDX-License-Identifier: MIT
 *
 * What the verbs share. A verb parses its own arguments, prints its product on
 * stdout, and returns the exit code. It never prints an error: it sets
 * context->error, and main.c prints that and picks the exit code from it.
 */
#ifndef MS_CMD_CMD_H
#define MS_CMD_CMD_H

#include "base/error.h"

struct ms_cmd_context {
  struct ms_error error;
  const struct ms_cmd *cmd; /* the verb being run */
};

struct ms_cmd {
  const char *name;
  int (*run)(struct ms_cmd_context *context, int argc, char **argv); /* argv[0] is the verb */
  const char *usage;                                                 /* arguments, without "memscope VERB" */
  const char *help;                                                  /* one line */
};

/* The verbs in cmd.def's order, ended by a NULL name. */
extern const struct ms_cmd ms_cmds[];

#define MS_CMD(verb, usage, help) int ms_cmd_##verb(struct ms_cmd_context *, int, char **);
#include "cmd/cmd.def"

/* The verb of that name, NULL if there is none. */
const struct ms_cmd *ms_cmd_find(const char *name);

/* Takes --debug-dir DIR and --sysroot DIR at argv[*at], also with '=': 1, and *at is at
 * the last word of it; 0: it is another; -1: a usage error is set. */
struct ms_symbol_options;
int ms_cmd_symbols(struct ms_cmd_context *context, int argc, char **argv, int *at, struct ms_symbol_options *options);

/* Sets a usage error that ends with where the verb's usage is; returns its exit code. */
int ms_cmd_usage(struct ms_cmd_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same of an option the verb does not have, with the one that was most likely meant. */
int ms_cmd_unknown(struct ms_cmd_context *context, const char *word);

/* The same of what getopt_long returned, '?' or ':'; long options' values are above UCHAR_MAX. */
int ms_cmd_getopt(struct ms_cmd_context *context, int option, char **argv);

#endif
