/* SPDX-License-Identifier: MIT
 *
 * Images: what the loader has mapped, each described by a MODULE record with
 * its units' sites, types and strings, and its units' cells patched so that
 * compiled code finds us. One thread scans at a time; nobody waits for it, so
 * that the loader's own lock (held inside dl_iterate_phdr) cannot deadlock.
 */
#define _GNU_SOURCE
#include "emit.h"
#include "real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>


/* ---- notes ---- */

struct notes {
  const char *at, *end;
};

/* The next note of the segment, NULL at its end. */
static const ElfW(Nhdr) *notes_next(struct notes *notes, size_t align) {
  const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes->at;
  if (notes->end - notes->at < (ptrdiff_t)sizeof *note) return NULL;
  size_t name = (note->n_namesz + (size_t)3) & ~(size_t)3, whole = sizeof *note + name + note->n_descsz;
  whole = (whole + align - 1) & ~(align - 1);
  if (note->n_namesz > 4096 || (size_t)(notes->end - notes->at) < sizeof *note + name + note->n_descsz) return NULL;
  notes->at = (size_t)(notes->end - notes->at) < whole ? notes->end : notes->at + whole;
  return note;
}

typedef void note_fn(const ElfW(Nhdr) * note, void *data);

static void notes_each(const struct dl_phdr_info *info, note_fn *each, void *data) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_NOTE) continue;
    const char *start = (const char *)(info->dlpi_addr + header->p_vaddr);
    struct notes notes = {start, start + header->p_memsz};
    const ElfW(Nhdr) * note;
    while ((note = notes_next(&notes, header->p_align == 8 ? 8 : 4))) each(note, data);
  }
}

static int note_is(const ElfW(Nhdr) * note, const char *name, uint32_t type) {
  size_t n = strlen(name) + 1;
  return note->n_type == type && note->n_namesz == n && memcmp(note + 1, name, n) == 0;
}

/* A unit as this version or another lays it out: only the first words are sure. */
static const struct ms_note *note_any(const ElfW(Nhdr) * header) {
  return note_is(header, MS_NOTE_NAME, MS_NOTE_TYPE) && header->n_descsz >= sizeof(uint32_t) ? (const struct ms_note *)header : NULL;
}

static const struct ms_note *note_unit(const ElfW(Nhdr) * header) {
  const struct ms_note *note = note_any(header);
  return note && note->version == MS_ABI_VERSION && header->n_descsz >= sizeof *note - offsetof(struct ms_note, version) ? note : NULL;
}

#define TARGET(note, field) ((const char *)&(note)->field + (note)->field)

static struct ms_unit *note_cell(const struct ms_note *note) { return (struct ms_unit *)(uintptr_t)TARGET(note, unit); }
static struct ms_step *note_steps(const struct ms_note *note) { return (struct ms_step *)(uintptr_t)TARGET(note, steps); }

/* ---- what an image is ---- */

struct facts {
  uint64_t start, end;
  uint32_t segments, units, sites;
  uint32_t strangers; /* units of another version */
  size_t unit_bytes;
  const ElfW(Nhdr) * build_id;
  struct ms_unit *unit;
};

static size_t padded(size_t bytes) { return (bytes + 7) & ~(size_t)7; }

static size_t unit_bytes(const struct ms_note *note) {
  return sizeof(struct ms_unit_record) + (size_t)note->site_count * sizeof(struct ms_site) +
         (size_t)note->type_count * sizeof(struct ms_type) + padded((size_t)note->field_count * sizeof(struct ms_field)) +
         padded(note->strings_bytes);
}

static void facts_note(const ElfW(Nhdr) * header, void *data) {
  struct facts *facts = data;
  if (note_is(header, "GNU", NT_GNU_BUILD_ID)) facts->build_id = header;
  const struct ms_note *note = note_unit(header);
  facts->strangers += !note && note_any(header);
  if (!note) return;
  facts->units++;
  facts->sites += note->site_count;
  facts->unit_bytes += unit_bytes(note);
  if (!facts->unit) facts->unit = note_cell(note);
}

static struct facts facts_of(const struct dl_phdr_info *info) {
  struct facts facts = {.start = UINT64_MAX};
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD) continue;
    uint64_t start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
    if (start < facts.start) facts.start = start;
    if (end > facts.end) facts.end = end;
    facts.segments += (header->p_flags & PF_X) != 0;
  }
  notes_each(info, facts_note, &facts);
  return facts;
}

