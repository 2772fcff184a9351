#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How a process ended, as its stream says it; nothing of it changes the end."""
import signal

from harness import Work, equal

work = Work("ends", alike="all")
#       argument          exit code           header says        END rows          handler ran
CASES = [
    ("return",            5,                  ("exit", 5),       [("exit", 5)],    True),
    ("exit",              5,                  ("exit", 5),       [("exit", 5)],    True),
    ("_exit",             5,                  ("quick", 5),      [("quick", 5)],   False),
    ("_Exit",             5,                  ("quick", 5),      [("quick", 5)],   False),
    ("quick_exit",        5,                  ("quick", 5),      [("quick", 5)],   True),
    ("abort",             -signal.SIGABRT,    ("signal", 6),     [("signal", 6)],  False),
    ("segv",              -signal.SIGSEGV,    ("none", 0),       [],               False),
    ("kill",              -signal.SIGKILL,    ("none", 0),       [],               False),
    ("syscall",           5,                  ("none", 0),       [],               False),
    ("thread",            6,                  ("exit", 6),       [("exit", 6)],    True),
    ("pthread_exit",      8,                  ("exit", 8),       [("exit", 8)],    True),
    ("vfork",             5,                  ("exit", 5),       [("exit", 5)],    True),
    ("exec",              0,                  ("exec", 0),       [],               False),
    ("execvp",            0,                  ("exec", 0),       [],               False),
    ("exec_fails",        5,                  ("exit", 5),       [("exit", 5)],    True),
    ("abort_survived",    5,                  ("exit", 5),       [("signal", 6), ("exit", 5)], True),
]
EXECS = {"exec": ["/bin/true"], "execvp": ["true"], "exec_fails": ["/no/such/program"] * 2}

for how, code, header, rows, handler in CASES:
    s = work.record("ends", how, check=code)
    equal((s.end_how, s.end_status), header, f"{how}: the header")
    equal([(r.how, r.status) for r in s.rows("end")], rows, f"{how}: END rows")
    equal((s.end_ns > 0), header[0] != "none", f"{how}: the time of the end")
    equal([r.text for r in s.rows("exec")], EXECS.get(how, []), f"{how}: EXEC rows")
    sizes = [r.size for r in s.sizes()]
    equal(sizes.count(7001), 1, f"{how}: the block before")
    equal(sizes.count(7002), int(handler), f"{how}: the handler's block")
    equal(s.lost_events, 0, f"{how}: lost events")
    if how in ("exec_fails", "abort_survived"):
        equal(sizes.count(7004), 1, f"{how}: recording goes on")
    if how == "pthread_exit":
        equal(s.threads[1][-1].kind, "thread_exit", "main thread's last row")
print(len(CASES), "ends")
