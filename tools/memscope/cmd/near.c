/* SPDX-License-Identifier: MIT
 *
 * What was most likely meant: the verb, option or environment variable whose name
 * is the nearest to a word that is none.
 */
#include "cmd/near.h"

#include "cmd/cmd.h"

#include <string.h>

enum { MOST = 40, FAR = 3 };

/* How many letters must be changed, left out or put in to make b of a (Levenshtein). */
static size_t letters_between(const char *a, size_t a_length, const char *b, size_t b_length) {
  size_t row[MOST + 1];
  if (a_length > MOST || b_length > MOST) return MOST;
  for (size_t j = 0; j <= b_length; j++) row[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t change = corner + (a[i - 1] != b[j - 1]), best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
      corner = row[j];
      row[j] = change < best ? change : best;
    }
  }
  return row[b_length];
}

struct search {
  const char *word;
  size_t length, least; /* of the word; letters to the nearest name so far */
  struct ms_near found;
};

static struct search search_new(const char *word, size_t length) {
  return (struct search){.word = word, .length = length, .least = FAR, .found = {"", 0}};
}

/* A name's beginning is near to it; of a name no more than half may be changed. */
static void search_try(struct search *search, const char *name, size_t length) {
  size_t letters = letters_between(search->word, search->length, name, length);
  if (search->length > FAR && length > search->length && strncmp(name, search->word, search->length) == 0) letters = 1;
  if (letters >= search->least || 2 * letters > length) return;
  search->least = letters;
  search->found = (struct ms_near){name, (int)length};
}

struct ms_near ms_near_verb(const char *word) {
  struct search search = search_new(word, strlen(word));
  for (const struct ms_cmd *cmd = ms_cmds; cmd->name; cmd++) search_try(&search, cmd->name, strlen(cmd->name));
  return search.found;
}

struct ms_near ms_near_option(const char *verb, const char *word) {
  static const struct {
    const char *verb, *text;
  } flags[] = {
#define MS_FLAG(verb, text, help) {#verb, text},
#include "cmd/flag.def"
  };
  struct search search = search_new(word, strcspn(word, "="));
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    if (strcmp(flags[i].verb, verb) == 0 && strncmp(flags[i].text, "--", 2) == 0) /* one letter is near to every other */
      search_try(&search, flags[i].text, strcspn(flags[i].text, " =["));
  return search.found;
}

static const char *const variables[] = {
#define MS_OPTION(id, NAME, kind, default_, values, help) NAME,
#include "memscope/option.def"
    "MEMSCOPE_CLANG"};
enum { VARIABLES = sizeof variables / sizeof *variables };

bool ms_is_variable(const char *name, size_t length) {
  for (size_t i = 0; i < VARIABLES; i++)
    if (strlen(variables[i]) == length && strncmp(name, variables[i], length) == 0) return true;
  return false;
}

struct ms_near ms_near_variable(const char *name, size_t length) {
  struct search search = search_new(name, length);
  for (size_t i = 0; i < VARIABLES; i++) search_try(&search, variables[i], strlen(variables[i]));
  return search.found;
}
