// SPDX-License-Identifier: MIT
//
// What sampling finds hard: a C++ program of mixed sizes. Most blocks are small, most
// bytes are in few: vectors and strings that grow, a deque, an arena of doubling pieces,
// buffers over four powers of ten, a table that is made once. The same in each run.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

static uint64_t state = 88172645463325252u;
static uint64_t next() {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}
static double unit() { return double(next() >> 11) * 0x1p-53; }

/* Of Pareto's law: half are below 2^(1/alpha) * least, and single ones have most of the bytes. */
static size_t heavy(double least, double alpha, double most) {
  double size = least * std::pow(1 - unit(), -1 / alpha);
  return size_t(size < most ? size : most);
}

struct Record {
  uint64_t key;
  char text[40];
};

struct Arena {
  std::vector<char *> pieces;
  size_t room = 0, size = 1024;
  char *take(size_t n) {
    if (room < n) {
      size = size < (1u << 18) ? size * 2 : size;
      pieces.push_back(new char[size]);
      room = size;
    }
    return pieces.back() + (room -= n);
  }
  ~Arena() {
    for (char *piece : pieces) delete[] piece;
  }
};

static void lists() {
  for (int i = 0; i < 400; i++) {
    std::vector<uint32_t> numbers;
    size_t n = heavy(16, 0.9, 200000);
    for (size_t k = 0; k < n; k++) numbers.push_back(uint32_t(k));
  }
  for (int i = 0; i < 600; i++) {
    std::vector<Record> records;
    size_t n = heavy(2, 1.1, 5000);
    for (size_t k = 0; k < n; k++) records.push_back(Record{k, {}});
  }
}

static void queues() {
  std::deque<Record> queue;
  for (int i = 0; i < 40000; i++) {
    queue.push_back(Record{uint64_t(i), {}});
    if (next() % 3) queue.pop_front();
  }
}

static void arenas() {
  for (int i = 0; i < 60; i++) {
    Arena arena;
    size_t n = heavy(20, 0.8, 20000);
    for (size_t k = 0; k < n; k++) arena.take(16 + next() % 100);
  }
}

static char *message;
static void messages() {
  static char *kept[64];
  for (int i = 0; i < 6000; i++) {
    size_t size = heavy(24, 0.9, 4 << 20);
    message = static_cast<char *>(std::malloc(size));
    char **at = &kept[next() % 64];
    std::free(*at);
    *at = message;
  }
}

static char *image, *row, *header, *packet, *scratch;
static void images() {
  for (int i = 0; i < 40; i++) {
    image = new char[heavy(20000, 1.2, 8 << 20)];
    for (int k = 0; k < 50; k++) {
      row = new char[300 + next() % 3000];
      header = new char[64];
      delete[] header;
      delete[] row;
    }
    if (i % 4) delete[] image;
  }
  for (int i = 0; i < 3000; i++) {
    packet = new char[next() % 50 ? 120 : 9000]; /* a kind that is seldom */
    scratch = new char[next() % 400 ? 48 : 60000];
    delete[] packet;
    delete[] scratch;
  }
}

static void texts() {
  std::map<int, std::unique_ptr<Record>> by_key;
  std::unordered_map<uint64_t, std::vector<char>> blobs;
  for (int i = 0; i < 8000; i++) {
    by_key[int(next() % 4000)] = std::make_unique<Record>();
    if (i % 8 == 0) blobs[next() % 900].resize(heavy(30, 1, 1 << 19));
  }
  std::string log;
  for (int i = 0; i < 30000; i++) log += "a line of the log\n";
}

struct Table {
  Record *cells = new Record[60000]();
  ~Table() { delete[] cells; }
};

int main() {
  auto table = std::make_unique<Table>();
  lists();
  queues();
  arenas();
  messages();
  images();
  texts();
}
