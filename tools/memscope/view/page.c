/* SPDX-License-Identifier: MIT
 *
 * The built page as bytes of this program, so that a report needs no file beside
 * it. tools/report/dist/report.html is made by `npm run build` there and committed.
 */
#include "view/html.h"

__asm__(".pushsection .rodata\n"
        ".global ms_page_start, ms_page_end\n"
        "ms_page_start:\n"
        ".incbin \"" MS_PAGE_FILE "\"\n"
        "ms_page_end:\n"
        ".byte 0\n"
        ".popsection\n");
