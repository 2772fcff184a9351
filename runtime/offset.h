/* SPDX-License-Identifier: MIT
 *
 * Offsets that entry.S needs, checked against the structures in runtime.h.
 */
#ifndef MS_OFFSET_H
#define MS_OFFSET_H

/* struct ms_tls */
#define MS_AT_COUNT 16
#define MS_AT_SITE 20
#define MS_AT_SELF 152
#define MS_AT_FRAME 160
/* struct ms_thread */
#define MS_AT_PENDING 40
#define MS_AT_ROW 48
#define MS_AT_MEMOS (496 + 2 * 16 * 1024)
/* struct ms_unit */
#define MS_AT_FIRST_SITE 16

#endif
