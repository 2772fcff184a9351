/* SPDX-License-Identifier: MIT
 *
 * memscope help [VERB | TOPIC]: every list is generated from the table it is about.
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static int topic_env(void) {
  printf("Environment options of the runtime (`memscope run` sets them for its program):\n\n");
#define MS_OPTION(id, name, kind, default_, values, help)                                                    \
  printf("  %-22s %s\n  %-22s %s, default %s\n", name, help, "", values, default_);
#include "memscope/option.def"
  return 0;
}

static int topic_events(void) {
  printf("Rows of a stream; a row is 64-bit little-endian words, its lowest byte the tag:\n\n");
#define FIELD(field, word, shift, bits)                                                                      \
  printf("  %4s  %-16s word %d, bits %d..%d\n", "", #field, word, shift, (shift) + (bits)-1);
#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                                         \
  printf("  0x%02x  %-16s %s\n", tag, #NAME, help);                                                          \
  FIELDS(FIELD)
#include "memscope/stream.def"
#undef FIELD
  return 0;
}

static const struct topic {
  const char *name;
  int (*print)(void);
  const char *help;
} topics[] = {
    {"env", topic_env, "environment options of the recording runtime"},
    {"events", topic_events, "the rows of a stream"},
};

static int list_print(void) {
  printf("MemScope names every heap byte.\n\n");
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++)
    if (cmd->run) printf("  memscope %-8s  %s\n", cmd->name, cmd->help);
  printf("\n");
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
    printf("  memscope help %-6s  %s\n", topics[i].name, topics[i].help);
  printf("\nCompile with memscope-cc or memscope-c++ in place of clang or clang++, then: memscope run "
         "./program\n");
  return 0;
}

int ms_cmd_help(struct ms_cmd_context *context, int argc, char **argv) {
  if (argc < 2) return list_print();
  if (strcmp(argv[1], "--version") == 0) {
    printf("memscope %s\n", MS_VERSION);
    return 0;
  }
  const struct ms_cmd *cmd = ms_cmd_find(argv[1]);
  if (cmd) {
    printf("memscope %s %s\n\n  %s\n", cmd->name, cmd->usage, cmd->help);
    return 0;
  }
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
    if (strcmp(topics[i].name, argv[1]) == 0) return topics[i].print();
  return ms_error_set(&context->error, MS_ERROR_USAGE, "no help on '%s'; see: memscope help", argv[1]);
}
