/* SPDX-License-Identifier: MIT
 *
 * Looks for libraries, plugins and compilers. Starts no process but a Clang
 * whose version cannot be told from its name.
 */
#include "place/place.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_file(const char *path, int mode) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, mode) == 0;
}

/* Paths that do not fit are paths that do not exist. */
static int path_join(char out[PATH_MAX], const char *folder, const char *name) {
  int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);
  if (length < 0 || length >= PATH_MAX) out[0] = 0;
  return out[0];
}

static int lib_holds_parts(const char *folder) {
  static const char *const parts[] = {"libmemscope.so", "libmemscope.a", "memscope.so"};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (path_join(path, folder, parts[i]) && is_file(path, R_OK)) return 1;
  return 0;
}

const char *ms_place_lib(void) {
  static const char *const beside_bin[] = {"lib", MS_LIBDIR};
  static char lib[PATH_MAX];
  char self[PATH_MAX], candidate[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (lib[0] || length <= 0) return lib;
  self[length] = 0;
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(self, '/');
    if (slash) *slash = 0;
  }
  for (size_t i = 0; i < sizeof beside_bin / sizeof *beside_bin; i++)
    if (path_join(candidate, self, beside_bin[i]) && lib_holds_parts(candidate))
      return strcpy(lib, candidate);
  return lib;
}

int ms_place_file(const char *name, char path[PATH_MAX]) {
  path[0] = 0;
  if (!*ms_place_lib() || !path_join(path, ms_place_lib(), name)) return 0;
  if (!is_file(path, R_OK)) path[0] = 0;
  return path[0];
}

int ms_place_program(const char *name, char path[PATH_MAX]) {
  path[0] = 0;
  if (strchr(name, '/')) return is_file(name, X_OK) && snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
  const char *list = getenv("PATH");
  for (const char *at = list ? list : "/usr/local/bin:/usr/bin:/bin"; at; at = strchr(at, ':')) {
    at += *at == ':';
    int length = (int)strcspn(at, ":");
    int written = snprintf(path, PATH_MAX, "%.*s/%s", length ? length : 1, length ? at : ".", name);
    if (written < PATH_MAX && is_file(path, X_OK)) return 1;
  }
  path[0] = 0;
  return 0;
}

static void clang_find(struct ms_compiler *compiler) {
  char name[32];
  snprintf(name, sizeof name, "clang-%u", compiler->major);
  if (ms_place_program(name, compiler->clang)) return;
  snprintf(compiler->clang, PATH_MAX, "/usr/lib/llvm-%u/bin/clang", compiler->major);
  if (!is_file(compiler->clang, X_OK)) compiler->clang[0] = 0;
}

static void plugin_find(struct ms_compiler *compiler) {
  char name[32];
  snprintf(name, sizeof name, "memscope-%u.so", compiler->major);
  ms_place_file(name, compiler->plugin);
}

static int major_newer(const void *a, const void *b) {
  const struct ms_compiler *x = a, *y = b;
  return (x->major < y->major) - (x->major > y->major);
}

unsigned ms_place_compilers(struct ms_compiler compilers[MS_PLACE_MAJORS]) {
  unsigned count = 0;
  DIR *folder = *ms_place_lib() ? opendir(ms_place_lib()) : NULL;
  for (struct dirent *entry; folder && count < MS_PLACE_MAJORS && (entry = readdir(folder));) {
    unsigned major;
    int end = 0;
    if (sscanf(entry->d_name, "memscope-%u.so%n", &major, &end) != 1 || !end || entry->d_name[end]) continue;
    struct ms_compiler *compiler = &compilers[count++];
    compiler->major = major;
    plugin_find(compiler);
    clang_find(compiler);
  }
  if (folder) closedir(folder);
  qsort(compilers, count, sizeof *compilers, major_newer);
  return count;
}

