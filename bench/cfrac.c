/* SPDX-License-Identifier: MIT
 *
 * Factors a number by continued fractions (Morrison and Brillhart, 1975): the
 * convergents A/B of sqrt(kN) give A² ≡ (-1)ⁿ Q mod N with Q small; smooth Q are
 * combined to x² ≡ y². Numbers are immutable, one heap block each, as a program
 * of this kind would have them: nearly all it does is allocate and free.
 *
 *   cfrac NUMBER [MULTIPLIER]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIMES = 120, RELATIONS = PRIMES + 12, WORDS = (RELATIONS + 63) / 64 };

struct num {
  unsigned refs, used; /* used: limbs without leading zeros; 0 is zero */
  uint8_t limb[]; /* base 256, lowest first: about as much arithmetic per block as the well-known cfrac */
};

static struct num *num_new(unsigned limbs) {
  struct num *n = malloc(sizeof *n + limbs * sizeof n->limb[0]);
  if (!n) abort();
  n->refs = 1;
  n->used = limbs;
  memset(n->limb, 0, limbs * sizeof n->limb[0]);
  return n;
}
static struct num *num_keep(struct num *n) { return n->refs++, n; }
static void num_drop(struct num *n) {
  if (--n->refs == 0) free(n);
}
static void num_set(struct num **to, struct num *n) { /* takes n over */
  num_drop(*to);
  *to = n;
}
static struct num *num_trim(struct num *n) {
  while (n->used && !n->limb[n->used - 1]) n->used--;
  return n;
}
static struct num *num_of(uint64_t v) {
  struct num *n = num_new(8);
  for (int i = 0; i < 8; i++) n->limb[i] = (uint8_t)(v >> 8 * i);
  return num_trim(n);
}
static int num_cmp(const struct num *a, const struct num *b) {
  if (a->used != b->used) return a->used < b->used ? -1 : 1;
  for (unsigned i = a->used; i-- > 0;)
    if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
  return 0;
}

static struct num *num_add(const struct num *a, const struct num *b) {
  unsigned most = a->used > b->used ? a->used : b->used;
  struct num *r = num_new(most + 1);
  uint32_t carry = 0;
  for (unsigned i = 0; i <= most; i++) {
    carry += (i < a->used ? a->limb[i] : 0u) + (i < b->used ? b->limb[i] : 0u);
    r->limb[i] = (uint8_t)carry;
    carry >>= 8;
  }
  return num_trim(r);
}

static struct num *num_sub(const struct num *a, const struct num *b) { /* a >= b */
  struct num *r = num_new(a->used);
  int32_t borrow = 0;
  for (unsigned i = 0; i < a->used; i++) {
    borrow += a->limb[i] - (i < b->used ? b->limb[i] : 0);
    r->limb[i] = (uint8_t)borrow;
    borrow >>= 8;
  }
  return num_trim(r);
}

static struct num *num_mul(const struct num *a, const struct num *b) {
  struct num *r = num_new(a->used + b->used);
  for (unsigned i = 0; i < a->used; i++) {
    uint32_t carry = 0;
    for (unsigned j = 0; j < b->used; j++) {
      carry += (uint32_t)a->limb[i] * b->limb[j] + r->limb[i + j];
      r->limb[i + j] = (uint8_t)carry;
      carry >>= 8;
    }
    r->limb[i + b->used] = (uint8_t)carry;
  }
  return num_trim(r);
}

/* By a single limb; the quotient is the result, the remainder goes to *rest. */
static struct num *num_div_small(const struct num *a, uint16_t d, uint32_t *rest) {
  struct num *q = num_new(a->used);
  uint32_t r = 0;
  for (unsigned i = a->used; i-- > 0;) {
    r = r << 8 | a->limb[i];
    q->limb[i] = (uint8_t)(r / d);
    r %= d;
  }
  *rest = r;
  return num_trim(q);
}

/* Bit by bit: slow and plain; the numbers have a few limbs. */
static struct num *num_shift(const struct num *a, int bits) {
  struct num *r = num_new(a->used + (unsigned)bits / 8 + 1);
  for (unsigned i = 0; i < a->used; i++) {
    uint32_t v = (uint32_t)a->limb[i] << (bits % 8);
    r->limb[i + (unsigned)bits / 8] |= (uint8_t)v;
    r->limb[i + (unsigned)bits / 8 + 1] |= (uint8_t)(v >> 8);
  }
  return num_trim(r);
}
static int num_bits(const struct num *a) {
  return a->used ? (int)(a->used - 1) * 8 + 32 - __builtin_clz(a->limb[a->used - 1]) : 0;
}

