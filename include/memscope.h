/* SPDX-License-Identifier: MIT
 *
 * MemScope from inside a program: to be included by C and C++. Link with
 * -lmemscope, or build with memscope-cc. Every function may be called by any
 * thread at any time, also when nothing is recorded: then it does nothing and
 * returns -1; when it has done what it says, 0. None allocates, none changes errno.
 */
#ifndef MEMSCOPE_H
#define MEMSCOPE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Recording of the whole process pauses: allocations are not recorded, the end
 * of a block recorded before still is, so that no figure counts it as live. The
 * other threads follow at their next event. Returns 0 when recording is paused. */
int memscope_pause(void);

/* Recording goes on. Blocks obtained meanwhile, and before a recording that
 * began paused (MEMSCOPE_PAUSED=on), stay unknown; their frees are counted as
 * such. Returns 0 when recording is on. */
int memscope_resume(void);

/* 1: recording is on, 0: paused, -1: this process is not recorded. */
int memscope_recording(void);

/* Gives this moment a name (at most 63 bytes are kept), shown along the timeline. */
int memscope_mark(const char *name);

/* As a mark; readers also keep what is live now, by holder and type. */
int memscope_snapshot(const char *name);

/* What this thread has recorded can be read from the file from now on, its last
 * name included. (Rows of other threads can be anyway, and all of them survive
 * a kill: there is nothing to be written out.) */
int memscope_flush(void);

#ifdef __cplusplus
}
#endif

#endif