/* ---- the record ---- */

struct filling {
  char *to;
  uint32_t next_site;
};

static void put(struct filling *filling, const void *from, size_t bytes) {
  memcpy(filling->to, from, bytes);
  filling->to += padded(bytes); /* the buffer is zero */
}

static void unit_put(const ElfW(Nhdr) * header, void *data) {
  struct filling *filling = data;
  const struct ms_note *note = note_unit(header);
  if (!note) return;
  struct ms_unit_record unit = {.first_site = filling->next_site,
                                .site_count = note->site_count,
                                .type_count = note->type_count,
                                .field_count = note->field_count,
                                .strings_bytes = note->strings_bytes,
                                .source = note->source,
                                .compiler = note->compiler};
  put(filling, &unit, sizeof unit);
  put(filling, TARGET(note, sites), (size_t)note->site_count * sizeof(struct ms_site));
  put(filling, TARGET(note, types), (size_t)note->type_count * sizeof(struct ms_type));
  put(filling, TARGET(note, fields), (size_t)note->field_count * sizeof(struct ms_field));
  put(filling, TARGET(note, strings), note->strings_bytes);
  filling->next_site += note->site_count;
}

static void segments_put(struct filling *filling, const struct dl_phdr_info *info) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
    uint64_t start = info->dlpi_addr + header->p_vaddr;
    put(filling, &(struct ms_segment){start, start + header->p_memsz}, sizeof(struct ms_segment));
  }
}

static void build_id_put(struct ms_module_record *module, const ElfW(Nhdr) * note) {
  if (!note) return;
  module->build_id_bytes = note->n_descsz < sizeof module->build_id ? note->n_descsz : (uint32_t)sizeof module->build_id;
  memcpy(module->build_id, (const char *)(note + 1) + 4, module->build_id_bytes);
}

/* Offset of the record in the file, 0 = not written. */
static uint64_t module_write(const struct dl_phdr_info *info, const struct facts *facts, uint32_t id, uint32_t first_site, const char *path, int is_main) {
  size_t path_bytes = strlen(path) + 1;
  size_t bytes = sizeof(struct ms_module_record) + facts->segments * sizeof(struct ms_segment) + padded(path_bytes) + facts->unit_bytes;
  struct ms_record *record = ms_os_pages(sizeof *record + bytes);
  if (!record) return 0;
  struct ms_module_record *module = (struct ms_module_record *)(record + 1);
  struct filling filling = {(char *)(module + 1), first_site};
  *module = (struct ms_module_record){.module = id,
                                      .unit_count = facts->units,
                                      .bias = info->dlpi_addr,
                                      .start = facts->start,
                                      .end = facts->end,
                                      .loaded_ns = ms_process_ns(ms_os_now()),
                                      .first_site = facts->units ? first_site : 0,
                                      .segment_count = facts->segments,
                                      .path_bytes = (uint32_t)path_bytes,
                                      .is_main = (uint8_t)is_main};
  build_id_put(module, facts->build_id);
  segments_put(&filling, info);
  put(&filling, path, path_bytes);
  notes_each(info, unit_put, &filling);
  record->kind = MS_RECORD_MODULE;
  uint64_t offset = ms_stream_record(record, bytes);
  ms_os_unmap(record, sizeof *record + bytes);
  return offset;
}

/* ---- patching ---- */

static int64_t tls_offset(void) { return (char *)&ms_tls.last - (char *)__builtin_thread_pointer(); }

/* The offset last: with it the unit's checks begin to match. */
static void unit_patch(const ElfW(Nhdr) * header, void *data) {
  struct filling *filling = data;
  const struct ms_note *note = note_unit(header);
  if (!note) return;
  struct ms_unit *unit = note_cell(note);
  unit->first_site = filling->next_site;
  unit->step = ms_step_entry;
  unit->steps = note_steps(note);
  unit->state = ms_epoch;
  __atomic_store_n(&unit->tls_offset, tls_offset(), __ATOMIC_RELEASE);
  filling->next_site += note->site_count;
}

/* ---- the list ---- */

struct scan {
  struct ms_thread *t;
  uint32_t number;
  int first;
};