/* Distributions keep Clang N in .../llvm-N/bin/ or call it clang-N. */
static unsigned major_from_path(const char *clang) {
  char real[PATH_MAX];
  if (!realpath(clang, real)) return 0;
  const char *folder = strstr(real, "/llvm-"), *name = strrchr(real, '/');
  unsigned major = 0;
  if (sscanf(name, "/clang-%u", &major) == 1 || sscanf(name, "/clang++-%u", &major) == 1) return major;
  return folder && sscanf(folder, "/llvm-%u/", &major) == 1 ? major : 0;
}

static unsigned major_from_version(const char *clang) {
  char command[PATH_MAX + 64];
  unsigned major = 0;
  if (strchr(clang, '\'')) return 0;
  snprintf(command, sizeof command, "'%s' -dumpversion 2>/dev/null", clang);
  FILE *pipe = popen(command, "r");
  if (!pipe) return 0;
  if (fscanf(pipe, "%u.", &major) != 1) major = 0;
  pclose(pipe);
  return major;
}

static int is_self(const char *clang) {
  struct stat self, other;
  return stat("/proc/self/exe", &self) == 0 && stat(clang, &other) == 0 && self.st_dev == other.st_dev &&
         self.st_ino == other.st_ino;
}

/* "clang 14, 19" for messages. */
static const char *majors_text(const struct ms_compiler *compilers, unsigned count) {
  static char text[256];
  size_t used = (size_t)snprintf(text, sizeof text, "clang");
  for (unsigned i = 0; i < count; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s %u", i ? "," : "", compilers[i].major);
  return text;
}

static int compiler_named(struct ms_compiler *compiler, const char *name, struct ms_error *error) {
  struct ms_compiler built[MS_PLACE_MAJORS];
  if (!ms_place_program(name, compiler->clang))
    return ms_error_set(error, MS_ERROR_USAGE,
                        "MEMSCOPE_CLANG=%s is no program; name an installed Clang, e.g. clang-19", name);
  if (is_self(compiler->clang))
    return ms_error_set(error, MS_ERROR_USAGE,
                        "MEMSCOPE_CLANG=%s is memscope-cc itself; name a Clang, e.g. clang-19", name);
  compiler->major = major_from_path(compiler->clang);
  if (!compiler->major) compiler->major = major_from_version(compiler->clang);
  if (!compiler->major)
    return ms_error_set(error, MS_ERROR_USAGE,
                        "MEMSCOPE_CLANG=%s does not tell a Clang version; name an installed Clang", name);
  plugin_find(compiler);
  if (compiler->plugin[0]) return 0;
  unsigned count = ms_place_compilers(built);
  if (!count)
    return ms_error_set(error, MS_ERROR_USAGE, "no plugin in '%s'; build one with ./setup", ms_place_lib());
  return ms_error_set(
      error, MS_ERROR_USAGE,
      "%s is Clang %u and no plugin is built for it; use %s, or build one with cmake -DMEMSCOPE_LLVM=%u",
      name, compiler->major, majors_text(built, count), compiler->major);
}

int ms_place_compiler(struct ms_compiler *compiler, struct ms_error *error) {
  struct ms_compiler built[MS_PLACE_MAJORS];
  const char *name = getenv("MEMSCOPE_CLANG");
  if (name && *name) return compiler_named(compiler, name, error);
  unsigned count = ms_place_compilers(built);
  for (unsigned i = 0; i < count; i++)
    if (built[i].clang[0]) return *compiler = built[i], 0;
  if (!count)
    return ms_error_set(error, MS_ERROR_USAGE, "no plugin memscope-N.so in %s; build one with ./setup",
                        *ms_place_lib() ? ms_place_lib() : "../lib beside this program");
  return ms_error_set(error, MS_ERROR_USAGE,
                      "the plugins are for %s, and none of these is installed; apt-get install clang-%u, or "
                      "set MEMSCOPE_CLANG",
                      majors_text(built, count), built[0].major);
}
