/* SPDX-License-Identifier: MIT
 *
 * Puts bytes into the built page: gzip level 1 (browsers unpack it; level 6 is
 * six times slower for 3 %), base64, between the two halves of the page.
 */
#ifndef MS_VIEW_HTML_H
#define MS_VIEW_HTML_H

#include "view/columns.h"

#include <stdio.h>

struct ms_error;

/* The page as it was built into this program. */
extern const char ms_page_start[], ms_page_end[];

/* Writes the page with the columns in it; what `out` has not taken is for the
 * caller to see (ferror). Returns 0 or the error's code. */
int ms_html_write(FILE *out, struct ms_columns *columns, uint64_t *size, struct ms_error *error);

#endif
