/* SPDX-License-Identifier: MIT
 *
 * The text summary, for `memscope summary` and the end of `memscope run`.
 */
#ifndef MS_CMD_SUMMARY_H
#define MS_CMD_SUMMARY_H

#include "base/error.h"

#include <stdio.h>

/* Summary of the stream at path on out; top 0 = the default. Returns 0 or the error's code. */
int ms_summary_print(FILE *out, const char *path, unsigned top, struct ms_error *error);

#endif
