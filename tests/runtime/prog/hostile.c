/* SPDX-License-Identifier: MIT
 *
 * hostile HOW FILE: a host that treats descriptors and limits as its own. It
 * writes a pattern to FILE through a number it got, churns through many windows,
 * and reads FILE back: nothing of ours may be in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENTS = 20000, MOST = 70000 };

static void churn(void) {
  for (int i = 0; i < EVENTS; i++) free(malloc(100));
}

static int host_fd; /* the first number it grabbed */

static int pattern_check(void) {
  char text[64] = {0};
  long got = pread(host_fd, text, sizeof text, 0);
  return got == 7 && !memcmp(text, "pattern", 7) ? 0 : 1;
}

/* Takes every free number up to the limit, so that ours, if closed, is the host's now. */
static void grab(const char *path) {
  for (int fd, n = 0; n < MOST; n++) {
    if ((fd = open(path, O_RDWR | O_CREAT, 0600)) < 0) break;
    if (n == 0 && write(host_fd = fd, "pattern", 7) != 7) exit(90);
  }
}

static void limit(int resource, rlim_t value) {
  struct rlimit l = {value, value};
  if (setrlimit(resource, &l)) exit(91);
}

static int closes(const char *how) {
  errno = 0;
  if (!strcmp(how, "close"))
    for (int fd = 3; fd < 5000; fd++) close(fd);
  else if (!strcmp(how, "closefrom")) closefrom(3);
  else if (!strcmp(how, "close_range")) close_range(3, ~0u, 0);
  else if (!strncmp(how, "raw", 3))
    for (int fd = 3; fd < 5000; fd++) syscall(SYS_close, fd);
  else if (!strcmp(how, "dup2"))
    for (int fd = 3; fd < 1100; fd++) dup2(2, fd);
  else return 0;
  return 1;
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : "";
  churn();
  if (closes(how)) {
    if (strcmp(how, "dup2")) limit(RLIMIT_NOFILE, 1100), grab(path);
    if (!strcmp(how, "raw")) syscall(SYS_close, host_fd + 1);
    churn();
    return strcmp(how, "dup2") ? pattern_check() : 0;
  }
  if (!strcmp(how, "fsize")) limit(RLIMIT_FSIZE, 1 << 20), churn(), churn();
  if (!strcmp(how, "fsize_late")) {
    limit(RLIMIT_FSIZE, 1 << 20);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    churn(), churn();
    signal(SIGXFSZ, SIG_IGN);
    if (pwrite(fd, "x", 1, 2 << 20) != -1 || errno != EFBIG) return 92;
  }
  if (!strcmp(how, "churn")) churn(), churn();
  if (!strcmp(how, "mlockall") && mlockall(MCL_CURRENT | MCL_FUTURE)) return 93;
  if (!strcmp(how, "mlockall")) churn();
  puts("done");
  return 0;
}
