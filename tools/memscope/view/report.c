/* SPDX-License-Identifier: MIT
 *
 * A model as one HTML file: all tables of view.def in the built page.
 */
#include "view/view.h"

#include "base/arena.h"
#include "base/error.h"
#include "view/html.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_failed(const char *path, int reason, struct ms_error *error) {
  return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s: %s; choose another place with -o", path,
                      strerror(reason));
}

static int file_write(const char *path, const char *name, struct ms_columns *columns, uint64_t *size,
                      struct ms_error *error) {
  FILE *out = fopen(path, "wbe");
  if (!out) return write_failed(name, errno, error);
  errno = 0;
  int code = ms_html_write(out, columns, size, error);
  bool failed = ferror(out);
  int reason = errno ? errno : EIO;
  if (fclose(out) && !failed) failed = true, reason = errno;
  return code ? code : failed ? write_failed(name, reason, error) : 0;
}

/* Beside its place first and then renamed: nobody ever sees half a report, and
 * an older one stays when this one fails. */
static int file_replace(struct ms_arena *arena, const char *path, struct ms_columns *columns, uint64_t *size,
                        struct ms_error *error) {
  const char *part = ms_arena_print(arena, "%s.%ld.part", path, (long)getpid());
  int code = file_write(part, path, columns, size, error);
  if (!code && rename(part, path)) code = write_failed(path, errno, error);
  if (code) unlink(part);
  return code;
}

int ms_view_report(struct ms_arena *arena, const struct ms_model *model, const char *path, uint64_t *size,
                   struct ms_error *error) {
  struct stat status;
  struct ms_columns *columns = ms_columns_new(arena);
#define MS_VIEW(name, help) ms_view_##name(columns, model);
#include "view/view.def"
  bool special = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
  if (special && S_ISDIR(status.st_mode)) return write_failed(path, EISDIR, error);
  return special ? file_write(path, path, columns, size, error)
                 : file_replace(arena, path, columns, size, error);
}
