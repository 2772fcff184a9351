/* SPDX-License-Identifier: MIT
 *
 * Reads a compile line by the rows of argument.def. Arguments are passed on as
 * they came: a response file is read here, and once more by the compiler.
 */
#include "cc/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum match { ALONE, NEXT, BEGIN };
enum effect {
  NONE,
  INPUT,
  LANGUAGE,
  NO_LINK,
  NO_RUNTIME,
  CXX,
  STATIC,
  SANITIZE,
  NO_SANITIZE,
  TARGET,
  LINKER,
  OUR_HELP,
  OUR_PRINT,
  OUR_FRAME_POINTERS,
  OUR_NO_PLUGIN,
  OUR_NO_RUNTIME,
};

static const struct rule {
  const char *text;
  enum match match;
  enum effect effect;
} rules[] = {
#define MS_ARGUMENT(text, match, effect) {text, match, effect},
#include "cc/argument.def"
};

static const struct rule *rule_find(const char *argument) {
  for (const struct rule *rule = rules; rule < rules + sizeof rules / sizeof *rules; rule++)
    if (rule->match == BEGIN ? strncmp(argument, rule->text, strlen(rule->text)) == 0
                             : strcmp(argument, rule->text) == 0)
      return rule;
  return NULL;
}

static bool list_holds(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; at; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, word, length) == 0 && (at[length] == 0 || at[length] == ',')) return true;
  }
  return false;
}

static unsigned sanitizers_of(const char *list) {
  static const struct {
    const char *name;
    unsigned bits;
  } names[] = {
      {"address", MS_CC_ADDRESS}, {"hwaddress", MS_CC_HWADDRESS}, {"leak", MS_CC_LEAK},
      {"memory", MS_CC_MEMORY},   {"thread", MS_CC_THREAD},       {"all", ~0u},
  };
  unsigned bits = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (list_holds(list, names[i].name)) bits |= names[i].bits;
  return bits;
}

/* Both -Wl,a,b and -Xlinker a say what else would be -shared, -r or -static. */
static void linker_read(struct ms_command *command, const char *list) {
  static const char *const no_program[] = {"-r", "-i", "--relocatable", "-shared", "--shared", "-Bshareable"};
  for (size_t i = 0; i < sizeof no_program / sizeof *no_program; i++)
    if (list_holds(list, no_program[i])) command->wants_runtime = false;
}

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), cut = strlen(end);
  return length >= cut && strcmp(text + length - cut, end) == 0;
}

/* endings: the last one is NULL. */
static bool ends_with_one(const char *file, const char *const *endings) {
  for (; *endings; endings++)
    if (ends_with(file, *endings)) return true;
  return false;
}

static bool is_named(const char *language) { return language && strcmp(language, "none") != 0; }

static bool is_header(const char *language, const char *file) {
  static const char *const endings[] = {".h", ".H", ".hh", ".hp", ".hpp", ".hxx", ".h++", ".HPP", ".tcc", NULL};
  return is_named(language) ? ends_with(language, "-header") : ends_with_one(file, endings);
}

/* Shared libraries may have a version behind: libx.so.1.2. */
static bool is_object(const char *language, const char *file) {
  static const char *const endings[] = {".o", ".obj", ".lo", ".a", ".lib", ".so", NULL};
  const char *version = strstr(file, ".so.");
  return !is_named(language) && (ends_with_one(file, endings) || (version && isdigit((unsigned char)version[4])));
}

static void input_read(struct ms_command *command, const char *file) {
  command->inputs = true;
  if (!is_object(command->language, file)) command->compiles = true;
  if (!is_header(command->language, file)) command->linkable = true;
}

static void effect_apply(struct ms_command *command, enum effect effect, const char *value) {
  switch (effect) {
  case NONE:
    break;
  case INPUT:
    input_read(command, "-");
    break;
  case LANGUAGE:
    command->language = value;
    break;
  case NO_LINK:
    command->links = false;
    break;
  case NO_RUNTIME:
    command->wants_runtime = false;
    break;
  case CXX:
    command->cxx = true;
    break;
  case STATIC:
    command->is_static = true;
    break;
  case SANITIZE:
    command->sanitizers |= sanitizers_of(value);
    break;
  case NO_SANITIZE:
    command->sanitizers &= ~sanitizers_of(value);
    break;
  case TARGET:
    if (strncmp(value, "x86_64", 6) != 0 || !strstr(value, "linux")) command->wants_runtime = false;
    break;
  case LINKER:
    linker_read(command, value);
    break;
  case OUR_HELP:
    command->help = true;
    break;
  case OUR_PRINT:
    command->print = true;
    break;
  case OUR_FRAME_POINTERS:
    command->frame_pointers = true;
    break;
  case OUR_NO_PLUGIN:
    command->plugin = false;
    break;
  case OUR_NO_RUNTIME:
    command->wants_runtime = false;
    break;
  }
}

