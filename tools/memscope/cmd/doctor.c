/* SPDX-License-Identifier: MIT
 *
 * memscope doctor: runs every check of doctor.def and prints a table of what
 * it found and how to mend what is wrong. Exit code 1 when something fails.
 */
#include "cmd/doctor.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  const char *name;
  void (*run)(struct ms_doctor *);
} checks[] = {
#define MS_CHECK(id, name) {name, ms_doctor_##id},
#include "cmd/doctor.def"
};

void ms_doctor_say(struct ms_doctor *doctor, enum ms_health health, const char *mend, const char *found,
                   ...) {
  static const char *const words[MS_HEALTHS] = {"ok", "warn", "FAIL"};
  va_list arguments;
  printf("%-4s  %-22s  ", words[health], doctor->check);
  va_start(arguments, found);
  vprintf(found, arguments);
  va_end(arguments);
  printf("\n");
  if (mend) printf("%28s  -> %s\n", "", mend);
  fflush(stdout);
  doctor->count[health]++;
}

static void become(char *const words[], int out) {
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execvp(words[0], words);
  _exit(MS_ERROR_NOT_FOUND);
}

int ms_doctor_run(char *const words[], char *text, size_t text_bytes) {
  int ends[2], status = 0;
  size_t used = 0;
  char rest[512];
  text[0] = 0;
  if (pipe(ends)) return MS_ERROR_NOT_FOUND;
  pid_t pid = fork();
  if (pid == 0) become(words, ends[1]);
  close(ends[1]);
  for (ssize_t got; pid > 0;) {
    size_t room = text_bytes - 1 - used;
    got = read(ends[0], room ? text + used : rest, room ? room : sizeof rest); /* never let it block on us */
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (room) used += (size_t)got;
  }
  text[used] = 0;
  close(ends[0]);
  if (pid < 0) return MS_ERROR_NOT_FOUND;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void folder_remove(const char *folder) {
  char text[64];
  char *words[] = {"rm", "-rf", (char *)folder, NULL};
  ms_doctor_run(words, text, sizeof text);
}

int ms_cmd_doctor(struct ms_cmd_context *context, int argc, char **argv) {
  struct ms_doctor doctor = {0};
  const char *temporary = getenv("TMPDIR");
  if (argc > 2) return ms_cmd_usage(context, "doctor takes one program, not '%s' too", argv[2]);
  if (argc > 1 && argv[1][0] == '-') return ms_cmd_usage(context, "doctor has no option '%s'", argv[1]);
  doctor.program = argv[1];
  snprintf(doctor.folder, PATH_MAX, "%s/memscope-doctor-XXXXXX",
           temporary && *temporary ? temporary : "/tmp");
  if (!mkdtemp(doctor.folder))
    return ms_error_set(&context->error, MS_ERROR_FINDINGS,
                        "cannot make %s: %s; set TMPDIR to a folder you can write", doctor.folder,
                        strerror(errno));
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    doctor.check = checks[i].name;
    checks[i].run(&doctor);
  }
  folder_remove(doctor.folder);
  unsigned failed = doctor.count[MS_HEALTH_FAIL], warned = doctor.count[MS_HEALTH_WARN];
  printf("\n%u ok, %u to note, %u failed%s\n", doctor.count[MS_HEALTH_OK], warned, failed,
         failed ? "" : ": MemScope works here");
  return failed ? MS_ERROR_FINDINGS : 0;
}
