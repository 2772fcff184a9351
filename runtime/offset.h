/* SPDX-License-Identifier: MIT
 *
 * Offsets that entry.S needs, checked against the structures in runtime.h.
 */
#ifndef MS_OFFSET_H
#define MS_OFFSET_H

/* struct ms_tls */
#define MS_AT_LAST_FREED 8
#define MS_AT_SELF 16
#define MS_AT_FRAME 24
#define MS_AT_BLOCK 32
#define MS_AT_PLACE 96
/* struct ms_gather */
#define MS_AT_COUNT 8
#define MS_AT_SITE 12
/* struct ms_thread */
#define MS_AT_PENDING 24
#define MS_AT_NAME 32
#define MS_AT_CHAINS (136 + 16 * 1024)
/* struct ms_unit */
#define MS_AT_FIRST_SITE 24

#define MS_CHAIN_MOST 12 /* sites a chain is gathered from */

#endif
