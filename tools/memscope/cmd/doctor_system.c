/* SPDX-License-Identifier: MIT
 *
 * The doctor's checks of the machine: what the kernel, the limits and the
 * environment allow.
 */
#include "cmd/doctor.h"
#include "cmd/near.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

void ms_doctor_kernel(struct ms_doctor *doctor) {
  struct utsname name;
  unsigned major = 0, minor = 0;
  if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2) return;
  enum { WIPE_ON_FORK_MAJOR = 4, WIPE_ON_FORK_MINOR = 14 };
  if (strcmp(name.machine, "x86_64") != 0)
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "use an x86-64 machine: other processors are not supported yet",
                  "%s", name.machine);
  else if (major < WIPE_ON_FORK_MAJOR || (major == WIPE_ON_FORK_MAJOR && minor < WIPE_ON_FORK_MINOR))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "use Linux 4.14 or newer", "Linux %u.%u", major, minor);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "Linux %u.%u, x86-64; no ptrace or other privilege is needed",
                  major, minor);
}

void ms_doctor_folder(struct ms_doctor *doctor) {
  enum { LITTLE_MIB = 256 };
  char here[PATH_MAX], probe[] = ".memscope-XXXXXX";
  struct statvfs disk;
  if (!getcwd(here, sizeof here)) strcpy(here, "?");
  int file = mkstemp(probe);
  if (file < 0) {
    ms_doctor_say(doctor, MS_HEALTH_WARN,
                  "streams go to the current folder: change it, or give `memscope run -o FILE`",
                  "%s is not writable: %s", here, strerror(errno));
    return;
  }
  close(file);
  unlink(probe);
  unsigned long long free_mib =
      statvfs(".", &disk) ? 0 : (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
  if (free_mib < LITTLE_MIB)
    ms_doctor_say(doctor, MS_HEALTH_WARN, "a stream takes about 12 bytes for each event: free some space",
                  "%s is writable, %llu MiB free", here, free_mib);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%s is writable, %llu MiB free", here, free_mib);
}

static int limit_of(int which, unsigned long long *bytes) {
  struct rlimit limit;
  if (getrlimit(which, &limit)) return 0;
  *bytes = limit.rlim_cur;
  return limit.rlim_cur != RLIM_INFINITY;
}

void ms_doctor_address_space(struct ms_doctor *doctor) {
  unsigned long long bytes;
  if (limit_of(RLIMIT_AS, &bytes))
    ms_doctor_say(doctor, MS_HEALTH_WARN,
                  "recording orders events by a clock for each of them, which is slower: ulimit -v unlimited",
                  "limited to %llu MiB", bytes >> 20);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "unlimited");
}

void ms_doctor_overcommit(struct ms_doctor *doctor) {
  int mode = 0;
  FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
  if (file && fscanf(file, "%d", &mode) != 1) mode = 0;
  if (file) fclose(file);
  if (mode == 2)
    ms_doctor_say(doctor, MS_HEALTH_WARN,
                  "recording may be slower; sysctl vm.overcommit_memory=0 if you own the machine",
                  "strict (2): large reservations fail");
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "mode %d", mode);
}

void ms_doctor_file_size(struct ms_doctor *doctor) {
  unsigned long long bytes;
  if (limit_of(RLIMIT_FSIZE, &bytes))
    ms_doctor_say(doctor, MS_HEALTH_WARN, "a stream ends there, and says so: ulimit -f unlimited",
                  "limited to %llu MiB", bytes >> 20);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "unlimited");
}

void ms_doctor_environment(struct ms_doctor *doctor) {
  const char *preload = getenv("LD_PRELOAD");
  unsigned set = 0;
  for (char **at = environ; *at; at++) {
    size_t length = strcspn(*at, "=");
    if (strncmp(*at, "MEMSCOPE", 8) != 0) continue;
    set++;
    if (!ms_is_variable(*at, length))
      ms_doctor_say(doctor, MS_HEALTH_WARN, "see: memscope help env", "%.*s is no option", (int)length, *at);
  }
  if (preload && *preload)
    ms_doctor_say(doctor, MS_HEALTH_WARN,
                  "its allocator functions lie beneath the runtime's; unset it if figures surprise you",
                  "LD_PRELOAD=%s", preload);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%u MEMSCOPE variables, no LD_PRELOAD", set);
}
