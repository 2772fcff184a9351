/* SPDX-License-Identifier: MIT
 *
 * Rows to columns and back: one walk for both ways.
 */
#include "pack/rows.h"

#include <string.h>

enum { ROW_MOST = 4 }; /* words of a row with fields; longer ones are text, and escaped */

enum address_guess { AS_FREED, BEHIND_LAST, ELSEWHERE };

/* ---- a block is given ---- */

MS_PACK_HOT uint32_t code_name(struct coder *coder, bool reading, uint32_t name) {
  return (uint32_t)ms_code(&coder->columns, reading, COLUMN_NAME, name);
}

MS_PACK_HOT uint32_t code_size(struct coder *coder, bool reading, uint32_t name, uint32_t size) {
  uint32_t *last = ms_guess_size(&coder->guess, name);
  uint64_t value = ms_code(&coder->columns, reading, COLUMN_SIZE, size == *last ? 0 : (uint64_t)size + 1);
  return *last = value ? (uint32_t)(value - 1) : *last;
}

MS_PACK_HOT uint64_t code_address(struct coder *coder, bool reading, const struct lane *lane, uint32_t thread, uint32_t size, uint64_t addr8) {
  struct freed_list *list = ms_guess_list(&coder->guess, thread, size);
  uint64_t freed = list->top ? list->addr8[(list->top - 1) % LIST_DEPTH] : 0, behind = ms_guess_behind(lane);
  enum address_guess how = freed && addr8 == freed ? AS_FREED : addr8 == behind ? BEHIND_LAST : ELSEWHERE;
  how = (enum address_guess)ms_code(&coder->columns, reading, COLUMN_ADDRESS_GUESS, how);
  if (how == AS_FREED) {
    list->addr8[--list->top % LIST_DEPTH] = 0;
    return freed;
  }
  if (how == BEHIND_LAST) return behind;
  return lane->last8 + ms_zagzig(ms_code(&coder->columns, reading, COLUMN_ADDRESS, ms_zigzag(addr8 - lane->last8)));
}

/* How far the generation is from the guess: 0 nearly always. */
MS_PACK_HOT uint32_t code_generation(struct coder *coder, bool reading, uint32_t guess, uint32_t gen) {
  return (guess + (uint32_t)ms_code(&coder->columns, reading, COLUMN_GENERATION, (gen - guess) & MS_GEN_MASK)) & MS_GEN_MASK;
}

MS_PACK_HOT void code_give(struct coder *coder, bool reading, uint32_t thread, uint8_t tag, uint64_t *words) {
  struct lane *lane = ms_guess_lane(&coder->guess, thread);
  uint32_t name = code_name(coder, reading, (uint32_t)(words[1] >> 32));
  uint32_t size = code_size(coder, reading, name, (uint32_t)words[1]);
  uint64_t addr8 = code_address(coder, reading, lane, thread, size, words[0] >> 20) & MS_MASK(44);
  struct known *known = ms_guess_known(&coder->guess, addr8);
  uint32_t guess = ms_guess_is(&coder->guess, known, addr8) ? ms_known_gen(known) + 1 : 1;
  uint32_t gen = code_generation(coder, reading, guess, words[0] >> 8 & MS_GEN_MASK);
  ms_guess_given(&coder->guess, known, lane, addr8, gen, size);
  words[0] = tag | (uint64_t)gen << 8 | addr8 << 20;
  words[1] = size | (uint64_t)name << 32;
}

/* ---- a block is taken ---- */

/* 0: its address is told; else how far behind the block freed last it was born. */
MS_PACK_HOT uint64_t freed_value(struct guess *guess, const struct lane *lane, uint64_t addr8) {
  const struct known *known = ms_guess_known(guess, addr8);
  bool found = addr8 && ms_guess_is(guess, known, addr8) && ms_guess_address(guess, known->index) == addr8;
  return found ? 1 + ms_zigzag((uint64_t)(int32_t)(known->index - lane->last_freed)) : 0;
}

MS_PACK_HOT uint64_t code_freed(struct coder *coder, bool reading, const struct lane *lane, uint64_t addr8) {
  uint64_t value = reading ? 0 : freed_value(&coder->guess, lane, addr8);
  value = ms_code(&coder->columns, reading, COLUMN_FREED, value);
  if (!value) return ms_code_distance(&coder->columns, reading, COLUMN_FREED_ADDRESS, addr8);
  return ms_guess_address(&coder->guess, lane->last_freed + (uint32_t)ms_zagzig(value - 1));
}

