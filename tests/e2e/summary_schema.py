#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary --json is schema 1 to the letter: every key, no other, types, and the
sums that must agree with each other."""
import json
import os

from e2e import CXX, MEMSCOPE, compile_c, main, ok, record, run

TEXT, NUMBER, BOOL = str, int, bool
SITE = {
    "id": NUMBER, "holder": TEXT, "type": TEXT, "element_bytes": NUMBER, "file": TEXT, "line": NUMBER, "column": NUMBER,
    "function": TEXT, "module": TEXT, "chain": list, "provenance": TEXT, "allocations": NUMBER, "frees": NUMBER,
    "allocated_bytes": NUMBER, "live_blocks": NUMBER, "live_bytes": NUMBER, "peak_bytes": NUMBER, "bytes_at_peak": NUMBER,
    "temporary": NUMBER, "threads": NUMBER,
    "lifetime_ns": {"min": (NUMBER, None), "median": (NUMBER, None), "p99": (NUMBER, None), "max": (NUMBER, None)},  # null: nothing died
}
NOTE = {"kind": TEXT, "offset": (NUMBER, None), "text": TEXT}  # notes: when there are some
SCHEMA = {
    "memscope": {"version": TEXT, "schema": NUMBER},
    "process": {"program": TEXT, "argv": [TEXT], "pid": NUMBER, "host": TEXT, "start_unix_ns": NUMBER, "duration_ns": NUMBER,
                "mode": TEXT, "complete": BOOL, "end": {"how": TEXT, "status": (NUMBER, None)}},
    "totals": {"allocations": NUMBER, "frees": NUMBER, "reallocations": NUMBER, "allocated_bytes": NUMBER,
               "peak_bytes": NUMBER, "peak_time_ns": NUMBER, "live_blocks": NUMBER, "live_bytes": NUMBER,
               "temporary": NUMBER, "threads": NUMBER, "events": NUMBER, "lost_events": NUMBER},
    "coverage": {"named_allocations": NUMBER, "wrapper_only_allocations": NUMBER, "unnamed_allocations": NUMBER,
                 "named_bytes": NUMBER, "wrapper_only_bytes": NUMBER, "unnamed_bytes": NUMBER, "typed_bytes": NUMBER},
    "sites": [SITE],
    "types": [{"name": TEXT, "size": NUMBER, "align": NUMBER, "allocations": NUMBER, "live_bytes": NUMBER,
               "peak_bytes": NUMBER, "padding_bytes": NUMBER}],
    "holders": [{"holder": TEXT, "type": TEXT, "allocations": NUMBER, "live_bytes": NUMBER, "peak_bytes": NUMBER}],
    "modules": [{"name": TEXT, "build_id": TEXT, "instrumented": BOOL, "status": TEXT, "loaded_ns": NUMBER,
                 "unloaded_ns": (NUMBER, None), "allocations": NUMBER, "live_bytes": NUMBER}],
    "threads": [{"id": NUMBER, "name": TEXT, "allocations": NUMBER, "frees": NUMBER, "foreign_frees": NUMBER,
                 "allocated_bytes": NUMBER}],
    "domains": [{"id": NUMBER, "name": TEXT, "parent": NUMBER, "self_bytes": NUMBER, "total_bytes": NUMBER}],
    "findings": [{"rule": TEXT, "severity": TEXT, "message": TEXT, "holder": TEXT, "type": TEXT, "file": TEXT,
                  "line": NUMBER, "function": TEXT, "cwe": NUMBER, "blocks": NUMBER, "bytes": NUMBER,
                  "allocated_at": TEXT, "freed_at": TEXT, "evidence": dict}],
}


def differences(value, schema, path="$"):
    """Lines that say where value is not of this schema."""
    if isinstance(schema, tuple):
        return [] if value is None else differences(value, schema[0], path)
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        found = [f"{path} has no {k}" for k in schema if k not in value]
        found += [f"{path} has an unknown {k}" for k in value if k not in schema]
        return found + [d for k in schema if k in value for d in differences(value[k], schema[k], f"{path}.{k}")]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [d for i, v in enumerate(value) for d in differences(v, schema[0], f"{path}[{i}]")]
    # JSON's true is no number, though Python's is
    return [] if type(value) is schema else [f"{path} is {type(value).__name__}, not {schema.__name__}"]


PROGRAM = """#include <stdlib.h>
#include <string.h>
#include <pthread.h>
struct node { struct node *next; char pad; long value; };
struct node *list;
static void *xmalloc(size_t n) { return malloc(n); }
static void *work(void *a) { char *text = strdup("one \\"two\\" \\\\ three\\n"); free(text); return a; }
int main(void) {
  pthread_t t;
  pthread_create(&t, 0, work, 0);
  pthread_join(t, 0);
  for (int i = 0; i < 50; i++) { struct node *n = xmalloc(sizeof *n); n->next = list; list = n; }
  for (int i = 0; i < 20; i++) { struct node *n = list; list = n->next; free(n); }
  char *grow = malloc(10);
  for (int i = 1; i < 10; i++) grow = realloc(grow, 1000 * (size_t)i);
  void *unseen = xmalloc(5);
  return unseen == 0;
}
"""


def data_of(folder, program):
    stream = record(folder, program, stream=os.path.basename(program) + ".memscope")
    text = ok(MEMSCOPE, "summary", stream, "--json")
    return json.loads(text), text


def test_schema(folder):
    data, text = data_of(folder, compile_c(folder, "a", PROGRAM))
    assert not differences(data, SCHEMA), "\n".join(differences(data, SCHEMA)[:20])
    assert data["memscope"]["schema"] == 1
    assert list(data) == list(SCHEMA), "the order of the schema"
    assert text.endswith("}\n")


def test_schema_checker_sees_faults(folder):
    data, _ = data_of(folder, compile_c(folder, "a", PROGRAM))
    for change in (lambda d: d.pop("totals"), lambda d: d["sites"][0].pop("holder"), lambda d: d.update(more=1),
                   lambda d: d["totals"].update(frees="3"), lambda d: d["process"].update(complete=1)):
        copy = json.loads(json.dumps(data))
        change(copy)
        assert differences(copy, SCHEMA)


def test_sums_agree(folder):
    data, _ = data_of(folder, compile_c(folder, "a", PROGRAM))
    totals, coverage, sites = data["totals"], data["coverage"], data["sites"]
    assert totals["events"] == totals["allocations"] + totals["frees"] + totals["reallocations"]
    assert totals["allocations"] - totals["frees"] == totals["live_blocks"]
    assert totals["lost_events"] == 0 and data["process"]["complete"]
    assert sum(s["allocations"] for s in sites) == totals["allocations"]
    assert sum(s["live_bytes"] for s in sites) == totals["live_bytes"]
    assert sum(s["bytes_at_peak"] for s in sites) == totals["peak_bytes"]
    assert sum(t["allocations"] for t in data["threads"]) == totals["allocations"]
    assert sum(m["allocations"] for m in data["modules"]) == totals["allocations"]
    assert coverage["named_allocations"] + coverage["wrapper_only_allocations"] + coverage["unnamed_allocations"] == \
        totals["allocations"]
    assert coverage["typed_bytes"] <= totals["allocated_bytes"]
    nodes = [s for s in sites if s["type"] == "struct node"]
    assert len(nodes) == 1 and nodes[0]["holder"] == "list", [s["holder"] for s in sites]
    assert (nodes[0]["type"], nodes[0]["allocations"], nodes[0]["frees"], nodes[0]["live_bytes"]) == \
        ("struct node", 50, 20, 30 * 24), nodes[0]
    for site in sites:
        assert len({value is None for value in site["lifetime_ns"].values()} | {site["frees"] == 0}) == 1, site
    assert nodes[0]["function"] == "main" and nodes[0]["provenance"] == "exact" and nodes[0]["element_bytes"] == 24


def test_notes(folder):
    program = compile_c(folder, "a", '#include <stdlib.h>\nint main(void) { char *p = malloc(2000); free(p); free(p + 16); return 0; }',
                        "-Wno-free-nonheap-object")
    stream = folder + "/a.memscope"
    run(MEMSCOPE, "run", "--quiet", "-o", stream, program)
    data = json.loads(ok(MEMSCOPE, "summary", stream, "--json"))
    assert data["notes"] and not differences(data["notes"], [NOTE]), data["notes"]
    assert any("without a live block" in note["text"] and note["kind"] == "info" for note in data["notes"]), data["notes"]


def test_ends(folder):
    """How the process ended; a status only where there is one."""
    program = compile_c(folder, "a", '''#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char *kept = malloc(10);
  if (*argv[1] == 'e') exit(kept ? 7 : 0);
  if (*argv[1] == 'q') _exit(8);
  if (*argv[1] == 'x') execl("/bin/true", "true", NULL);
  abort();
}
''')
    for word, code, end in (("exit", 7, ("exit", 7)), ("quick", 8, ("quick", 8)), ("x", 0, ("exec", None)), ("abort", 134, ("signal", 6))):
        data = json.loads(ok(MEMSCOPE, "summary", record(folder, program, word, stream=word + ".memscope", code=code), "--json"))
        assert (data["process"]["end"]["how"], data["process"]["end"]["status"]) == end, data["process"]


def test_top_limits_lists_not_totals(folder):
    program = compile_c(folder, "a", PROGRAM)
    stream = record(folder, program)
    whole = json.loads(ok(MEMSCOPE, "summary", stream, "--json"))
    short = json.loads(ok(MEMSCOPE, "summary", stream, "--json", "--top", "1"))
    assert len(short["sites"]) == 1 and short["totals"] == whole["totals"] and not differences(short, SCHEMA)


def test_cxx_and_empty(folder):
    program = compile_c(folder, "x", "struct s { int a; }; s *kept;\nint main() { kept = new s[3]; }\n", compiler=CXX, suffix=".cc")
    data, _ = data_of(folder, program)
    assert not differences(data, SCHEMA)
    data, _ = data_of(folder, compile_c(folder, "nothing", "int main(void) { return 0; }\n"))
    assert not differences(data, SCHEMA) and data["totals"]["live_blocks"] == 0


if __name__ == "__main__":
    main()