static struct ms_image *image_find(const struct dl_phdr_info *info, const struct facts *facts) {
  for (uint32_t i = 0; i < ms_process->image_count; i++) {
    struct ms_image *image = &ms_process->images[i];
    if (image->bias != info->dlpi_addr || image->headers != info->dlpi_phdr || image->start != facts->start || image->bytes != facts->end - facts->start) continue;
    /* Mapped anew at the same place: its cells are as the file has them. */
    if (!image->unit || image->unit->state == ms_epoch) return image;
  }
  return NULL;
}

/* Other threads may be reading the entry: they see all of one image or the other, or none. */
static void image_put(struct ms_image *entry, struct ms_image what) {
  uint64_t bytes = what.bytes;
  __atomic_store_n(&entry->bytes, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->start, what.start, __ATOMIC_RELEASE);
  entry->bias = what.bias;
  entry->headers = what.headers;
  entry->unit = what.unit;
  entry->id = what.id;
  entry->seen = what.seen;
  __atomic_store_n(&entry->bytes, bytes, __ATOMIC_RELEASE);
}

static int image_has(const struct ms_image *entry, uintptr_t code) {
  uint64_t start = __atomic_load_n(&entry->start, __ATOMIC_ACQUIRE);
  uint64_t bytes = __atomic_load_n(&entry->bytes, __ATOMIC_ACQUIRE);
  return code - start < bytes && start == __atomic_load_n(&entry->start, __ATOMIC_RELAXED);
}

static int images_grow(struct ms_process *process) {
  if (process->image_count < process->image_room) return 1;
  uint32_t room = process->image_room ? process->image_room * 2 : 128;
  struct ms_image *images = ms_os_pages_wiped_on_fork(room * sizeof *images);
  if (!images) return 0;
  if (process->image_count) memcpy(images, process->images, process->image_count * sizeof *images);
  __atomic_store_n(&process->images, images, __ATOMIC_RELEASE); /* the old list stays: others may be reading it */
  process->image_room = room;
  return 1;
}

static void row_put(struct ms_thread *t, const uint64_t *row) {
  if (ms_own_room(t, 2)) ms_own_put(t, row, 2);
}

/* Not in memory that a forked child finds zeroed: names it inherits are of these sites. */
static uint32_t next_site = 1;

/* Of the image's first site. In a child as in its parent: the cell says so. */
static uint32_t site_ids(const struct facts *facts) {
  if (facts->unit && facts->unit->first_site) return facts->unit->first_site;
  uint32_t first = next_site;
  next_site += facts->sites;
  return first;
}

static void image_add(const struct scan *scan, const struct dl_phdr_info *info, const struct facts *facts) {
  struct ms_process *process = ms_process;
  char exe[4096];
  const char *path = info->dlpi_name ? info->dlpi_name : "";
  if (scan->first && !*path) {
    ms_os_readlink("/proc/self/exe", exe, sizeof exe);
    path = exe;
  }
  if (!images_grow(process)) return;
  uint32_t id = ++process->image_ids, first_site = site_ids(facts);
  uint64_t offset = module_write(info, facts, id, first_site, path, scan->first);
  if (!offset) return;
  image_put(&process->images[process->image_count], (struct ms_image){.start = facts->start,
                                                                      .bytes = facts->end - facts->start,
                                                                      .bias = info->dlpi_addr,
                                                                      .headers = info->dlpi_phdr,
                                                                      .unit = facts->unit,
                                                                      .id = id,
                                                                      .seen = scan->number});
  __atomic_store_n(&process->image_count, process->image_count + 1, __ATOMIC_RELEASE);
  uint64_t row[2];
  ms_put_module_load(row, (struct ms_row_module_load){.module = id, .record = offset});
  row_put(scan->t, row);
  notes_each(info, unit_patch, &(struct filling){NULL, first_site});
  if (facts->strangers) 
    ms_say("%s was compiled by another version of the plugin, its units without names are %u: compile it again", path, facts->strangers);
  if (ms_options.verbose && facts->units) ms_say("%u units of %s are named", facts->units, path);
}

