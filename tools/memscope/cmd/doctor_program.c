/* SPDX-License-Identifier: MIT
 *
 * The doctor's look at a program: will a runtime get into it, and what can it see there?
 */
#include "cmd/doctor.h"
#include "place/place.h"
#include "place/program.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its hooks could not be used: nothing is recorded. */
static bool sanitizer_is_deaf(const struct ms_program *program) { return strcmp(program->sanitizer, "HWAddressSanitizer") == 0; }

static void sanitizer_say(struct ms_doctor *doctor, const struct ms_program *program) {
  if (sanitizer_is_deaf(program))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "build it without -fsanitize=hwaddress to record it",
                  "%s owns malloc in %s, and its programs are not recorded", program->sanitizer, doctor->program);
  else
    ms_doctor_say(doctor, MS_HEALTH_WARN, "to have these too, record a build without -fsanitize; both name their blocks alike",
                  "%s owns malloc in %s: it is recorded by its hooks, which tell neither reallocations nor who called, so there are no call stacks",
                  program->sanitizer, doctor->program);
}

static void program_say(struct ms_doctor *doctor, const struct ms_program *program) {
  struct ms_hindrance hindrance = ms_program_hindrance(program);
  if (hindrance.is)
    ms_doctor_say(doctor, MS_HEALTH_FAIL, hindrance.mend, "%s will not be recorded: %s", doctor->program, hindrance.is);
  else if (program->sanitizer)
    sanitizer_say(doctor, program);
  else if (program->holds_runtime || program->links_runtime)
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%s brings its runtime", doctor->program);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%s gets its runtime from memscope run", doctor->program);
}

static void missing_say(struct ms_doctor *doctor) {
  const char *name = doctor->program;
  struct stat st;
  if (stat(name, &st) || !S_ISREG(st.st_mode))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "name an executable file, or one that is on PATH", "no program %s", name);
  else if (access(name, X_OK))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "name the program that was built from it; if it is one itself: chmod +x", "%s is not executable", name);
  else
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "name it with its folder, as ./", "no program %s on PATH, but a file here", name);
}

void ms_doctor_program(struct ms_doctor *doctor) {
  char path[PATH_MAX];
  struct ms_program program;
  if (!doctor->program) return;
  if (!ms_place_program(doctor->program, path)) {
    missing_say(doctor);
    return;
  }
  ms_program_read(&program, path);
  program_say(doctor, &program);
}