static struct num *num_divmod(struct num *a, struct num *b, struct num **rest) {
  struct num *q = num_new(a->used), *r = num_keep(a);
  if (b->used == 1) {
    uint32_t small;
    num_drop(q);
    q = num_div_small(a, b->limb[0], &small);
    num_set(&r, num_of(small));
  } else {
    for (int i = num_bits(a) - num_bits(b); i >= 0; i--) {
      struct num *step = num_shift(b, i);
      if (num_cmp(r, step) >= 0) {
        num_set(&r, num_sub(r, step));
        q->limb[i / 8] |= (uint8_t)(1u << (i % 8));
      }
      num_drop(step);
    }
    num_trim(q);
  }
  if (rest) *rest = r;
  else num_drop(r);
  return q;
}
static struct num *num_mod(struct num *a, struct num *b) {
  struct num *rest;
  num_drop(num_divmod(a, b, &rest));
  return rest;
}
static struct num *num_mulmod(struct num *a, struct num *b, struct num *n) {
  struct num *product = num_mul(a, b), *r = num_mod(product, n);
  num_drop(product);
  return r;
}
static struct num *num_sqrt(struct num *n) {
  struct num *x = num_new(1);
  x->limb[0] = 1;
  num_set(&x, num_shift(x, num_bits(n) / 2 + 1));
  for (;;) { /* Newton from above */
    struct num *q = num_divmod(n, x, NULL), *sum = num_add(q, x);
    uint32_t odd;
    struct num *next = num_div_small(sum, 2, &odd);
    num_drop(q), num_drop(sum);
    if (num_cmp(next, x) >= 0) return num_drop(next), x;
    num_set(&x, next);
  }
}
static struct num *num_gcd(struct num *a, struct num *b) {
  a = num_keep(a), b = num_keep(b);
  while (b->used) {
    struct num *r = num_mod(a, b);
    num_drop(a);
    a = b, b = r;
  }
  num_drop(b);
  return a;
}
static struct num *num_parse(const char *text) {
  struct num *n = num_new(0), *ten = num_of(10);
  for (; *text >= '0' && *text <= '9'; text++) {
    struct num *times = num_mul(n, ten), *digit = num_of((uint64_t)(*text - '0'));
    num_set(&n, num_add(times, digit));
    num_drop(times), num_drop(digit);
  }
  num_drop(ten);
  return n;
}
static void num_print(struct num *n, const char *end) {
  char text[400];
  size_t at = sizeof text - 1;
  text[at] = 0;
  n = num_keep(n);
  do {
    uint32_t digit;
    num_set(&n, num_div_small(n, 10, &digit));
    text[--at] = (char)('0' + digit);
  } while (n->used);
  num_drop(n);
  printf("%s%s", text + at, end);
}

struct relation {
  struct num *a;                    /* the convergent's numerator mod N */
  unsigned char power[PRIMES + 1];  /* [0]: the sign */
  uint64_t odd[(PRIMES + 64) / 64]; /* parities of power */
  uint64_t from[WORDS];             /* which relations were multiplied in */
};

static uint16_t prime[PRIMES];
static struct relation relation[RELATIONS];
static unsigned relations;

/* kN must be a square modulo p, else p divides no Q. */
static void primes_find(const struct num *kn) {
  unsigned found = 0;
  for (uint16_t p = 2; found < PRIMES; p++) {
    int composite = 0;
    for (uint32_t d = 2; d * d <= p; d++) composite |= p % d == 0;
    if (composite) continue;
    uint32_t rest, square = 0;
    num_drop(num_div_small(kn, p, &rest));
    for (uint64_t x = 0; x < p && !square; x++) square = x * x % p == rest;
    if (square) prime[found++] = p;
  }
}

static int smooth(struct num *q, struct relation *r) {
  struct num *left = num_keep(q);
  memset(r->power, 0, sizeof r->power);
  for (unsigned i = 0; i < PRIMES && left->used; i++)
    for (;;) {
      uint32_t rest;
      struct num *quotient = num_div_small(left, prime[i], &rest);
      if (rest) {
        num_drop(quotient);
        break;
      }
      num_set(&left, quotient);
      r->power[i + 1]++;
    }
  int one = left->used == 1 && left->limb[0] == 1;
  num_drop(left);
  return one;
}

static void relation_add(struct num *a, unsigned step) {
  struct relation *r = &relation[relations];
  r->a = num_keep(a);
  r->power[0] = step & 1;
  for (unsigned i = 0; i <= PRIMES; i++) r->odd[i / 64] |= (uint64_t)(r->power[i] & 1) << (i % 64);
  r->from[relations / 64] |= UINT64_C(1) << (relations % 64);
  relations++;
}