MS_PACK_HOT void code_take(struct coder *coder, bool reading, uint32_t thread, uint8_t tag, uint64_t *words) {
  struct lane *lane = ms_guess_lane(&coder->guess, thread);
  uint64_t addr8 = code_freed(coder, reading, lane, words[0] >> 20) & MS_MASK(44);
  struct known *known = ms_guess_known(&coder->guess, addr8);
  uint32_t guess = ms_guess_is(&coder->guess, known, addr8) ? ms_known_gen(known) : 1;
  uint32_t gen = code_generation(coder, reading, guess, words[0] >> 8 & MS_GEN_MASK);
  ms_guess_taken(&coder->guess, known, lane, thread, addr8, gen);
  words[0] = tag | (uint64_t)gen << 8 | addr8 << 20;
}

/* ---- the other rows ---- */

/* Fields within the tag's byte are known already. */
#define FIELD_CODE(field, word, shift, bits)                                                                 \
  if ((word) || (shift) >= 8) row.field = ms_code_distance(columns, columns->reading, (enum column_id)column, row.field) & MS_MASK(bits);   \
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
  count = (uint32_t)ms_code(&coder->columns, coder->columns.reading, COLUMN_ESCAPE, count);
  if (!count || count > left) coder->columns.failed = true, count = left;
  ms_code_bytes(&coder->columns, COLUMN_ESCAPE, words, count * sizeof *words);
  return count;
}

MS_PACK_HOT uint8_t code_tag(struct coder *coder, bool reading, uint64_t *words, uint32_t left) {
  struct column *column = &coder->columns.column[COLUMN_TAG];
  uint8_t tag = 0;
  if (reading && column->at < column->used) return column->bytes[column->at++];
  if (!reading && ms_row_known(words, left)) tag = (uint8_t)*words;
  ms_code_bytes(&coder->columns, COLUMN_TAG, &tag, 1);
  return tag;
}

/* Rows that are not hot, and what is no row. */
static uint32_t code_cold(struct coder *coder, uint8_t tag, uint64_t *words, uint32_t left) {
  if (!tag) return code_escape(coder, words, left);
  uint32_t length = ms_row_words(tag);
  const struct kind *kind = &kinds[ms_row_tag(tag)];
  if (length > left || kind->words != length) { /* damage: no writer's tag */
    coder->columns.failed = true;
    return left;
  }
  uint64_t row[ROW_MOST] = {tag};
  if (!coder->columns.reading) memcpy(row, words, length * sizeof *row);
  kind->code(&coder->columns, row);
  if (coder->columns.reading) memcpy(words, row, length * sizeof *row);
  return length;
}

MS_PACK_HOT uint32_t code_row(struct coder *coder, bool reading, uint32_t thread, uint64_t *words, uint32_t left) {
  uint8_t tag = code_tag(coder, reading, words, left);
  if (!(tag & MS_HOT)) return code_cold(coder, tag, words, left);
  uint64_t row[2] = {0};
  coder->events += ms_word_op(tag) != MS_OP_REALLOC_BEGIN;
  if (tag & MS_HOT_TAKES) {
    row[0] = *words;
    code_take(coder, reading, thread, tag, row);
    if (reading) words[0] = row[0];
    return 1;
  }
  if (left < 2) { /* damage */
    coder->columns.failed = true;
    return left;
  }
  if (!reading) memcpy(row, words, sizeof row);
  code_give(coder, reading, thread, tag, row);
  if (reading) memcpy(words, row, sizeof row);
  return 2;
}

void ms_code_rows(struct coder *coder, uint32_t thread, uint64_t *words, uint32_t count) {
  uint32_t at = 0;
  if (coder->columns.reading)
    while (at < count && !coder->columns.failed) at += code_row(coder, true, thread, words + at, count - at);
  else
    while (at < count) at += code_row(coder, false, thread, words + at, count - at);
}

void ms_coder_reset(struct coder *coder) {
  ms_columns_reset(&coder->columns);
  ms_guess_reset(&coder->guess);
  coder->events = 0;
}
