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
#include "pack/column.h"
#include "pack/pack.h"
#include "pack/segment.h"

#include <zstd.h>

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
    segment.check = ms_pack_check(&segment);
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

/* ---- files that no memscope wrote ---- */

static void put(struct bytes *to, const void *from, uint64_t size) {
  to->at = realloc(to->at, to->size + size);
  if (from) memcpy(to->at + to->size, from, size);
  else memset(to->at + to->size, 'x', size);
  to->size += size;
}

static struct bytes forged(uint64_t stream_bytes) {
  struct ms_pack_header header = {.magic = MS_PACK_MAGIC, .byte_order = MS_BYTE_ORDER, .version = MS_PACK_VERSION, .stream_bytes = stream_bytes};
  struct bytes file = {0};
  put(&file, &header, sizeof header);
  return file;
}

static void segment_put(struct bytes *file, uint64_t stream_offset, uint64_t stream_bytes, uint32_t columns, const struct bytes *payload) {
  struct ms_pack_segment segment = {.magic = MS_PACK_SEGMENT_MAGIC, .columns = columns, .stream_offset = stream_offset,
                                    .stream_bytes = stream_bytes, .packed_bytes = payload->size};
  segment.checksum = XXH3_64bits(payload->at, payload->size);
  segment.check = ms_pack_check(&segment);
  put(file, &segment, sizeof segment);
  put(file, payload->at, payload->size);
}

static void column_put(struct bytes *payload, uint32_t id, uint32_t bytes, const struct bytes *frame) {
  struct ms_pack_column head = {.id = id, .bytes = bytes, .packed_bytes = (uint32_t)frame->size};
  put(payload, &head, sizeof head);
  put(payload, frame->at, frame->size);
}

static struct bytes zeros(size_t bytes) {
  struct bytes packed = {malloc(ZSTD_compressBound(bytes)), ZSTD_compressBound(bytes)};
  void *plain = calloc(1, bytes);
  packed.size = ZSTD_compress(packed.at, packed.size, plain, bytes, 1);
  free(plain);
  return packed;
}

/* Some KB that claim a GB, in one segment or each of many: no more is taken than a true one needs. */
static void bombs(uint32_t segments, uint32_t columns) {
  enum { BLOWN = 128 << 20, HELD_MOST = 400 << 20 };
  struct bytes frame = zeros(BLOWN), file = forged(segments * 4096);
  for (uint32_t i = 0; i < segments; i++) {
    struct bytes payload = {0};
    for (uint32_t c = 0; c < columns; c++) column_put(&payload, COLUMN_NAME + i + c, BLOWN, &frame);
    segment_put(&file, i * 4096, 4096, columns, &payload);
    free(payload.at);
  }
  struct ms_arena *arena = ms_arena_new();
  struct ms_pack_losses losses;
  struct ms_error error = {0};
  int fd = memfd_create("stream", 0);
  CHECK(ms_unpack(arena, file.at, file.size, "memory", fd, NULL, &losses, &error) == MS_ERROR_DATA, "taken for a stream");
  CHECK(ms_arena_bytes(arena) <= HELD_MOST, "%zu bytes for a file of %" PRIu64, ms_arena_bytes(arena), file.size);
  close(fd);
  ms_arena_free(arena);
  free(frame.at);
  free(file.at);
}

/* Bytes of what is unpacked of a whole segment that says it stands at `offset`, behind a gap. */
static uint64_t behind_gap(uint64_t stream_bytes, uint64_t gap, uint64_t offset) {
  struct bytes stream = {calloc(1, 8192), 8192}, packed = pack(&stream), file = forged(stream_bytes);
  struct ms_pack_segment segment;
  struct ms_error error = {0};
  memcpy(&segment, packed.at + sizeof(struct ms_pack_header), sizeof segment);
  struct bytes payload = {packed.at + sizeof(struct ms_pack_header) + sizeof segment, segment.packed_bytes};
  put(&file, NULL, gap);
  segment_put(&file, offset, stream.size, segment.columns, &payload);
  struct ms_arena *arena = ms_arena_new();
  struct ms_pack_losses losses;
  int fd = memfd_create("stream", 0);
  CHECK(ms_unpack(arena, file.at, file.size, "memory", fd, NULL, &losses, &error) == MS_ERROR_DATA, "the gap is not said");
  uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
  close(fd);
  ms_arena_free(arena);
  free(stream.at);
  free(packed.at);
  free(file.at);
  return size;
}

/* What was lost is no larger than the stream, and than its packed bytes can have held. */
static void gaps(void) {
  enum { GAP = 1 << 16, LOST = 16 << 20 };
  CHECK(behind_gap(LOST + 8192, GAP, LOST) == LOST + 8192, "a segment behind a gap is lost");
  CHECK(behind_gap(LOST + 8191, GAP, LOST) == 0, "a segment lies behind the stream's end");
  CHECK(behind_gap(UINT64_C(1) << 60, GAP, UINT64_C(32) << 30) == 0, "%d bytes are said to have been 32 GB", GAP);
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
  bombs(1, 8);
  bombs(8, 1);
  gaps();
  return 0;
}
