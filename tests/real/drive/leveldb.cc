// SPDX-License-Identifier: MIT
// Fills, overwrites, deletes, reads and compacts a leveldb database; prints a
// digest of what it read.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/filter_policy.h"
#include "leveldb/write_batch.h"

static unsigned long digest = 5381;
static void take(const std::string &s) {
  for (unsigned char c : s) digest = digest * 33 + c;
}

static std::string key_of(int i) {
  char text[32];
  std::snprintf(text, sizeof text, "key%08d", i * 7919 % 20000);
  return text;
}

static void fill(leveldb::DB *db) {
  for (int i = 0; i < 20000; i += 50) {
    leveldb::WriteBatch batch;
    for (int k = i; k < i + 50; k++) batch.Put(key_of(k), std::string(100 + k % 200, char('a' + k % 26)));
    if (!db->Write(leveldb::WriteOptions(), &batch).ok()) std::exit(1);
  }
  for (int i = 0; i < 20000; i += 3) db->Delete(leveldb::WriteOptions(), key_of(i));
}

static void read(leveldb::DB *db) {
  std::string value;
  int found = 0;
  for (int i = 0; i < 20000; i++)
    if (db->Get(leveldb::ReadOptions(), key_of(i), &value).ok()) found++, take(value);
  std::unique_ptr<leveldb::Iterator> it(db->NewIterator(leveldb::ReadOptions()));
  int seen = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) seen++, take(it->key().ToString());
  std::printf("found %d iterated %d digest %lx\n", found, seen, digest);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  leveldb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 256 << 10;
  std::unique_ptr<const leveldb::FilterPolicy> filter(leveldb::NewBloomFilterPolicy(10));
  std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(1 << 20));
  options.filter_policy = filter.get();
  options.block_cache = cache.get();
  for (int round = 0; round < 2; round++) {
    leveldb::DB *db = nullptr;
    leveldb::Status status = leveldb::DB::Open(options, argv[1], &db);
    if (!status.ok()) return std::fprintf(stderr, "%s\n", status.ToString().c_str()), 1;
    fill(db);
    db->CompactRange(nullptr, nullptr);
    read(db);
    delete db;
  }
}
