/* SPDX-License-Identifier: MIT
 *
 * Rows to columns and back: one walk for both ways.
 */
#include "pack/rows.h"

#include <string.h>

enum { ROW_MOST = 4 }; /* words of a row with fields; longer ones are text, and escaped */

enum address_guess { AS_FREED, BEHIND_LAST, ELSEWHERE };

/* ---- a block is given ---- */

static uint32_t code_name(struct coder *coder, uint32_t name) { return (uint32_t)ms_code(&coder->columns, COLUMN_NAME, name); }

static uint32_t code_size(struct coder *coder, uint32_t name, uint32_t size) {
  uint32_t *last = ms_guess_size(&coder->guess, name);
  uint64_t value = ms_code(&coder->columns, COLUMN_SIZE, size == *last ? 0 : (uint64_t)size + 1);
  return *last = value ? (uint32_t)(value - 1) : *last;
}

static uint64_t code_address(struct coder *coder, uint32_t thread, uint32_t size, uint64_t addr8) {
  const struct lane *lane = ms_guess_lane(&coder->guess, thread);
  struct freed_list *list = ms_guess_list(&coder->guess, thread, size);
  uint64_t freed = list->top ? list->addr8[(list->top - 1) % LIST_DEPTH] : 0, behind = ms_guess_behind(lane);
  enum address_guess how = freed && addr8 == freed ? AS_FREED : addr8 == behind ? BEHIND_LAST : ELSEWHERE;
  how = (enum address_guess)ms_code(&coder->columns, COLUMN_ADDRESS_GUESS, how);
  if (how == AS_FREED) {
    list->addr8[--list->top % LIST_DEPTH] = 0;
    return freed;
  }
  if (how == BEHIND_LAST) return behind;
  return lane->last8 + ms_zagzig(ms_code(&coder->columns, COLUMN_ADDRESS, ms_zigzag(addr8 - lane->last8)));
}

/* How far the generation is from the guess: 0 nearly always. */
static uint32_t code_generation(struct coder *coder, uint32_t guess, uint32_t gen) {
  return (guess + (uint32_t)ms_code(&coder->columns, COLUMN_GENERATION, (gen - guess) & MS_GEN_MASK)) & MS_GEN_MASK;
}

static void code_give(struct coder *coder, uint32_t thread, uint8_t tag, uint64_t *words) {
  uint32_t name = code_name(coder, (uint32_t)(words[1] >> 32));
  uint32_t size = code_size(coder, name, (uint32_t)words[1]);
  uint64_t addr8 = code_address(coder, thread, size, words[0] >> 20) & MS_MASK(44);
  const struct known *known = ms_guess_known(&coder->guess, addr8);
  uint32_t guess = known->addr8 == addr8 ? known->gen + 1 : 1;
  uint32_t gen = code_generation(coder, guess, words[0] >> 8 & MS_GEN_MASK);
  ms_guess_given(&coder->guess, thread, addr8, gen, size);
  words[0] = tag | (uint64_t)gen << 8 | addr8 << 20;
  words[1] = size | (uint64_t)name << 32;
}

/* ---- a block is taken ---- */

/* 0: its address is told; else how far behind the block freed last it was born. */
static uint64_t code_freed(struct coder *coder, uint32_t thread, uint64_t addr8) {
  const struct lane *lane = ms_guess_lane(&coder->guess, thread);
  const struct known *known = ms_guess_known(&coder->guess, addr8);
  uint64_t value = 0;
  if (known->addr8 == addr8 && addr8 && ms_guess_address(&coder->guess, known->index) == addr8)
    value = 1 + ms_zigzag((uint64_t)(int32_t)(known->index - lane->last_freed));
  value = ms_code(&coder->columns, COLUMN_FREED, value);
  if (!value) return ms_code_distance(&coder->columns, COLUMN_FREED_ADDRESS, addr8);
  return ms_guess_address(&coder->guess, lane->last_freed + (uint32_t)ms_zagzig(value - 1));
}

