/* SPDX-License-Identifier: MIT
 *
 * memscope help [VERB | TOPIC]: every list is generated from the table it is
 * about, the manual page too.
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char pitch[] = "MemScope names every heap byte";
static const char first_step[] =
    "Compile with memscope-cc or memscope-c++ in place of clang or clang++, then: memscope run ./program";

static const struct flag {
  const char *verb, *text, *help;
} flags[] = {
#define MS_FLAG(verb, text, help) {#verb, text, help},
#include "cmd/flag.def"
};

static const struct option_row {
  const char *name, *fallback, *values, *help;
} options[] = {
#define MS_OPTION(id, name, kind, fallback, values, help) {name, fallback, values, help},
#include "memscope/option.def"
};

/* What the tools return, see base/error.h. */
static const struct {
  int code;
  const char *help;
} exits[] = {
    {MS_ERROR_NONE, "all is well; run: the program's own exit code, 128 + n when signal n ended it"},
    {MS_ERROR_FINDINGS, "doctor found something that does not work"},
    {MS_ERROR_USAGE, "wrong arguments, or a place that cannot be read or written"},
    {MS_ERROR_DATA, "the stream is damaged, foreign, or of a newer version"},
    {MS_ERROR_NOT_EXECUTABLE, "run: the program cannot be executed"},
    {MS_ERROR_NOT_FOUND, "run: there is no such program"},
};

static int topic_env(void) {
  printf("Environment options of the runtime. They hold under `memscope run` too, whose own options say more.\n");
  for (size_t i = 0; i < COUNT(options); i++)
    printf("\n  %-22s  %s\n  %22s  %s; default %s\n", options[i].name, options[i].help, "", options[i].values,
           options[i].fallback);
  return 0;
}

static int topic_events(void) {
  printf("Rows of a stream. A row is made of 64-bit little-endian words; its lowest byte is the tag.\n");
#define FIELD(field, word, shift, bits)                                                                      \
  printf("          %-10s word %d, bits %d to %d\n", #field, word, shift, (shift) + (bits)-1);
#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                                         \
  printf("\n  0x%02x  %s: %s\n", tag, #NAME, help);                                                          \
  FIELDS(FIELD)
#include "memscope/stream.def"
#undef FIELD
  return 0;
}

static int topic_exits(void) {
  printf("Exit codes:\n\n");
  for (size_t i = 0; i < COUNT(exits); i++) printf("  %3d  %s\n", exits[i].code, exits[i].help);
  return 0;
}

/* ---- the manual page ---- */

/* A backslash means something to roff, and a bare hyphen may be set as a dash. */
static void roff(const char *text) {
  for (; *text; text++) {
    if (*text == '\\')
      printf("\\e");
    else if (*text == '-')
      printf("\\-");
    else
      putchar(*text);
  }
}

static void roff_item(const char *term, const char *more, const char *text) {
  printf(".TP\n.B \"");
  roff(term);
  printf("\" ");
  roff(more);
  printf("\n\\&");
  roff(text);
  printf("\n");
}

static int topic_man(void) {
  printf(".TH MEMSCOPE 1 \"\" \"memscope %s\"\n.SH NAME\nmemscope \\- %s\n", MS_VERSION,
         "names every heap byte");
  printf(".SH SYNOPSIS\n.B memscope\n.I VERB\n[arguments]\n.br\n.B memscope\\-cc\n[arguments of clang]\n.br\n"
         ".B memscope\\-c++\n[arguments of clang++]\n.SH DESCRIPTION\n");
  roff(first_step);
  printf("\n.SH VERBS\n");
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++) roff_item(cmd->name, cmd->usage, cmd->help);
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++)
    for (size_t i = 0, open = 0; i < COUNT(flags); i++) {
      if (strcmp(flags[i].verb, cmd->name) != 0) continue;
      if (!open++) printf(".SS Options of %s\n", cmd->name);
      roff_item(flags[i].text, "", flags[i].help);
    }
  printf(".SH ENVIRONMENT\n");
  for (size_t i = 0; i < COUNT(options); i++) roff_item(options[i].name, options[i].values, options[i].help);
  roff_item("MEMSCOPE_CLANG", "",
            "the Clang that memscope-cc uses; else the newest installed one that has a plugin");
  printf(".SH EXIT STATUS\n");
  for (size_t i = 0; i < COUNT(exits); i++) {
    char code[16];
    snprintf(code, sizeof code, "%d", exits[i].code);
    roff_item(code, "", exits[i].help);
  }
  return 0;
}

static const struct topic {
  const char *name;
  int (*print)(void);
  const char *help;
} topics[] = {
    {"env", topic_env, "environment options of the recording runtime"},
    {"events", topic_events, "the rows of a stream"},
    {"exits", topic_exits, "what exit codes mean"},
    {"man", topic_man, "the manual page, as roff"},
};

static int list_print(void) {
  printf("%s.\n\n", pitch);
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++) printf("  memscope %-12s %s\n", cmd->name, cmd->help);
  printf("\n");
  for (size_t i = 0; i < COUNT(topics); i++)
    printf("  memscope help %-7s %s\n", topics[i].name, topics[i].help);
  printf("\n%s\n", first_step);
  return 0;
}

static int verb_print(const struct ms_cmd *cmd) {
  printf("memscope %s%s%s\n\n  %s\n", cmd->name, *cmd->usage ? " " : "", cmd->usage, cmd->help);
  for (size_t i = 0, open = 0; i < COUNT(flags); i++) {
    if (strcmp(flags[i].verb, cmd->name) != 0) continue;
    if (!open++) printf("\n");
    printf("  %-20s  %s\n", flags[i].text, flags[i].help);
  }
  return 0;
}

int ms_cmd_help(struct ms_cmd_context *context, int argc, char **argv) {
  if (argc < 2) return list_print();
  if (strcmp(argv[1], "--version") == 0) return printf("memscope %s\n", MS_VERSION) < 0;
  const struct ms_cmd *cmd = ms_cmd_find(argv[1]);
  if (cmd) return verb_print(cmd);
  for (size_t i = 0; i < COUNT(topics); i++)
    if (strcmp(topics[i].name, argv[1]) == 0) return topics[i].print();
  return ms_error_set(&context->error, MS_ERROR_USAGE, "no help on '%s'; see: memscope help", argv[1]);
}
