/* SPDX-License-Identifier: MIT
 *
 * Rows beside the hot ones: threads, modules, losses, the end; and notes.
 */
#include "model/build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void ms_note_add(struct build *build, enum ms_note_kind kind, uint64_t offset, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  MS_TABLE_ROOM(build, build->notes, build->note_count, build->note_room);
  build->notes[build->note_count++] = (struct ms_model_note){
      .kind = kind, .offset = offset, .text = ms_build_text(build, ms_arena_print(build->arena, "%s", text))};
}

/* A text row's bytes; they are inside the row, whatever its fields say. */
static const char *row_text(struct build *build, const uint64_t *words) {
  struct ms_row_thread_name row = ms_get_thread_name(words);
  uint64_t most = row.words * sizeof(uint64_t), bytes = row.bytes < most ? row.bytes : most;
  return ms_build_text(build, ms_arena_text(build->arena, (const char *)(words + 1), bytes));
}

static void module_unload(struct build *build, uint64_t id, uint64_t ns) {
  for (uint32_t i = build->module_count; i > 0; i--) {
    struct module *module = &build->modules[i];
    if (module->view->record.module != id || module->unloaded) continue;
    module->unloaded = true;
    module->unloaded_ns = ns;
    return;
  }
}

void ms_row_note(struct build *build, const struct ms_event *event) {
  const uint64_t *words = event->words;
  struct ms_model_thread *thread = &build->threads[build->lane_threads[event->lane]].out;
  switch ((uint8_t)words[0]) {
  case MS_TAG_THREAD_START:
    thread->system_id = (uint32_t)ms_get_thread_start(words).tid;
    thread->creator_id = (uint32_t)ms_get_thread_start(words).creator;
    thread->start_ns = event->ns;
    break;
  case MS_TAG_THREAD_NAME:
    thread->name = row_text(build, words);
    break;
  case MS_TAG_THREAD_EXIT:
    thread->end_ns = event->ns;
    break;
  case MS_TAG_MODULE_UNLOAD:
    module_unload(build, ms_get_module_unload(words).module, event->ns);
    break;
  case MS_TAG_LOST:
    build->lost_in_rows += ms_get_lost(words).events;
    break;
  case MS_TAG_END:
    build->ended = true;
    build->end_how = (enum ms_end_how)ms_get_end(words).how;
    build->end_status = (int32_t)ms_get_end(words).status;
    break;
  case MS_TAG_RECORDING: {
    struct ms_row_recording row = ms_get_recording(words);
    ms_moment_recording(build, &row);
    break;
  }
  case MS_TAG_MARK:
  case MS_TAG_SNAPSHOT:
    ms_moment_mark(build, row_text(build, words), event->ns, (uint8_t)words[0] == MS_TAG_SNAPSHOT);
    break;
  case MS_TAG_FORK:
    ms_note_add(build, MS_NOTE_INFO, 0, "forked process %" PRIu32 " (its events are in its own stream)",
                (uint32_t)ms_get_fork(words).pid);
    break;
  case MS_TAG_EXEC:
    ms_note_add(build, MS_NOTE_INFO, 0, "became another program: %s", row_text(build, words));
    break;
  default:
    break; /* of a later version, or MODULE_LOAD: its record says all */
  }
}
