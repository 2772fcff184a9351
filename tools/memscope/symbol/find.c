/* SPDX-License-Identifier: MIT
 *
 * The files of a binary: itself, and its debug information when that lies apart.
 */
#include "symbol/binary.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct search {
  struct ms_arena *arena;
  struct ms_binary *binary;
  const struct ms_symbol_options *options;
  const char *base; /* last part of the path */
  bool seen;        /* a file was there */
};

static void image_close(struct ms_image *image) {
  if (image->dwarf) dwarf_end(image->dwarf);
  if (image->elf) {
    elf_end(image->elf);
    close(image->fd);
  }
  *image = (struct ms_image){0};
}

/* The path comes from a stream: what is no plain file is not touched. */
static bool image_open(struct ms_image *image, const char *path) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  elf_version(EV_CURRENT);
  Elf *elf = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
  if (!elf || elf_kind(elf) != ELF_K_ELF) {
    if (elf) elf_end(elf);
    close(fd);
    return false;
  }
  *image = (struct ms_image){.fd = fd, .elf = elf, .dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL)};
  return true;
}

static const char *build_id_of(struct ms_arena *arena, const struct ms_image *image) {
  const void *bytes;
  ssize_t count = dwelf_elf_gnu_build_id(image->elf, &bytes);
  char *text = ms_arena_get(arena, count > 0 ? 2 * (size_t)count + 1 : 1);
  for (ssize_t i = 0; i < count; i++) snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
  return text;
}

static void stranger_note(struct search *search, const char *path, const char *build_id) {
  struct ms_binary *binary = search->binary;
  if (*binary->problem) return;
  binary->problem = ms_arena_print(search->arena,
                                   "%s is not the file that ran: its build-id is %s, recorded was %s; give the right one with "
                                   "--debug-dir or --sysroot",
                                   path, *build_id ? build_id : "missing", binary->build_id);
}

static bool has_section(const struct ms_image *image, const char *wanted) {
  size_t names;
  if (elf_getshdrstrndx(image->elf, &names)) return false;
  for (Elf_Scn *section = NULL; (section = elf_nextscn(image->elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS) continue;
    const char *name = elf_strptr(image->elf, names, header.sh_name);
    if (name && strcmp(name, wanted) == 0) return true;
  }
  return false;
}

/* Keeps of the file what is still missing. A binary without a whole symbol table gives
 * way to one that has it. */
static void candidate(struct search *search, const char *path) {
  struct ms_binary *binary = search->binary;
  struct ms_image image;
  if (!image_open(&image, path)) return;
  search->seen = true;
  const char *build_id = build_id_of(search->arena, &image);
  if (*binary->build_id && strcmp(build_id, binary->build_id) != 0) {
    stranger_note(search, path, build_id);
    image_close(&image);
    return;
  }
  bool lines = image.dwarf && (has_section(&image, ".debug_info") || has_section(&image, ".zdebug_info"));
  bool takes_debug = lines && !binary->debug.elf;
  bool takes_main = !binary->main.elf || (has_section(&image, ".symtab") && !has_section(&binary->main, ".symtab"));
  if (takes_main) {
    if (binary->main.elf && binary->main.elf != binary->debug.elf) image_close(&binary->main);
    binary->main = image;
  }
  if (takes_debug) binary->debug = image;
  if (!takes_main && !takes_debug) image_close(&image);
}

static void candidate_at(struct search *search, const char *folder, const char *name, const char *suffix) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s%s%s%s", folder, *name == '/' || !*folder ? "" : "/", name, suffix);
  if (length > 0 && length < (int)sizeof path) candidate(search, path);
}

static void candidate_by_id(struct search *search, const char *folder, const char *suffix) {
  char name[256];
  const char *id = search->binary->build_id;
  if (strlen(id) < 3 || strlen(id) > 200) return;
  snprintf(name, sizeof name, ".build-id/%.2s/%s", id, id + 2);
  candidate_at(search, folder, name, suffix);
}

static void candidates_of_debug_dir(struct search *search, const char *folder) {
  candidate_by_id(search, folder, ".debug");
  candidate_by_id(search, folder, "");
  candidate_at(search, folder, search->binary->path, "");
  candidate_at(search, folder, search->binary->path, ".debug");
  candidate_at(search, folder, search->base, "");
  candidate_at(search, folder, search->base, ".debug");
}

/* The name a stripped binary itself gives of its debug information. */
static void candidate_by_link(struct search *search) {
  GElf_Word checksum;
  char folder[PATH_MAX];
  const char *name = search->binary->main.elf ? dwelf_elf_gnu_debuglink(search->binary->main.elf, &checksum) : NULL;
  int length = snprintf(folder, sizeof folder, "%.*s", (int)(search->base - search->binary->path), search->binary->path);
  if (!name || strchr(name, '/') || length < 0 || length > PATH_MAX - 16) return;
  candidate_at(search, folder, name, "");
  strcat(folder, "/.debug");
  candidate_at(search, folder, name, "");
}

void ms_binary_find(struct ms_arena *arena, struct ms_binary *binary, const struct ms_symbol_options *options) {
  const char *slash = strrchr(binary->path, '/');
  struct search search = {.arena = arena, .binary = binary, .options = options, .base = slash ? slash + 1 : binary->path};
  binary->problem = "";
  if (options->debug_dir) candidates_of_debug_dir(&search, options->debug_dir);
  if (options->sysroot) {
    candidate_at(&search, options->sysroot, binary->path, "");
    candidate_by_id(&search, ms_arena_print(arena, "%s/usr/lib/debug", options->sysroot), ".debug");
  }
  else if (*binary->path == '/') candidate(&search, binary->path);
  if (!binary->debug.elf) candidate_by_id(&search, "/usr/lib/debug", ".debug");
  if (!binary->debug.elf) candidate_by_link(&search);
  if (binary->main.elf) binary->problem = ""; /* the right one was among them */
  else if (!search.seen && *binary->path == '/')
    binary->problem = ms_arena_print(arena, "%s is not there any more; say where it is with --debug-dir or --sysroot", binary->path);
}

void ms_binary_close(struct ms_binary *binary) {
  bool apart = binary->debug.elf != binary->main.elf;
  image_close(&binary->main);
  if (apart) image_close(&binary->debug);
}
