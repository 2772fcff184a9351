/* SPDX-License-Identifier: MIT
 *
 * A small order book: a hash table that grows, customers that own lists, a
 * ring of recent orders, an allocation wrapper, and one forgotten pointer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct order {
  struct order *next; /* of the same customer */
  char *item;
  unsigned number, pieces;
};

struct customer {
  char *name;
  struct order *orders;
  unsigned order_count;
};

struct book {
  struct customer **slots;
  size_t slot_count, used;
  char **log;
  size_t log_count, log_room;
};

static void *xmalloc(size_t bytes) {
  void *p = malloc(bytes);
  if (p) return p;
  perror("orders");
  exit(1);
}

static char *text_copy(const char *text) {
  char *copy = xmalloc(strlen(text) + 1);
  return strcpy(copy, text);
}

static size_t hash(const char *name) {
  uint64_t h = 1469598103934665603u;
  while (*name) h = (h ^ (unsigned char)*name++) * 1099511628211u;
  return (size_t)h;
}

static struct customer **slot_of(struct book *book, const char *name) {
  size_t i = hash(name) & (book->slot_count - 1);
  while (book->slots[i] && strcmp(book->slots[i]->name, name) != 0) i = (i + 1) & (book->slot_count - 1);
  return &book->slots[i];
}

static void book_grow(struct book *book) {
  struct book old = *book;
  book->slot_count = old.slot_count ? old.slot_count * 2 : 8;
  book->slots = calloc(book->slot_count, sizeof *book->slots);
  if (!book->slots) exit(1);
  for (size_t i = 0; i < old.slot_count; i++)
    if (old.slots[i]) *slot_of(book, old.slots[i]->name) = old.slots[i];
  free(old.slots);
}

static struct customer *customer_of(struct book *book, const char *name) {
  if (book->used * 2 >= book->slot_count) book_grow(book);
  struct customer **slot = slot_of(book, name);
  if (*slot) return *slot;
  struct customer *customer = xmalloc(sizeof *customer);
  *customer = (struct customer){.name = text_copy(name)};
  book->used++;
  return *slot = customer;
}

static void log_line(struct book *book, const char *line) {
  if (book->log_count == book->log_room) {
    book->log_room = book->log_room ? book->log_room * 2 : 16;
    book->log = realloc(book->log, book->log_room * sizeof *book->log);
    if (!book->log) exit(1);
  }
  book->log[book->log_count++] = text_copy(line);
}

static void order_take(struct book *book, const char *name, unsigned number) {
  char item[32], line[96];
  struct customer *customer = customer_of(book, name);
  struct order *order = xmalloc(sizeof *order);
  snprintf(item, sizeof item, "item-%u", number % 17);
  *order = (struct order){customer->orders, text_copy(item), number, 1 + number % 5};
  customer->orders = order;
  customer->order_count++;
  snprintf(line, sizeof line, "order %u of %s: %u x %s", number, name, order->pieces, item);
  log_line(book, line);
}

static unsigned orders_ship(struct customer *customer) {
  unsigned pieces = 0;
  for (struct order *order = customer->orders, *next; order; order = next) {
    next = order->next;
    pieces += order->pieces;
    if (order->number % 29) free(order->item); /* forgotten once in 29 orders: the report shows it as not freed */
    free(order);
  }
  customer->orders = NULL;
  return pieces;
}

static void book_close(struct book *book) {
  for (size_t i = 0; i < book->slot_count; i++) {
    if (!book->slots[i]) continue;
    free(book->slots[i]->name);
    free(book->slots[i]);
  }
  for (size_t i = 0; i < book->log_count; i++) free(book->log[i]);
  free(book->log);
  free(book->slots);
}

int main(int argc, char **argv) {
  unsigned orders = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000, pieces = 0;
  struct book book = {0};
  for (unsigned number = 0; number < orders; number++) {
    char name[32];
    snprintf(name, sizeof name, "customer-%u", number * 7919 % 701);
    order_take(&book, name, number);
  }
  for (size_t i = 0; i < book.slot_count; i++)
    if (book.slots[i]) pieces += orders_ship(book.slots[i]);
  printf("%zu customers, %zu lines, %u pieces\n", book.used, book.log_count, pieces);
  book_close(&book);
  return 0;
}
