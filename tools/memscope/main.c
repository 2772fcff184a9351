/* SPDX-License-Identifier: MIT
 *
 * memscope VERB ...: finds the verb and runs it. Only this file prints errors
 * and picks the exit code.
 */
#include "cmd/cmd.h"
#include "cmd/near.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct ms_cmd ms_cmds[] = {
#define MS_CMD(verb, usage, help) {#verb, ms_cmd_##verb, usage, help},
#include "cmd/cmd.def"
    {0}};

static int error_print(const struct ms_error *error) {
  fflush(stdout);
  fprintf(stderr, "memscope: %s\n", error->text);
  return (int)error->code;
}

static int wants_help(int argc, char **argv) {
  return argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

/* A full disk behind stdout would otherwise end in success with half a product. */
static void stdout_close(struct ms_cmd_context *context) {
  if (fflush(stdout) || ferror(stdout))
    ms_error_set(&context->error, MS_ERROR_USAGE,
                 "cannot write to standard output: %s; send it to another place", strerror(errno));
}

static int verb_missing(const char *word, struct ms_error *error) {
  struct ms_near near = ms_near_verb(word);
  if (near.length) return ms_error_set(error, MS_ERROR_USAGE, "no verb '%s'; did you mean '%.*s'? See: memscope help", word, near.length, near.name);
  if (access(word, F_OK) == 0)
    return ms_error_set(error, MS_ERROR_USAGE, "no verb before '%s'; try: memscope %s %s", word, access(word, X_OK) == 0 ? "run" : "report", word);
  return ms_error_set(error, MS_ERROR_USAGE, "no verb '%s'; see: memscope help", word);
}

static int verb_run(struct ms_cmd_context *context, int argc, char **argv) {
  context->cmd = ms_cmd_find(argv[0]);
  if (!context->cmd) return verb_missing(argv[0], &context->error);
  if (wants_help(argc, argv)) {
    char *help[] = {"help", argv[0], NULL};
    return ms_cmd_help(context, 2, help);
  }
  return context->cmd->run(context, argc, argv);
}

static char **verb_arguments(int argc, char **argv) {
  static char *version[] = {"help", "--version", NULL}, *help[] = {"help", NULL};
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return help;
  if (strcmp(argv[1], "--version") == 0) return version;
  return argv + 1;
}

int main(int argc, char **argv) {
  static struct ms_cmd_context context;
  char **arguments = verb_arguments(argc, argv);
  int count = 0;
  while (arguments[count]) count++;
  int code = verb_run(&context, count, arguments);
  stdout_close(&context);
  if (context.error.code) return error_print(&context.error);
  return argc < 2 ? MS_ERROR_USAGE : code;
}
