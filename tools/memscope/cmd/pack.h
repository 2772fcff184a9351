/* SPDX-License-Identifier: MIT
 *
 * What `memscope pack` does, for `memscope run --pack` too.
 */
#ifndef MS_CMD_PACK_H
#define MS_CMD_PACK_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct ms_packing {
  const char *input, *output; /* output NULL: made from the input's name, see ms_pack_file */
  bool unpack;
  bool quiet; /* no progress on the terminal */
  const unsigned char *bytes; /* of the input */
  uint64_t size;
  uint64_t read_bytes, written_bytes; /* all files', when all have their names */
  uint32_t files;
};

/* Packs or unpacks the input, which stays, and the further files of a rotated one;
 * sets output when it was NULL. Outputs get their names when all are whole: of a
 * rotated stream with a file that cannot be packed or unpacked none is made. An
 * existing file is replaced only when output named it. Returns 0 or the code of *error. */
int ms_pack_file(struct ms_arena *arena, struct ms_packing *packing, struct ms_error *error);

/* Packs into a new file (an existing name gets .2), looks whether every byte would
 * come back, and only then removes the input. */
int ms_pack_replace(struct ms_arena *arena, struct ms_packing *packing, struct ms_error *error);

#endif
