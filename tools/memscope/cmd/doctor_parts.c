/* SPDX-License-Identifier: MIT
 *
 * The doctor's checks of our own parts: they are used, not looked at. A
 * program is compiled with each plugin, recorded and read back.
 */
#define _GNU_SOURCE /* memmem */
#include "cmd/doctor.h"
#include "place/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEND_BUILD "build it: ./setup, or cmake --build build"

/* The holder's name must come back out of the stream. */
static const char program_text[] =
    "#include <stdlib.h>\n"
    "char *doctor_block;\n"
    "int main(void) { doctor_block = malloc(42); return doctor_block == 0; }\n";

/* The first line is what a table has room for. */
static const char *line_first(char *text) {
  text[strcspn(text, "\n")] = 0;
  return *text ? text : "it says nothing";
}

static const char *path_of(const struct ms_doctor *doctor, const char *name) {
  static char paths[4][PATH_MAX];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 64, doctor->folder, name);
  return path;
}

/* memscope-cc lies beside us. */
static void self_beside(char path[PATH_MAX], const char *name) {
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 32);
  path[length > 0 ? length : 0] = 0;
  char *slash = strrchr(path, '/');
  strcpy(slash ? slash + 1 : path, name);
}

void ms_doctor_runtime(struct ms_doctor *doctor) {
  char path[PATH_MAX];
  if (ms_place_file("libmemscope.so", path))
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%s", path);
  else
    ms_doctor_say(doctor, MS_HEALTH_FAIL, MEND_BUILD, "no libmemscope.so in %s",
                  *ms_place_lib() ? ms_place_lib() : "../lib beside this program");
}

void ms_doctor_preload(struct ms_doctor *doctor) {
  char path[PATH_MAX], self[PATH_MAX], variable[PATH_MAX + 16], text[2048];
  char *words[] = {"env", variable, "MEMSCOPE=off", self, "--version", NULL};
  if (!ms_place_file("libmemscope.so", path)) return; /* said already */
  self_beside(self, "memscope");
  snprintf(variable, sizeof variable, "LD_PRELOAD=%s", path);
  int code = ms_doctor_run(words, text, sizeof text);
  const char *complaint = strstr(text, "ERROR: ld.so");
  if (code == 0 && !complaint)
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "into a program of this system");
  else
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "it was built for another C library: build it on this system",
                  "exit code %d: %s", code, line_first(complaint ? (char *)complaint : text));
}

void ms_doctor_compilers(struct ms_doctor *doctor) {
  struct ms_compiler compilers[MS_PLACE_MAJORS];
  char mend[128];
  unsigned count = ms_place_compilers(compilers), usable = 0;
  for (unsigned i = 0; i < count; i++) usable += compilers[i].clang[0] != 0;
  for (unsigned i = 0; i < count; i++) {
    const struct ms_compiler *compiler = &compilers[i];
    snprintf(mend, sizeof mend, "apt-get install clang-%u", compiler->major);
    if (compiler->clang[0])
      ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "%s with %s", compiler->clang, compiler->plugin);
    else
      ms_doctor_say(doctor, usable ? MS_HEALTH_WARN : MS_HEALTH_FAIL, mend,
                    "clang-%u is not installed, its plugin is", compiler->major);
  }
  if (!count)
    ms_doctor_say(doctor, MS_HEALTH_FAIL, MEND_BUILD,
                  "no plugin memscope-N.so; without one no block has a name");
}

static int source_write(const struct ms_doctor *doctor) {
  FILE *file = fopen(path_of(doctor, "doctor.c"), "w");
  if (!file) return 0;
  int written = fputs(program_text, file) >= 0;
  return fclose(file) == 0 && written;
}

static int file_holds(const char *path, const char *word) {
  static char bytes[1 << 20];
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return memmem(bytes, size, word, strlen(word)) != NULL;
}

static void compile_with(struct ms_doctor *doctor, const struct ms_compiler *compiler) {
  char plugin[PATH_MAX + 16], text[2048];
  snprintf(plugin, sizeof plugin, "-fplugin=%s", compiler->plugin);
  char *object = (char *)path_of(doctor, "doctor.o"), *source = (char *)path_of(doctor, "doctor.c");
  char *words[] = {(char *)compiler->clang, plugin, "-O2", "-c", source, "-o", object, NULL};
  int code = ms_doctor_run(words, text, sizeof text);
  if (code || text[0])
    ms_doctor_say(doctor, MS_HEALTH_FAIL,
                  "plugin and Clang were built apart: build the plugin again on this system",
                  "Clang %u, exit code %d: %s", compiler->major, code, line_first(text));
  else if (!file_holds(object, ".note.memscope"))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "report it: the plugin left an allocation without a name",
                  "Clang %u compiles, but the object holds no names", compiler->major);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "Clang %u loads it, and the object holds names",
                  compiler->major);
}

void ms_doctor_compile(struct ms_doctor *doctor) {
  struct ms_compiler compilers[MS_PLACE_MAJORS];
  unsigned count = ms_place_compilers(compilers);
  if (!source_write(doctor)) {
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "set TMPDIR to a folder with space", "cannot write into %s",
                  doctor->folder);
    return;
  }
  for (unsigned i = 0; i < count; i++)
    if (compilers[i].clang[0]) compile_with(doctor, &compilers[i]);
}

void ms_doctor_record(struct ms_doctor *doctor) {
  static char text[1 << 20];
  char cc[PATH_MAX], self[PATH_MAX];
  char *program = (char *)path_of(doctor, "doctor"), *source = (char *)path_of(doctor, "doctor.c");
  char *stream = (char *)path_of(doctor, "doctor.memscope");
  self_beside(cc, "memscope-cc");
  self_beside(self, "memscope");
  char *compile[] = {cc, "-O2", source, "-o", program, NULL};
  char *record[] = {self, "run", "--quiet", "-o", stream, "--", program, NULL};
  char *read[] = {self, "summary", "--json", stream, NULL};
  int code = ms_doctor_run(compile, text, sizeof text);
  if (code) {
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "mend what fails above first", "memscope-cc, exit code %d: %s",
                  code, line_first(text));
    return;
  }
  code = ms_doctor_run(record, text, sizeof text);
  if (code || access(stream, R_OK)) {
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "MEMSCOPE_VERBOSE=on memscope run ... says more",
                  "memscope run, exit code %d: %s", code, line_first(text));
    return;
  }
  code = ms_doctor_run(read, text, sizeof text);
  if (code || !strstr(text, "doctor_block"))
    ms_doctor_say(doctor, MS_HEALTH_FAIL, "report it, with this line",
                  "the block's name did not come back, exit code %d", code);
  else
    ms_doctor_say(doctor, MS_HEALTH_OK, NULL, "compiled, recorded, and its block is named doctor_block");
}
