#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bad frees: where they were, of which block, and who had freed it before; also
when the allocator ends the program in one."""
from e2e import MEMSCOPE, compile_c, main, ok, record, summary

# Seven freed blocks of one size fill glibc's thread cache; behind it a block may be
# freed twice unnoticed, if another was in between.
PROGRAM = """#include <stdlib.h>
char *kept, *other, *filler[7];
__attribute__((noinline)) static void drop(char *p) {
  free(p);
}
__attribute__((noinline)) static void again(char *p) {
  free(p);
}
int main(int argc, char **argv) {
  (void)argv;
  for (int i = 0; i < 7; i++) filler[i] = malloc(24);
  kept = malloc(24);
  other = malloc(24);
  for (int i = 0; i < 7; i++) free(filler[i]);
  drop(kept);
  if (argc == 1) free(other);
  again(kept);
  return 0;
}
"""


def test_double(folder):
    stream = record(folder, compile_c(folder, "a", PROGRAM))
    data, text = summary(stream), ok(MEMSCOPE, "summary", stream)
    rows = data["bad_frees"]
    assert len(rows) == 1 and (rows[0]["kind"], rows[0]["function"], rows[0]["count"], rows[0]["thread"]) == ("double", "free", 1, 1), rows
    place, block = rows[0]["place"], rows[0]["block"]
    assert (place["function"], place["line"]) == ("again", 7) and place["file"].endswith("a.c"), place
    assert (block["holder"], block["type"], block["bytes"], block["born"]["line"]) == ("kept", "char", 24, 12), block
    assert (block["freed"]["function"], block["freed"]["line"]) == ("drop", 4), block
    assert data["sites"][[s["id"] for s in data["sites"]].index(block["site"])]["holder"] == "kept"
    part = text[text.index("\nBad frees\n"):].split("\n\n")[0]
    for says in ("1  double free  a.c:7 again", "24 B  kept : char", "a.c:12 main", "freed first  a.c:4 drop"):
        assert says in part, part
    ok(MEMSCOPE, "report", stream)


def test_ends_the_program(folder):
    """The row is told its place behind the free, from which abort() does not come back."""
    stream = record(folder, compile_c(folder, "a", PROGRAM), "more", code=134)
    bad = summary(stream)["bad_frees"][0]
    assert bad["kind"] == "double" and bad["place"] is None and bad["block"]["freed"]["function"] == "drop", bad
    assert "double free  at a place not known, where the program was ended" in ok(MEMSCOPE, "summary", stream)


def test_unknown_and_none(folder):
    stream = record(folder, compile_c(folder, "a", """#include <stdlib.h>
char here[64], *volatile p = here + 16;
int main(void) { free(p); return 0; }
"""), code=134)
    bad = summary(stream)["bad_frees"][0]
    assert bad["kind"] == "unknown" and bad["block"] is None and bad["address"] % 16 == 0, bad
    assert "where no block was" in ok(MEMSCOPE, "summary", stream)
    stream = record(folder, compile_c(folder, "b", "#include <stdlib.h>\nint main(void) { free(malloc(3)); return 0; }\n"), stream="t.memscope")
    assert "bad_frees" not in summary(stream) and "Bad frees" not in ok(MEMSCOPE, "summary", stream)


if __name__ == "__main__":
    main()