static void code_take(struct coder *coder, uint32_t thread, uint8_t tag, uint64_t *words) {
  uint64_t addr8 = code_freed(coder, thread, words[0] >> 20) & MS_MASK(44);
  const struct known *known = ms_guess_known(&coder->guess, addr8);
  uint32_t gen = code_generation(coder, known->addr8 == addr8 ? known->gen : 1, words[0] >> 8 & MS_GEN_MASK);
  ms_guess_taken(&coder->guess, thread, addr8, gen);
  words[0] = tag | (uint64_t)gen << 8 | addr8 << 20;
}

/* ---- the other rows ---- */

/* Fields within the tag's byte are known already. */
#define FIELD_CODE(field, word, shift, bits)                                                                 \
  if ((word) || (shift) >= 8) row.field = ms_code_distance(columns, (enum column_id)column, row.field) & MS_MASK(bits);   \
  column++;
#define MS_ROW(tag, NAME, name, words_, FIELDS, help)                                                        \
  static void name##_code(struct columns *columns, uint64_t *words) {                                        \
    struct ms_row_##name row = ms_get_##name(words);                                                         \
    int column = COLUMN_OF_##NAME;                                                                           \
    FIELDS(FIELD_CODE)                                                                                       \
    ms_put_##name(words, row);                                                                               \
    (void)columns, (void)column;                                                                             \
  }                                                                                                          \
  static bool name##_holds(const uint64_t *words) {                                                          \
    uint64_t again[ROW_MOST] = {0};                                                                                \
    ms_put_##name(again, ms_get_##name(words));                                                              \
    return (words_) && memcmp(again, words, (words_) * sizeof *words) == 0;                                  \
  }
#include "memscope/stream.def"

static const struct kind {
  uint8_t words; /* 0: none such, or text */
  void (*code)(struct columns *, uint64_t *);
  bool (*holds)(const uint64_t *); /* does the row say nothing beside its fields? */
} kinds[256] = {
#define MS_ROW(tag, NAME, name, words, FIELDS, help) [tag] = {words, name##_code, name##_holds},
#include "memscope/stream.def"
};

bool ms_row_known(const uint64_t *words, uint32_t left) {
  uint32_t length = ms_row_words(*words);
  const struct kind *kind = &kinds[ms_row_tag(*words)];
  if (!length || length > left) return false;
  return *words & MS_HOT || (kind->words == length && kind->holds(words)); /* hot ones are all fields */
}

/* ---- all of them ---- */

/* Words as they are; how many. */
static uint32_t code_escape(struct coder *coder, uint64_t *words, uint32_t left) {
  uint32_t count = 0;
  if (!coder->columns.reading) {
    count = ms_row_words(*words);
    if (!count || count > left) count = left; /* no row from here on */
  }
  count = (uint32_t)ms_code(&coder->columns, COLUMN_ESCAPE, count);
  if (!count || count > left) coder->columns.failed = true, count = left;
  ms_code_bytes(&coder->columns, COLUMN_ESCAPE, words, count * sizeof *words);
  return count;
}

static uint32_t code_row(struct coder *coder, uint32_t thread, uint64_t *words, uint32_t left) {
  uint8_t tag = 0;
  if (!coder->columns.reading && ms_row_known(words, left)) tag = (uint8_t)*words;
  ms_code_bytes(&coder->columns, COLUMN_TAG, &tag, 1);
  if (!tag) return code_escape(coder, words, left);
  uint32_t length = ms_row_words(tag);
  const struct kind *kind = &kinds[ms_row_tag(tag)];
  if (length > left || kind->words != length) { /* damage: no writer's tag */
    coder->columns.failed = true;
    return left;
  }
  uint64_t row[ROW_MOST] = {tag};
  if (!coder->columns.reading) memcpy(row, words, length * sizeof *row);
  if (!(tag & MS_HOT)) kind->code(&coder->columns, row);
  else if (tag & MS_HOT_TAKES) code_take(coder, thread, tag, row);
  else code_give(coder, thread, tag, row);
  if (coder->columns.reading) memcpy(words, row, length * sizeof *row);
  return length;
}

void ms_code_rows(struct coder *coder, uint32_t thread, uint64_t *words, uint32_t count) {
  for (uint32_t at = 0; at < count && !coder->columns.failed;)
    at += code_row(coder, thread, words + at, count - at);
}
