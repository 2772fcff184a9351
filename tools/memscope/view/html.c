/* SPDX-License-Identifier: MIT
 *
 * Container -> gzip -> base64 -> page, in one stream: nothing is held whole.
 */
#include "view/html.h"

#include "base/arena.h"
#include "base/error.h"

#include <string.h>
#include <zlib.h>

#define PLACE "<script type=\"application/x-memscope\" id=\"memscope-data\">"

enum {
  GZIP_LEVEL = 1,
  GZIP_WINDOW = 15 + 16,
  BUFFER = 3 << 14
}; /* +16: a gzip header; a multiple of 3 for base64 */

struct packer {
  z_stream zip;
  FILE *out;
  uint64_t written;
  size_t held;
  unsigned char buffer[BUFFER];
  char text[BUFFER / 3 * 4];
};

static void out_put(struct packer *packer, const void *bytes, size_t size) {
  packer->written += fwrite(bytes, 1, size, packer->out);
}

/* All whole triples in the buffer; at the end the rest too. */
static void base64_put(struct packer *packer, bool last) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t from = 0, to = 0;
  while (packer->held - from >= 3 || (last && packer->held > from)) {
    size_t have = packer->held - from < 3 ? packer->held - from : 3;
    unsigned char three[3] = {0};
    memcpy(three, packer->buffer + from, have);
    uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];
    for (size_t k = 0; k < 4; k++) packer->text[to++] = k <= have ? digits[bits >> (18 - 6 * k) & 63] : '=';
    from += have;
  }
  out_put(packer, packer->text, to);
  packer->held -= from;
  memmove(packer->buffer, packer->buffer + from, packer->held);
}

static bool zip_run(struct packer *packer, int flush) {
  int result;
  do {
    packer->zip.next_out = packer->buffer + packer->held;
    packer->zip.avail_out = (unsigned)(BUFFER - packer->held);
    result = deflate(&packer->zip, flush);
    packer->held = BUFFER - packer->zip.avail_out;
    base64_put(packer, result == Z_STREAM_END);
  } while (result == Z_OK && (packer->zip.avail_in || flush == Z_FINISH));
  return !ferror(packer->out);
}

static bool container_put(void *context, const void *bytes, size_t size) {
  struct packer *packer = context;
  const unsigned char *at = bytes;
  while (size) {
    unsigned piece = size < (1u << 30) ? (unsigned)size : 1u << 30;
    packer->zip.next_in = (unsigned char *)(uintptr_t)at;
    packer->zip.avail_in = piece;
    if (!zip_run(packer, Z_NO_FLUSH)) return false;
    at += piece;
    size -= piece;
  }
  return true;
}

int ms_html_write(FILE *out, struct ms_columns *columns, uint64_t *size, struct ms_error *error) {
  struct packer *packer = ms_arena_get(ms_columns_arena(columns), sizeof *packer);
  const char *place = strstr(ms_page_start, PLACE);
  if (!place)
    return ms_error_set(error, MS_ERROR_USAGE,
                        "this memscope was built with a page that has no place for data");
  place += strlen(PLACE);
  packer->out = out;
  if (deflateInit2(&packer->zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    return ms_error_set(error, MS_ERROR_USAGE, "no memory to pack the report");
  out_put(packer, ms_page_start, (size_t)(place - ms_page_start));
  if (ms_columns_write(columns, container_put, packer)) zip_run(packer, Z_FINISH);
  deflateEnd(&packer->zip);
  out_put(packer, place, (size_t)(ms_page_end - place));
  *size = packer->written;
  return 0;
}