/* Multiplies the chosen relations to x² ≡ y² and tries gcd(x - y, N). */
static int try_square(const uint64_t *chosen, struct num *n) {
  struct num *x = num_of(1), *y = num_of(1);
  unsigned power[PRIMES + 1] = {0};
  for (unsigned i = 0; i < relations; i++)
    if (chosen[i / 64] >> (i % 64) & 1) {
      num_set(&x, num_mulmod(x, relation[i].a, n));
      for (unsigned k = 0; k <= PRIMES; k++) power[k] += relation[i].power[k];
    }
  for (unsigned k = 1; k <= PRIMES; k++)
    for (unsigned i = 0; i < power[k] / 2; i++) {
      struct num *p = num_of(prime[k - 1]);
      num_set(&y, num_mulmod(y, p, n));
      num_drop(p);
    }
  struct num *difference = num_cmp(x, y) >= 0 ? num_sub(x, y) : num_sub(y, x), *g = num_gcd(difference, n);
  int good = g->used && !(g->used == 1 && g->limb[0] == 1) && num_cmp(g, n) < 0;
  if (good) {
    struct num *other = num_divmod(n, g, NULL);
    if (num_cmp(g, other) > 0) {
      struct num *t = g;
      g = other, other = t;
    }
    num_print(g, " * ");
    num_print(other, "\n");
    num_drop(other);
  }
  num_drop(x), num_drop(y), num_drop(difference), num_drop(g);
  return good;
}

static int solve(struct num *n) {
  char used[RELATIONS] = {0};
  for (unsigned column = 0; column <= PRIMES; column++) {
    unsigned pivot = 0;
    while (pivot < relations && (used[pivot] || !(relation[pivot].odd[column / 64] >> (column % 64) & 1))) pivot++;
    if (pivot == relations) continue;
    used[pivot] = 1;
    for (unsigned i = 0; i < relations; i++)
      if (i != pivot && relation[i].odd[column / 64] >> (column % 64) & 1) {
        for (unsigned w = 0; w < sizeof relation[i].odd / 8; w++) relation[i].odd[w] ^= relation[pivot].odd[w];
        for (unsigned w = 0; w < WORDS; w++) relation[i].from[w] ^= relation[pivot].from[w];
      }
  }
  for (unsigned i = 0; i < relations; i++)
    if (!used[i] && try_square(relation[i].from, n)) return 1;
  return 0;
}

/* P, Q, A of the continued fraction of sqrt(kN); collects smooth Q. */
static void expand(struct num *kn, struct num *n) {
  struct num *root = num_sqrt(kn), *square = num_mul(root, root);
  struct num *p = num_keep(root), *q_before = num_of(1), *q = num_sub(kn, square);
  struct num *a_before = num_of(1), *a = num_mod(root, n);
  num_drop(square);
  for (unsigned step = 1; relations < RELATIONS && q->used; step++) {
    if (smooth(q, &relation[relations])) relation_add(a, step);
    struct num *sum = num_add(root, p), *b = num_divmod(sum, q, NULL), *bq = num_mul(b, q), *next_p = num_sub(bq, p);
    struct num *next_q;
    if (num_cmp(p, next_p) >= 0) {
      struct num *d = num_sub(p, next_p), *bd = num_mul(b, d);
      next_q = num_add(q_before, bd);
      num_drop(d), num_drop(bd);
    } else {
      struct num *d = num_sub(next_p, p), *bd = num_mul(b, d);
      next_q = num_sub(q_before, bd);
      num_drop(d), num_drop(bd);
    }
    struct num *ba = num_mul(b, a), *next = num_add(ba, a_before), *next_a = num_mod(next, n);
    num_drop(sum), num_drop(b), num_drop(bq), num_drop(ba), num_drop(next);
    num_set(&p, next_p);
    num_drop(q_before), q_before = q, q = next_q;
    num_drop(a_before), a_before = a, a = next_a;
  }
  num_drop(root), num_drop(p), num_drop(q), num_drop(q_before), num_drop(a), num_drop(a_before);
}

int main(int argc, char **argv) {
  struct num *n = num_parse(argc > 1 ? argv[1] : "4175764634412486014593803028771"), *k = num_of(argc > 2 ? strtoull(argv[2], NULL, 10) : 3);
  struct num *kn = num_mul(n, k);
  primes_find(kn);
  expand(kn, n);
  int found = solve(n);
  printf(found ? "" : "no factor; try another multiplier\n");
  for (unsigned i = 0; i < relations; i++) num_drop(relation[i].a);
  num_drop(n), num_drop(k), num_drop(kn);
  return !found;
}
