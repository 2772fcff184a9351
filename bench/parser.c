/* SPDX-License-Identifier: MIT
 *
 * Call stacks as a program has them: a recursive-descent parser, some frames below
 * main, whose outer frames stay while the inner ones come and go. It makes a tree of
 * each statement of a text made up once, sums it, and frees it.
 *
 *   parser [ROUNDS] [same]     same: as many blocks, all asked for at one place, 16 frames deep
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 64 << 10, OUTER = 8, NESTED_MOST = 5, DEPTH = 16 };
#define NOINLINE __attribute__((noinline))
#define STAYS __asm__ volatile("" ::: "memory") /* what was called before is no tail call */

static char text[TEXT_BYTES + 256];
static const char *at;
static unsigned long nodes;

struct node {
  struct node *left, *right;
  long value;
  char kind, name[23];
};

/* ---- the text: statements of random shape, one a line ---- */

static uint64_t seed = 1;
static unsigned draw(unsigned below) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)(seed >> 33) % below;
}

static char *write_sum(char *to, int nested);
static char *write_factor(char *to, int nested) {
  unsigned kind = nested ? draw(5) : draw(2);
  if (kind == 0) return to + sprintf(to, "%u", draw(1000));
  if (kind == 1) return to + sprintf(to, "v%u", draw(100));
  if (kind == 2) *to++ = '-';
  else if (kind == 3) *to++ = 'f';
  if (kind == 2) return write_factor(to, nested - 1);
  *to++ = '(';
  to = write_sum(to, nested - 1);
  *to++ = ')';
  return to;
}
static char *write_product(char *to, int nested) {
  to = write_factor(to, nested);
  while (!draw(4)) *to++ = '*', to = write_factor(to, nested ? nested - 1 : 0);
  return to;
}
static char *write_sum(char *to, int nested) {
  to = write_product(to, nested);
  while (!draw(3)) *to++ = '+', to = write_product(to, nested ? nested - 1 : 0);
  return to;
}
static void text_make(void) {
  char *to = text, *line = text;
  static char room[1 << 16];
  for (; to < text + TEXT_BYTES; line = to) {
    char *end = write_sum(room, NESTED_MOST);
    if (end - room > 200) continue;
    memcpy(to, room, (size_t)(end - room));
    to += end - room;
    *to++ = '\n';
  }
  *line = 0;
}

/* ---- the parser ---- */

NOINLINE static struct node *node_new(char kind, long value, struct node *left, struct node *right) {
  struct node *n = malloc(sizeof *n);
  *n = (struct node){.left = left, .right = right, .value = value, .kind = kind};
  nodes++;
  return n;
}

static struct node *parse_sum(void);

NOINLINE static struct node *parse_number(void) {
  char *end;
  struct node *n = node_new('0', strtol(at, &end, 10), NULL, NULL);
  at = end;
  return n;
}
NOINLINE static struct node *parse_name(void) {
  struct node *n = node_new('v', 1, NULL, NULL);
  size_t bytes = strspn(at, "v0123456789");
  memcpy(n->name, at, bytes);
  at += bytes;
  return n;
}
NOINLINE static struct node *parse_nested(void) {
  at++;
  struct node *n = parse_sum();
  at++;
  return n;
}
NOINLINE static struct node *parse_factor(void) {
  struct node *n;
  char kind = *at;
  if (kind == '(') n = parse_nested();
  else if (kind == '-') at++, n = node_new('-', 0, parse_factor(), NULL);
  else if (kind == 'f') at++, n = node_new('f', 0, parse_nested(), NULL);
  else if (kind == 'v') n = parse_name();
  else n = parse_number();
  STAYS;
  return n;
}
NOINLINE static struct node *parse_product(void) {
  struct node *n = parse_factor();
  while (*at == '*') at++, n = node_new('*', 0, n, parse_factor());
  STAYS;
  return n;
}
NOINLINE static struct node *parse_sum(void) {
  struct node *n = parse_product();
  while (*at == '+') at++, n = node_new('+', 0, n, parse_product());
  STAYS;
  return n;
}

static long node_free(struct node *n) {
  if (!n) return 0;
  long sum = n->value + node_free(n->left) + node_free(n->right);
  free(n);
  return sum;
}

NOINLINE static long parse_text(void) {
  long sum = 0;
  for (at = text; *at; at++) sum += node_free(parse_sum());
  return sum;
}

/* ---- the same number of blocks, of one stack ---- */

NOINLINE static long same_run(unsigned long count) {
  struct node *last = NULL;
  long sum = 0;
  for (; count--; last = node_new('0', 1, last, NULL))
    if (!(count & 7)) sum += node_free(last), last = NULL;
  return sum + node_free(last);
}

NOINLINE static long below(int frames, long (*run)(unsigned long), unsigned long count) {
  long sum = frames ? below(frames - 1, run, count) : run(count);
  STAYS;
  return sum;
}

NOINLINE static long parse_run(unsigned long rounds) {
  long sum = 0;
  while (rounds--) sum += parse_text();
  return sum;
}

int main(int argc, char **argv) {
  unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
  text_make();
  long sum = argc > 2 ? below(DEPTH - 5, same_run, rounds * 30000) : below(OUTER - 4, parse_run, rounds);
  printf("%lu nodes, %ld\n", nodes, sum);
  return 0;
}
