/* SPDX-License-Identifier: MIT
 *
 * Reads ELF headers. Nothing in the file is trusted: every range is checked
 * against the file's size before it is touched.
 */
#define _GNU_SOURCE /* memmem */
#include "place/program.h"
#include "memscope/abi.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct image {
  const unsigned char *bytes;
  uint64_t size;
  const Elf64_Phdr *segments;
  unsigned segment_count;
};

static const void *image_at(const struct image *image, uint64_t offset, uint64_t bytes) {
  if (offset > image->size || bytes > image->size - offset || offset % 4) return NULL;
  return image->bytes + offset;
}

static const Elf64_Phdr *segment_find(const struct image *image, uint32_t type) {
  for (unsigned i = 0; i < image->segment_count; i++)
    if (image->segments[i].p_type == type) return &image->segments[i];
  return NULL;
}

/* File offset of a virtual address; beyond the file when nothing is mapped there. */
static uint64_t offset_of(const struct image *image, uint64_t address) {
  for (unsigned i = 0; i < image->segment_count; i++) {
    const Elf64_Phdr *s = &image->segments[i];
    if (s->p_type == PT_LOAD && address >= s->p_vaddr && address - s->p_vaddr < s->p_filesz)
      return s->p_offset + (address - s->p_vaddr);
  }
  return UINT64_MAX;
}

static int is_runtime_note(const unsigned char *note, uint32_t name_bytes) {
  uint32_t type;
  memcpy(&type, note + 8, sizeof type);
  return type == MS_NOTE_RUNTIME_TYPE && name_bytes == sizeof MS_NOTE_NAME &&
         memcmp(note + 12, MS_NOTE_NAME, sizeof MS_NOTE_NAME) == 0;
}

static bool notes_hold_runtime(const struct image *image, const Elf64_Phdr *segment) {
  uint64_t step = segment->p_align == 8 ? 8 : 4, at = 0;
  const unsigned char *notes = image_at(image, segment->p_offset, segment->p_filesz);
  while (notes && segment->p_filesz - at >= 12) {
    uint32_t sizes[2];
    memcpy(sizes, notes + at, sizeof sizes);
    uint64_t name = (12 + (uint64_t)sizes[0] + step - 1) / step * step;
    uint64_t whole = (name + sizes[1] + step - 1) / step * step;
    if (whole > segment->p_filesz - at) return false;
    if (is_runtime_note(notes + at, sizes[0])) return true;
    at += whole;
  }
  return false;
}

struct dynamic {
  const Elf64_Dyn *entries;
  uint64_t count;
  const char *strings;
  uint64_t string_bytes;
};

static uint64_t dynamic_value(const struct dynamic *dynamic, int64_t tag, uint64_t otherwise) {
  for (uint64_t i = 0; i < dynamic->count && dynamic->entries[i].d_tag != DT_NULL; i++)
    if (dynamic->entries[i].d_tag == tag) return dynamic->entries[i].d_un.d_val;
  return otherwise;
}

static bool dynamic_read(struct dynamic *dynamic, const struct image *image) {
  const Elf64_Phdr *segment = segment_find(image, PT_DYNAMIC);
  if (!segment || segment->p_offset % 8) return false;
  dynamic->entries = image_at(image, segment->p_offset, segment->p_filesz);
  dynamic->count = segment->p_filesz / sizeof(Elf64_Dyn);
  if (!dynamic->entries) return false;
  uint64_t offset = offset_of(image, dynamic_value(dynamic, DT_STRTAB, UINT64_MAX));
  dynamic->string_bytes = dynamic_value(dynamic, DT_STRSZ, 0);
  if (offset > image->size || dynamic->string_bytes > image->size - offset || !dynamic->string_bytes)
    return false;
  dynamic->strings = (const char *)image->bytes + offset;
  return dynamic->strings[dynamic->string_bytes - 1] == 0;
}

