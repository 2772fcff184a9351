/* SPDX-License-Identifier: MIT
 *
 * A key-value store that serves a few connections: each has a read buffer and a
 * queue of replies, the store a hash table that grows. Commands come from a
 * small generator, so it needs no network:
 *
 *   kv [COMMANDS]      default 20000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 8, READ_BYTES = 16384 };

struct entry {
  struct entry *next;
  char *value;
  char key[];
};

struct store {
  struct entry **buckets;
  size_t bucket_count, entries;
};

struct reply {
  struct reply *next;
  char *text;
};

struct conn {
  char *rbuf;
  struct reply *replies;
  unsigned id, served;
};

static void *xmalloc(size_t bytes) {
  void *p = malloc(bytes);
  if (!p) abort();
  return p;
}

static char *text_copy(const char *text) { return strcpy(xmalloc(strlen(text) + 1), text); }

static size_t hash(const char *key) {
  size_t h = 5381;
  while (*key) h = h * 33 + (unsigned char)*key++;
  return h;
}

static struct conn *conn_new(unsigned id) {
  struct conn *conn = xmalloc(sizeof *conn);
  conn->rbuf = xmalloc(READ_BYTES);
  conn->replies = NULL;
  conn->id = id;
  conn->served = 0;
  return conn;
}

static void store_grow(struct store *store) {
  size_t count = store->bucket_count ? store->bucket_count * 2 : 16;
  struct entry **buckets = calloc(count, sizeof *buckets);
  for (size_t i = 0; i < store->bucket_count; i++)
    for (struct entry *e = store->buckets[i], *next; e; e = next) {
      next = e->next;
      struct entry **home = &buckets[hash(e->key) % count];
      e->next = *home;
      *home = e;
    }
  free(store->buckets);
  store->buckets = buckets;
  store->bucket_count = count;
}

static struct entry *store_find(struct store *store, const char *key) {
  if (!store->bucket_count) return NULL;
  struct entry *e = store->buckets[hash(key) % store->bucket_count];
  while (e && strcmp(e->key, key) != 0) e = e->next;
  return e;
}

static void store_set(struct store *store, const char *key, const char *value) {
  struct entry *e = store_find(store, key);
  if (e) {
    free(e->value);
  } else {
    if (store->entries >= store->bucket_count) store_grow(store);
    e = xmalloc(sizeof *e + strlen(key) + 1);
    strcpy(e->key, key);
    struct entry **home = &store->buckets[hash(key) % store->bucket_count];
    e->next = *home;
    *home = e;
    store->entries++;
  }
  e->value = text_copy(value);
}

static void conn_reply(struct conn *conn, const char *text) {
  struct reply *reply = xmalloc(sizeof *reply);
  reply->text = text_copy(text);
  reply->next = conn->replies;
  conn->replies = reply;
}

static void conn_flush(struct conn *conn) {
  while (conn->replies) {
    struct reply *reply = conn->replies;
    conn->replies = reply->next;
    if (reply->text[0] != '-') free(reply->text); /* the text of an error is forgotten */
    free(reply);
    conn->served++;
  }
}

static void conn_serve(struct conn *conn, struct store *store) {
  char verb[8], key[32], value[64];
  int words = sscanf(conn->rbuf, "%7s %31s %63s", verb, key, value);
  struct entry *e = words >= 2 ? store_find(store, key) : NULL;
  if (words == 3 && strcmp(verb, "set") == 0) {
    store_set(store, key, value);
    conn_reply(conn, "+ok");
  } else {
    conn_reply(conn, e ? e->value : "-no such key");
  }
  if (conn->served % 16 == 0 || e) conn_flush(conn);
}

int main(int argc, char **argv) {
  int commands = argc > 1 ? atoi(argv[1]) : 20000;
  struct store store = {0};
  struct conn *conns[CONNECTIONS];
  unsigned served = 0;
  for (unsigned i = 0; i < CONNECTIONS; i++) conns[i] = conn_new(i);
  for (int i = 0; i < commands; i++) {
    struct conn *conn = conns[i % CONNECTIONS];
    unsigned key = (unsigned)i * 2654435761u >> 19;
    if (i % 3) snprintf(conn->rbuf, READ_BYTES, "get key%u", key);
    else snprintf(conn->rbuf, READ_BYTES, "set key%u value-%d", key, i);
    conn_serve(conn, &store);
  }
  for (unsigned i = 0; i < CONNECTIONS; i++) {
    conn_flush(conns[i]);
    served += conns[i]->served;
    free(conns[i]->rbuf);
    free(conns[i]);
  }
  printf("%zu entries, %u replies\n", store.entries, served);
  return 0;
}
