/* SPDX-License-Identifier: MIT
 *
 * stream_samples FOLDER: writes every sample stream there as NAME.memscope.
 */
#include "sample.h"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  for (const struct sample *sample = samples; sample->name; sample++) {
    struct book book;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.memscope", argv[1], sample->name);
    sample->write(&book);
    book_close(&book);
    bool saved = book_save(&book, path);
    book_free(&book);
    if (!saved) {
      perror(path);
      return 1;
    }
  }
  return 0;
}