static int image_visit(struct dl_phdr_info *info, size_t size, void *data) {
  struct scan *scan = data;
  if (size >= offsetof(struct dl_phdr_info, dlpi_tls_modid)) {
    __atomic_store_n(&ms_process->adds, info->dlpi_adds, __ATOMIC_RELAXED);
    __atomic_store_n(&ms_process->subs, info->dlpi_subs, __ATOMIC_RELAXED);
  }
  struct facts facts = facts_of(info);
  struct ms_image *image = image_find(info, &facts);
  if (image) image->seen = scan->number;
  else if (facts.end) image_add(scan, info, &facts);
  scan->first = 0;
  return 0;
}

static void images_forget(const struct scan *scan) {
  struct ms_process *process = ms_process;
  uint32_t before = process->image_count;
  for (uint32_t i = 0; i < process->image_count; i++) {
    if (process->images[i].seen == scan->number) continue;
    uint64_t row[2];
    ms_put_module_unload(row, (struct ms_row_module_unload){.module = process->images[i].id});
    row_put(scan->t, row);
    uint32_t last = process->image_count - 1;
    image_put(&process->images[i--], process->images[last]);
    __atomic_store_n(&process->image_count, last, __ATOMIC_RELEASE);
  }
  if (process->image_count == before) return;
  ms_names_unload();
  ms_places_unload();
  ms_unwind_unloaded();
}

/* ---- when ---- */

/* Busy. A scan under way is told to look again, not waited for. */
void ms_modules_scan(struct ms_thread *t) {
  struct ms_process *process = ms_process;
  int saved = errno;
  __atomic_store_n(&process->scan_again, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&process->scan_again, __ATOMIC_SEQ_CST) && !__atomic_exchange_n(&process->scan_lock, 1, __ATOMIC_SEQ_CST)) {
    __atomic_store_n(&process->scan_again, 0, __ATOMIC_SEQ_CST);
    struct scan scan = {t, __atomic_add_fetch(&process->scan_count, 1, __ATOMIC_RELAXED), 1};
    dl_iterate_phdr(image_visit, &scan);
    images_forget(&scan);
    __atomic_store_n(&process->scan_lock, 0, __ATOMIC_SEQ_CST);
  }
  errno = saved;
}

static int counters_read(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  uint64_t *counters = data;
  counters[0] = info->dlpi_adds;
  counters[1] = info->dlpi_subs;
  return 1;
}

/* Read without the scan's lock: a list that changes meanwhile costs a look. */
int ms_modules_know(uintptr_t code) {
  const struct ms_process *process = ms_process;
  const struct ms_image *images = __atomic_load_n(&process->images, __ATOMIC_ACQUIRE);
  uint32_t count = __atomic_load_n(&process->image_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (image_has(&images[i], code)) return 1;
  return 0;
}

/* A thread meets a caller for the first time. Only when that lies in no image
 * we know is the loader asked, whose lock a thread that waits for the host's
 * locks may hold: as seldom as can be. */
void ms_modules_look(struct ms_thread *t, uintptr_t code) {
  struct ms_process *process = ms_process;
  if (ms_modules_know(code)) return;
  uint64_t counters[2] = {0, 0};
  dl_iterate_phdr(counters_read, counters);
  if (counters[0] != MS_RELAXED(process->adds) || counters[1] != MS_RELAXED(process->subs)) ms_modules_scan(t);
}

static void modules_changed(void) {
  struct ms_thread *t = ms_on ? ms_own_begin() : NULL;
  if (!t) return;
  ms_modules_scan(t);
  ms_own_end(t);
}

/* A unit's first constructor: its module is patched before its own code runs. */
MS_EXPORT void __memscope_module_loaded(struct ms_unit *unit) {
  if (ms_on && unit->state != ms_epoch) modules_changed();
}

/* A unit's last destructor: the module is still mapped, but its cell need not
 * be for long. What is gone is seen after dlclose, or by the loader's counters. */
MS_EXPORT void __memscope_module_unloaded(struct ms_unit *unit) { (void)unit; }

#ifndef MS_STATIC
/* Looked at before, lest a library that came and went between two looks is
 * missed, and behind, so that the next at its address is another. */
MS_EXPORT int dlclose(void *handle) {
  if (!ms_on) return MS_NEXT_HOST(dlclose)(handle);
  modules_changed();
  int rc = MS_NEXT_HOST(dlclose)(handle);
  modules_changed();
  return rc;
}
#endif
