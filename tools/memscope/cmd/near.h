/* SPDX-License-Identifier: MIT
 *
 * Names near to a word that is none.
 */
#ifndef MS_CMD_NEAR_H
#define MS_CMD_NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* For "%.*s"; length 0: nothing is near. */
struct ms_near {
  const char *name;
  int length;
};

struct ms_near ms_near_verb(const char *word);

/* Of the verb's; what stands behind '=' is not looked at. */
struct ms_near ms_near_option(const char *verb, const char *word);

/* An environment variable that means something to us? */
bool ms_is_variable(const char *name, size_t length);
struct ms_near ms_near_variable(const char *name, size_t length);

#endif
