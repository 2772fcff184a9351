/* SPDX-License-Identifier: MIT
 *
 * The doctor's checks and what they say.
 */
#ifndef MS_CMD_DOCTOR_H
#define MS_CMD_DOCTOR_H

#include <limits.h>
#include <stddef.h>

enum ms_health { MS_HEALTH_OK, MS_HEALTH_WARN, MS_HEALTH_FAIL, MS_HEALTHS };

struct ms_doctor {
  const char *check;     /* name of the one that runs */
  const char *program;   /* that is to be recorded; NULL: none was named */
  char folder[PATH_MAX]; /* a private one, removed at the end */
  unsigned count[MS_HEALTHS];
};

/* Prints one line of the table; `mend` (what to do) is NULL when all is well. */
void ms_doctor_say(struct ms_doctor *doctor, enum ms_health health, const char *mend, const char *found, ...)
    __attribute__((format(printf, 4, 5)));

/* Runs words[0] to its end; stdout and stderr go to text. Returns the exit code, 128 + n
 * after a signal, 127 when it could not be started. */
int ms_doctor_run(char *const words[], char *text, size_t text_bytes);

#define MS_CHECK(id, name) void ms_doctor_##id(struct ms_doctor *doctor);
#include "cmd/doctor.def"

#endif
