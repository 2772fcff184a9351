/* SPDX-License-Identifier: MIT
 *
 * Offsets that entry.S needs, checked against the structures in runtime.h.
 */
#ifndef MS_OFFSET_H
#define MS_OFFSET_H

/* struct ms_tls */
#define MS_AT_LAST_FREED 8
#define MS_AT_SELF 16
/* struct ms_thread */
#define MS_AT_RECORD 16
#define MS_AT_PENDING 24
#define MS_AT_NAME 32
#define MS_AT_PLACE 80
#define MS_AT_COUNT 84
#define MS_AT_SITE 88
/* struct ms_unit */
#define MS_AT_FIRST_SITE 24

#define MS_CHAIN_MOST 16 /* sites a chain is gathered from */

#endif
