/* SPDX-License-Identifier: MIT
 *
 * Packing gives every byte back, of streams and of what is none; a packed file
 * that is cut or damaged gives a beginning of the stream and an error with its
 * place, and harms nobody (built under ASan and UBSan).
 */
#define _GNU_SOURCE /* memfd_create */
#include "sample.h"

#include "base/arena.h"
#include "base/error.h"
#include "pack/pack.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NOISE_BYTES = 300000, CUTS = 100, CORRUPTIONS = 300 };

#define CHECK(condition, ...)                                                                                \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                        \
      fprintf(stderr, __VA_ARGS__);                                                                          \
      fputc('\n', stderr);                                                                                   \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

struct bytes {
  unsigned char *at;
  uint64_t size;
};

static uint64_t state = 1;
static uint64_t dice(uint64_t sides) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (state >> 33) % sides;
}

static struct bytes pack(const struct bytes *stream) {
  char *packed = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&packed, &size);
  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  CHECK(out && ms_pack(arena, stream->at, stream->size, out, "memory", NULL, &error) == 0, "%s", error.text);
  fclose(out);
  ms_arena_free(arena);
  return (struct bytes){(unsigned char *)packed, size};
}

/* As it was, but for zeros where a part is lost. */
static bool all_right(const unsigned char *bytes, const unsigned char *stream, uint64_t size, const struct ms_pack_losses *losses) {
  for (uint64_t i = 0; i < size; i++) {
    if (bytes[i] == stream[i]) continue;
    bool lost = false;
    for (uint32_t p = 0; p < losses->count; p++) lost |= i - losses->parts[p].stream_offset < losses->parts[p].stream_bytes;
    if (!lost || bytes[i]) return false;
  }
  return true;
}

/* What comes out must begin as `stream` does, when that is given. */
static int unpack(const struct bytes *packed, const struct bytes *stream, struct ms_error *error) {
  int fd = memfd_create("stream", 0);
  struct ms_arena *arena = ms_arena_new();
  struct ms_pack_losses losses;
  int code = ms_unpack(arena, packed->at, packed->size, "memory", fd, NULL, &losses, error);
  uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
  CHECK(code || (stream && size == stream->size) || !stream, "%" PRIu64 " bytes of %" PRIu64, size, stream->size);
  void *bytes = size && stream ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
  if (bytes) {
    CHECK(size <= stream->size && all_right(bytes, stream->at, size, &losses), "other bytes than went in");
    munmap(bytes, size);
  }
  close(fd);
  ms_arena_free(arena);
  return code;
}

static struct bytes round_trip(const struct bytes *stream) {
  struct ms_error error = {0};
  struct bytes packed = pack(stream);
  CHECK(ms_is_packed(packed.at, packed.size) && !ms_is_packed(stream->at, stream->size), "not told apart");
  CHECK(unpack(&packed, stream, &error) == 0, "%s", error.text);
  return packed;
}

static void cuts(const struct bytes *packed, const struct bytes *stream) {
  for (int i = 0; i < CUTS; i++) {
    struct ms_error error = {0};
    struct bytes cut = {packed->at, sizeof(struct ms_pack_header) + dice(packed->size - sizeof(struct ms_pack_header))};
    CHECK(unpack(&cut, stream, &error) == MS_ERROR_DATA, "cut at %" PRIu64 " is not said", cut.size);
    CHECK(error.offset <= cut.size, "damage at %" PRIu64 " of %" PRIu64, error.offset, cut.size);
  }
}

static void reseal(struct bytes *packed) {
  struct ms_pack_segment segment;
  for (uint64_t at = sizeof(struct ms_pack_header); packed->size - at >= sizeof segment; at += sizeof segment + segment.packed_bytes) {
    memcpy(&segment, packed->at + at, sizeof segment);
    if (segment.packed_bytes > packed->size - at - sizeof segment) return;
    segment.checksum = XXH3_64bits(packed->at + at + sizeof segment, segment.packed_bytes);
    segment.check = XXH3_64bits_withSeed(&segment, offsetof(struct ms_pack_segment, check), MS_PACK_SEGMENT_MAGIC);
    memcpy(packed->at + at, &segment, sizeof segment);
  }
}

/* Every other one with checksums that hold, so that the decoder meets it. */
static void corruptions(const struct bytes *packed, const struct bytes *stream) {
  struct bytes damaged = {malloc(packed->size), packed->size};
  for (int i = 0; i < CORRUPTIONS; i++) {
    struct ms_error error = {0};
    memcpy(damaged.at, packed->at, packed->size);
    for (uint64_t n = 1 + dice(8); n > 0; n--) damaged.at[8 + dice(packed->size - 8)] ^= (unsigned char)(1 + dice(255));
    if (i % 2) reseal(&damaged);
    int code = unpack(&damaged, i % 2 ? NULL : stream, &error);
    CHECK(!code || (code == MS_ERROR_DATA && *error.text), "code %d: %s", code, error.text);
  }
  free(damaged.at);
}

/* No stream at all, and one whose records are full of it. */
static void noise(void) {
  struct bytes bytes = {malloc(NOISE_BYTES), NOISE_BYTES};
  for (uint64_t i = 0; i < bytes.size; i++) bytes.at[i] = (unsigned char)dice(256);
  free(round_trip(&bytes).at);
  for (uint64_t at = MS_HEADER_BYTES; at + 65536 < bytes.size; at += 65536) {
    struct ms_record record = {MS_RECORD_MAGIC, MS_RECORD_CHUNK, 65536, 1, 0, ms_fill(0, (uint32_t)dice(80000)), 0, 0, 0, 0};
    memcpy(bytes.at + at, &record, sizeof record);
  }
  struct bytes packed = round_trip(&bytes);
  cuts(&packed, &bytes);
  corruptions(&packed, &bytes);
  free(packed.at);
  for (uint64_t size = 1; size < 40; size++) free(round_trip(&(struct bytes){bytes.at, size * 997}).at);
  free(bytes.at);
}

int main(void) {
  for (const struct sample *sample = samples; sample->name; sample++) {
    struct book book;
    sample->write(&book);
    book_close(&book);
    struct bytes stream = {book.bytes, book.size}, packed = round_trip(&stream);
    cuts(&packed, &stream);
    corruptions(&packed, &stream);
    free(packed.at);
    book_free(&book);
  }
  noise();
  return 0;
}
