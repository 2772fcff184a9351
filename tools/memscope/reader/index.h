/* SPDX-License-Identifier: MIT
 *
 * What the reader's own files share. Nobody outside reader/ includes this.
 *
 * Functions are listed under the file that holds them.
 */
#ifndef MS_READER_INDEX_H
#define MS_READER_INDEX_H

#include "reader/reader.h"

/* stream.c: maps what the file has grown by since it was opened; pointers into it end */
void ms_stream_grow(struct ms_stream *stream);

/* volume.c: the further files of a rotated stream */
void ms_volumes_open(struct ms_stream *stream);
void ms_volumes_close(struct ms_stream *stream);

/* stream.c: in place of packed bytes, which are unmapped, those of the file. False: *error says
 * why; *losses has what is damaged all the same. */
struct ms_pack_losses;
bool ms_file_unpack(struct ms_stream *stream, const unsigned char **bytes, uint64_t *size, struct ms_pack_losses *losses,
                    struct ms_error *error);

/* stream.c: says and counts what the volume of that number lost; `end` is its packed file's */
void ms_losses_take(struct ms_stream *stream, uint32_t number, const struct ms_pack_losses *losses, uint64_t end);

/* index.c: records to lanes */
void ms_index_build(struct ms_stream *stream);

/* module.c: MODULE and PROCESS records; `bytes` of payload are there */
void ms_module_take(struct ms_stream *stream, uint64_t offset, const unsigned char *payload, uint64_t bytes);
void ms_process_take(struct ms_stream *stream, uint64_t offset, const unsigned char *payload, uint64_t bytes);
void ms_modules_finish(struct ms_stream *stream);

/* name.c: a NAMES record of which `bytes` of payload are there */
void ms_names_take(struct ms_stream *stream, const struct ms_record *record, const unsigned char *payload, uint64_t bytes);

/* counter.c: a COUNTERS record, the same */
void ms_counters_take(struct ms_stream *stream, const struct ms_record *record, const unsigned char *payload, uint64_t bytes);

/* denied.c: words of the row at `at` of a damaged piece; 0: none that could have been written there */
uint32_t ms_row_denied(const uint64_t *rows, uint32_t at, uint32_t words);
uint64_t ms_denied_next_ns(const struct ms_piece *in, const uint64_t *row, uint64_t behind_ns); /* told behind that row; in the piece by none: behind_ns */

/* stack.c: definitions of call stacks */
struct ms_stacks *ms_stacks_new(struct ms_stream *stream);

#endif