/* ---- response files, by GNU's quoting rules: what whitespace, quotes and \ mean there ---- */

static char *file_read(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = NULL;
  size_t size = 0;
  if (!file) return NULL;
  if (getdelim(&text, &size, 0, file) < 0) {
    free(text);
    text = strdup("");
  }
  fclose(file);
  return text;
}

/* The next word of *text, unquoted in place; NULL at the end. */
static char *word_next(char **text) {
  char *in = *text, *word, *out, quote = 0;
  while (isspace((unsigned char)*in)) in++;
  if (!*in) return NULL;
  for (word = out = in; *in && (quote || !isspace((unsigned char)*in)); in++) {
    if (quote ? *in == quote : *in == '\'' || *in == '"') {
      quote = quote ? 0 : *in;
      continue;
    }
    if (*in == '\\' && in[1] && quote != '\'') in++;
    *out++ = *in;
  }
  *text = in + (*in != 0);
  *out = 0;
  return word;
}

struct reader {
  struct ms_command *command;
  const struct rule *open; /* the rule whose value comes next */
  bool files_only;         /* behind "--" */
  int depth;               /* of response files */
};

enum { RESPONSE_DEPTH = 16 };

static bool is_own(const struct rule *rule) { return rule && rule->effect >= OUR_HELP; }

static void argument_read(struct reader *reader, const char *argument);

/* As the compiler does it: no such file, then it is an input of that name. */
static void response_read(struct reader *reader, const char *argument) {
  char *text = reader->depth < RESPONSE_DEPTH ? file_read(argument + 1) : NULL;
  if (!text) {
    input_read(reader->command, argument);
    return;
  }
  reader->depth++;
  char *at = text;
  for (char *word; (word = word_next(&at));) argument_read(reader, word);
  reader->depth--; /* text stays: words of it may be remembered */
}

static void argument_read(struct reader *reader, const char *argument) {
  const struct rule *open = reader->open, *rule = NULL;
  reader->open = NULL;
  if (open)
    effect_apply(reader->command, open->effect, argument);
  else if (argument[0] == '@' && argument[1])
    response_read(reader, argument);
  else if (reader->files_only || (argument[0] != '-'))
    input_read(reader->command, argument);
  else if (strcmp(argument, "--") == 0)
    reader->files_only = true;
  else if ((rule = rule_find(argument)) && rule->match == NEXT)
    reader->open = rule;
  else if (rule)
    effect_apply(reader->command, rule->effect, argument + strlen(rule->text));
}

bool ms_command_read(struct ms_command *command, int argc, char **argv, struct ms_error *error) {
  struct reader reader = {.command = command};
  *command = (struct ms_command){.links = true, .wants_runtime = true, .plugin = true};
  command->passed = calloc((size_t)argc + 1, sizeof *command->passed);
  if (!command->passed) {
    ms_error_set(error, MS_ERROR_USAGE, "%s", strerror(errno));
    return false;
  }
  for (int i = 1; i < argc; i++) {
    bool ours = !reader.open && !reader.files_only && is_own(rule_find(argv[i]));
    if (!ours && !reader.open && strncmp(argv[i], "--memscope-", 11) == 0) {
      ms_error_set(error, MS_ERROR_USAGE, "unknown argument %s; see: memscope-cc --memscope-help", argv[i]);
      return false;
    }
    if (!ours) command->passed[command->passed_count++] = argv[i];
    argument_read(&reader, argv[i]);
  }
  command->links = command->links && command->linkable;
  /* HWAddressSanitizer's tagged addresses we cannot read, and no sanitizer is for static programs. */
  if (command->sanitizers & MS_CC_HWADDRESS || (command->sanitizers && command->is_static)) command->wants_runtime = false;
  return true;
}
