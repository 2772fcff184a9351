/* SPDX-License-Identifier: MIT
 *
 * Forking. The child finds all our memory zeroed and no window mapped, and
 * starts its own stream at its first event; what it needs to know of its parent
 * is kept outside that memory. A vfork child runs in the parent: nothing to do.
 */
#define _GNU_SOURCE
#include "runtime.h"
#include "real.h"

#include <pthread.h>
#include <unistd.h>

struct ms_parent ms_parent;

/* The child's stream begins where the parent's stands now. A child without a
 * stream of its own passes on what it knows. */
static void fork_prepare(void) {
  struct ms_process *process = ms_process;
  if (ms_on && process && process->header) ms_parent.position = __atomic_load_n(&process->header->tail, __ATOMIC_RELAXED);
}

void ms_fork_init(void) {
  pthread_atfork(fork_prepare, NULL, ms_gate_follow); /* another thread may have been about to */
  if (ms_options.stack == MS_STACK_DWARF) pthread_atfork(ms_unwind_fork_prepare, ms_unwind_fork_done, ms_unwind_fork_child);
}

MS_DECLARE_HOST(fork)
MS_PUBLIC pid_t MS_FN(fork)(void) {
  pid_t pid = MS_NEXT_HOST(fork)();
  if (pid > 0 && ms_on && ms_process && ms_process->header) { /* no event: it starts no stream */
    uint64_t row[2];
    ms_put_fork(row, (struct ms_row_fork){.pid = (uint32_t)pid, .ns = ms_process_ns(ms_os_now())});
    ms_emit_row(row, 2);
  }
  return pid;
}

/* The parent exits inside it, where no function of ours is called. */
MS_DECLARE_HOST(daemon)
MS_PUBLIC int MS_FN(daemon)(int keep_directory, int keep_files) {
  ms_process_end(MS_END_QUICK, 0);
  int rc = MS_NEXT_HOST(daemon)(keep_directory, keep_files);
  if (rc < 0) ms_process_end(MS_END_NONE, 0); /* still the parent; a child has no stream yet */
  return rc;
}