/* Each exports its entry, whether its library is shared or inside. */
static const char *sanitizer_name(const struct dynamic *dynamic) {
  static const struct {
    const char *entry, *name;
  } all[] = {{"__asan_init", "AddressSanitizer"},
             {"__tsan_init", "ThreadSanitizer"},
             {"__msan_init", "MemorySanitizer"},
             {"__hwasan_init", "HWAddressSanitizer"},
             {"__lsan_init", "LeakSanitizer"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (memmem(dynamic->strings, dynamic->string_bytes, all[i].entry, strlen(all[i].entry) + 1))
      return all[i].name;
  return NULL;
}

bool ms_program_is_sanitizer(const char *library) {
  static const char *const all[] = {"libasan.so",         "libtsan.so",         "liblsan.so",
                                    "libclang_rt.asan",   "libclang_rt.tsan",   "libclang_rt.lsan"};
  const char *name = strrchr(library, '/');
  name = name ? name + 1 : library;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strncmp(name, all[i], strlen(all[i])) == 0) return true;
  return false;
}

static void libraries_read(struct ms_program *program, const struct dynamic *dynamic) {
  for (uint64_t i = 0; i < dynamic->count && dynamic->entries[i].d_tag != DT_NULL; i++) {
    if (dynamic->entries[i].d_tag != DT_NEEDED || dynamic->entries[i].d_un.d_val >= dynamic->string_bytes)
      continue;
    const char *library = dynamic->strings + dynamic->entries[i].d_un.d_val, *name = strrchr(library, '/');
    if (strncmp(name ? name + 1 : library, "libmemscope.so", 14) == 0) program->links_runtime = true;
    if (!*program->sanitizer_library && ms_program_is_sanitizer(library))
      snprintf(program->sanitizer_library, sizeof program->sanitizer_library, "%s", library);
  }
  program->sanitizer = sanitizer_name(dynamic);
}

static void elf_read(struct ms_program *program, struct image *image) {
  const Elf64_Ehdr *header = image_at(image, 0, sizeof *header);
  program->kind = MS_PROGRAM_FOREIGN;
  if (!header || header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != EM_X86_64)
    return;
  program->kind = MS_PROGRAM_ELF;
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff % 8) return;
  image->segments = image_at(image, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
  image->segment_count = image->segments ? header->e_phnum : 0;
  program->dynamic = segment_find(image, PT_INTERP);
  for (unsigned i = 0; i < image->segment_count; i++)
    if (image->segments[i].p_type == PT_NOTE && notes_hold_runtime(image, &image->segments[i]))
      program->holds_runtime = true;
  struct dynamic dynamic;
  if (!dynamic_read(&dynamic, image)) return;
  program->library = !program->dynamic && header->e_type == ET_DYN && !(dynamic_value(&dynamic, DT_FLAGS_1, 0) & DF_1_PIE);
  libraries_read(program, &dynamic);
}

static bool is_privileged(int file, const struct stat *st) {
  return (st->st_mode & S_ISUID && st->st_uid != geteuid()) ||
         (st->st_mode & S_ISGID && st->st_gid != getegid()) ||
         (geteuid() != 0 && fgetxattr(file, "security.capability", NULL, 0) > 0);
}

void ms_program_read(struct ms_program *program, const char *path) {
  struct stat st;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  *program = (struct ms_program){.kind = MS_PROGRAM_UNKNOWN};
  if (file < 0) {
    program->privileged = stat(path, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID);
    return;
  }
  struct image image = {0};
  if (fstat(file, &st) == 0 && st.st_size > 4) {
    program->privileged = is_privileged(file, &st);
    image.size = (uint64_t)st.st_size;
    image.bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, file, 0);
  }
  close(file);
  if (!image.bytes || image.bytes == MAP_FAILED) return;
  if (memcmp(image.bytes, ELFMAG, SELFMAG) == 0)
    elf_read(program, &image);
  else if (memcmp(image.bytes, "#!", 2) == 0)
    program->kind = MS_PROGRAM_SCRIPT;
  munmap((void *)image.bytes, image.size);
}

struct ms_hindrance ms_program_hindrance(const struct ms_program *program) {
  if (program->kind == MS_PROGRAM_FOREIGN) return (struct ms_hindrance){"it is no x86-64 program", "build it for x86-64"};
  if (program->library) return (struct ms_hindrance){"it is a shared library", "name the program that loads it"};
  if (program->kind == MS_PROGRAM_ELF && !program->dynamic && !program->holds_runtime)
    return (struct ms_hindrance){"it is static and holds no runtime", "link it with memscope-cc -static, or without -static"};
  if (program->privileged)
    return (struct ms_hindrance){"it is setuid, setgid or has file capabilities, and such programs hear no environment",
                                 "run a copy of it without them (cp, chmod u-s)"};
  return (struct ms_hindrance){0};
}
