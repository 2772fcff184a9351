/* SPDX-License-Identifier: MIT
 *
 * memscope-cc, memscope-c++: Clang with the plugin and memscope.h's folder on every
 * compile line and the runtime on the link lines of programs; everything else is
 * passed on.
 * Becomes the compiler by exec, so output, exit code and signals are its own.
 */
#define _GNU_SOURCE /* asprintf */
#include "cc/command.h"
#include "place/place.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if MS_CC_CXX
#define NAME "memscope-c++"
#define DRIVER_MODE "--driver-mode=g++"
#else
#define NAME "memscope-cc"
#define DRIVER_MODE "--driver-mode=gcc"
#endif

enum { EXIT_CANNOT = 1, OUR_ARGUMENTS = 24 };

static void help_print(void) {
  printf(NAME " ARGS...: clang ARGS... with MemScope's plugin, and its runtime where a program is linked.\n\n"
              "  --memscope-help            this text\n"
              "  --memscope-print           print the compiler's command line, run nothing\n"
              "  --memscope-frame-pointers  every function keeps its frame pointer, for memscope run --stack fp\n"
              "  --memscope-no-plugin       compile without names\n"
              "  --memscope-no-runtime      link without the runtime; `memscope run` loads it then\n\n"
              "#include \"memscope.h\" is found without -I; a file of your own with that name comes first.\n"
              "The compiler is $MEMSCOPE_CLANG, else the newest installed Clang that has a plugin:\n");
  struct ms_compiler compilers[MS_PLACE_MAJORS];
  unsigned count = ms_place_compilers(compilers);
  for (unsigned i = 0; i < count; i++)
    printf("  %-22s %s\n", compilers[i].clang[0] ? compilers[i].clang : "(not installed)",
           compilers[i].plugin);
  if (!count) printf("  none: build a plugin with ./setup\n");
}

/* Where the system's linker looks anyway: a run path would only be a trace of us. */
static int is_system_lib(const char *lib) {
  static const char *const folders[] = {"/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu",
                                        "/lib/x86_64-linux-gnu"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (strcmp(lib, folders[i]) == 0) return 1;
  return 0;
}

struct line {
  char **words;
  int count;
};

static void line_add(struct line *line, const char *word) { line->words[line->count++] = (char *)word; }

static void line_add_linker(struct line *line, const char *word) {
  line_add(line, "-Xlinker");
  line_add(line, word);
}

static const char *text_join(const char *a, const char *b) {
  char *text = NULL;
  if (asprintf(&text, "%s%s", a, b) >= 0) return text;
  fprintf(stderr, NAME ": out of memory\n");
  exit(EXIT_CANNOT);
}

static const char *part_find(const char *name, struct ms_error *error) {
  char path[PATH_MAX];
  if (ms_place_file(name, path)) return text_join(path, "");
  ms_error_set(error, MS_ERROR_USAGE,
               "no %s in %s; build it with ./setup, or link with --memscope-no-runtime", name,
               *ms_place_lib() ? ms_place_lib() : "../lib beside this program");
  return NULL;
}

/* -Xlinker rather than a plain file name: that would be compiled behind -x c.
 * In front of the user's libraries: of two libraries that define malloc the
 * program takes the first, and the runtime forwards to the second. */
static int runtime_add_shared(struct line *line, struct ms_error *error) {
  const char *library = part_find("libmemscope.so", error);
  if (!library) return (int)error->code;
  if (!is_system_lib(ms_place_lib())) {
    line_add_linker(line, "-rpath");
    line_add_linker(line, ms_place_lib());
  }
  line_add(line, "-Wl,--push-state,--no-as-needed,-Bdynamic");
  line_add_linker(line, library);
  line_add(line, "-Wl,--pop-state");
  return 0;
}

/* The response file makes the linker lead every call of malloc to the archive's. */
static int runtime_add_static(struct line *line, bool cxx, struct ms_error *error) {
  const char *const archives[] = {"libmemscope.a", cxx ? "libmemscope++.a" : NULL, NULL};
  const char *response = part_find(cxx ? "memscope-static++.rsp" : "memscope-static.rsp", error);
  if (!response) return (int)error->code;
  line_add(line, text_join("@", response));
  line_add(line, "-Wl,--push-state,--whole-archive");
  for (int i = 0; archives[i]; i++) {
    const char *archive = part_find(archives[i], error);
    if (!archive) return (int)error->code;
    line_add_linker(line, archive);
  }
  line_add(line, "-Wl,--pop-state");
  return 0;
}

static int runtime_add(struct line *line, const struct ms_command *command, struct ms_error *error) {
  return command->is_static ? runtime_add_static(line, MS_CC_CXX || command->cxx, error)
                            : runtime_add_shared(line, error);
}

/* A folder with memscope.h alone, looked into last, so that a file of the user's or the
 * system's with that name wins. Not said to be unused where nothing is compiled. */
static void compile_add(struct line *line, const struct ms_command *command, const struct ms_compiler *compiler) {
  char header[PATH_MAX];
  line_add(line, "--start-no-unused-arguments");
  if (command->plugin) line_add(line, text_join("-fplugin=", compiler->plugin));
  if (command->plugin && command->frame_pointers) line_add(line, "-fplugin-arg-memscope-frame-pointers");
  if (command->compiles && ms_place_file("memscope/include/memscope.h", header)) {
    line_add(line, "-idirafter");
    line_add(line, dirname((char *)text_join(header, "")));
  }
  line_add(line, "--end-no-unused-arguments");
}

/* Ours come first: behind the user's there may be a "--". */
static int line_make(struct line *line, struct ms_command *command, struct ms_compiler *compiler,
                     struct ms_error *error) {
  line->words = calloc((size_t)command->passed_count + OUR_ARGUMENTS, sizeof *line->words);
  if (!line->words) return ms_error_set(error, MS_ERROR_USAGE, "out of memory");
  line_add(line, compiler->clang);
  line_add(line, DRIVER_MODE);
  if (command->inputs && (command->plugin || command->compiles)) compile_add(line, command, compiler);
  if (command->links && command->wants_runtime && runtime_add(line, command, error)) return (int)error->code;
  for (int i = 0; i < command->passed_count; i++) line_add(line, command->passed[i]);
  return 0;
}

static void line_print(const struct line *line) {
  for (int i = 0; i < line->count; i++) printf("%s%s", i ? " " : "", line->words[i]);
  printf("\n");
}

static int compile(int argc, char **argv, struct ms_error *error) {
  struct ms_command command;
  struct ms_compiler compiler;
  struct line line = {0};
  if (!ms_command_read(&command, argc, argv, error)) return EXIT_CANNOT;
  if (command.help) return help_print(), 0;
  if (ms_place_compiler(&compiler, error) || line_make(&line, &command, &compiler, error)) return EXIT_CANNOT;
  if (command.print) return line_print(&line), 0;
  execv(compiler.clang, line.words);
  return ms_error_set(error, MS_ERROR_USAGE, "cannot start %s: %s", compiler.clang, strerror(errno));
}

int main(int argc, char **argv) {
  struct ms_error error = {0};
  int code = compile(argc, argv, &error);
  if (!error.code) return code;
  fprintf(stderr, NAME ": %s\n", error.text);
  return EXIT_CANNOT;
}
