# SPDX-License-Identifier: MIT
"""An independent reader of streams, for the runtime's tests.

Written from the text of stream.def and stream.h, with nothing of the tool's
reader in it: slow, strict, and loud. It understands rows only as far as the
tests ask.
"""
import ctypes
import gc
import struct

gc.disable()  # rows live by the million and in no cycle: looking for one takes as long as reading them
PAGE = 4096
MAGIC = b"\x89MemScop"
RECORD_MAGIC = 0x4352534D
WINDOW, CHUNK, MODULE, PROCESS, VOLUME, NAMES, COUNTERS = 1, 2, 3, 4, 5, 6, 7
ALLOC, FREE, BEGIN, END, ENDED = range(5)
SAMPLE, COUNTED = 3, 4  # modes
VERSIONS = {SAMPLE: 5, COUNTED: 6}
NAMES_MOST, UNSEEN = 1 << 20, 3
COUNTS = "allocations reallocations allocated_bytes frees resized ended gone_bytes".split()
TAGS = {
    0x01: "time", 0x02: "place", 0x03: "size_high", 0x04: "realloc_fail", 0x05: "thread_exit", 0x06: "of_thread",
    0x07: "end", 0x08: "stack_of", 0x09: "realloc_unsampled", 0x30: "stamp", 0x33: "thread_start",
    0x34: "bad_free", 0x35: "bind", 0x36: "module_load", 0x37: "module_unload", 0x38: "lost", 0x39: "fork", 0x3A: "recording", 0x3B: "unseen_free", 0x70: "thread_name", 0x71: "exec",
    0x72: "mark", 0x73: "snapshot", 0x74: "stack",
}
END_HOW = ["none", "exit", "quick", "exec", "signal", "stopped"]
LOST = ["none", "space", "io", "file_gone", "memory", "late", "nested", "seccomp"]
CALLER_NAME = 1 << 63


xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
xxhash.XXH3_64bits_withSeed.argtypes = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64


def xxh3(data, seed=0):
    return xxhash.XXH3_64bits_withSeed(bytes(data), len(data), seed)


class Row:
    """One row: kind, thread, and its fields as attributes."""

    def __init__(self, kind, thread, shared, **fields):
        self.kind, self.thread, self.shared = kind, thread, shared
        self.__dict__.update(fields)

    def __repr__(self):
        fields = [(k, getattr(self, k)) for k in dir(self) if k[0] != "_"]
        return " ".join(f"{k}={v:#x}" if isinstance(v, int) else f"{k}={v}" for k, v in fields)


def row_words(word):
    tag = word & 0xFF
    if tag & 0x80:
        return 1 if tag & 0x40 else 2
    if tag >= 0x70:
        return 1 + (word >> 8 & 0xFFFF)
    return 4 if tag >= 0x60 else 3 if tag >= 0x50 else 2 if tag >= 0x30 else 1 if tag else 0


def hot_fields(tag):
    if not tag & 0x40:
        return {"op": END if tag & 0x20 else ALLOC, "fn": tag & 31}
    if tag & 15:
        return {"op": FREE, "fn": tag & 15, "slot": tag >> 4 & 3}
    if tag == 0xF0:
        return {"op": ENDED}
    return {"op": BEGIN, "fn": tag >> 4 & 3}


class Hot(Row):
    """A hot row. What its tag says is its class's: they are made by the million."""

    kind = "hot"

    def __init__(self, thread, shared, gen, address):
        self.thread, self.shared, self.gen, self.address = thread, shared, gen, address


HOT_ROWS = [type("Hot", (Hot,), hot_fields(tag)) for tag in range(256)]


def row_fields(tag, w):
    if tag in ("time",):
        return {"ns": w[0] >> 8}
    if tag == "place":
        return {"slot": w[0] >> 8 & 3, "name": w[0] >> 32}
    if tag == "size_high":
        return {"high": w[0] >> 32}
    if tag == "of_thread":
        return {"of": w[0] >> 32}
    if tag == "end":
        return {"how": END_HOW[w[0] >> 8 & 0xFF], "status": w[0] >> 32}
    if tag == "stamp":
        return {"serial": w[0] >> 8, "ns": w[1]}
    if tag == "stack_of":
        return {"id": w[0] >> 8 & 0x3FFFFFFF}
    if tag == "stack":
        return {"id": w[0] >> 24 & 0x3FFFFFFF, "frames": tuple(w[1:])}
    if tag == "thread_start":
        return {"tid": w[0] >> 32, "creator": w[1] & 0xFFFFFFFF}
    if tag in ("bad_free", "unseen_free"):
        return {"fn": w[0] >> 8 & 31, "name": w[0] >> 32, "address": w[1]}
    if tag == "bind":
        return {"gen": w[0] >> 8 & 0xFFF, "address": w[0] >> 20 << 3, "name": w[1] >> 32}
    if tag in ("module_load", "module_unload"):
        return {"module": w[0] >> 32, "record": w[1]}
    if tag == "lost":
        return {"reason": LOST[w[0] >> 8 & 0xFF], "events": w[1]}
    if tag == "fork":
        return {"pid": w[0] >> 32, "ns": w[1]}
    if tag in ("thread_name", "exec", "mark", "snapshot"):
        return {"text": struct.pack(f"<{len(w) - 1}Q", *w[1:])[: w[0] >> 24 & 0xFFFFF].decode()}
    return {}


class Stream:
    """A whole stream: header, modules, program, rows of each thread in order."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.path = str(path)
        self.header_read()
        self.modules, self.program, self.names = {}, None, {}
        self.pieces = {}  # (thread, chunk) -> (standing, offset, words); CHUNK wins
        self.records = []
        self.counters, self.newest = [], []  # (thread, name, counts); (thread, row, bytes, from, from_bytes)
        self.records_read()
        self.threads, self.shared = {}, []
        self.texts = {}
        self.rows_read()

    def header_read(self):
        d = self.data
        assert d[:8] == MAGIC, f"{self.path}: no stream"
        names = "byte_order version header_bytes record_align mode pid parent_pid clock_step_ns".split()
        self.__dict__.update(zip(names, struct.unpack_from("<8I", d, 8)))
        names = "start_unix_ns start_mono_ns tail lost_events".split()
        self.__dict__.update(zip(names, struct.unpack_from("<4Q", d, 40)))
        reason, how, self.end_status, self.thread_count = struct.unpack_from("<IIiI", d, 72)
        self.lost_reason, self.end_how = LOST[reason], END_HOW[how]
        self.end_ns, self.parent_position = struct.unpack_from("<2Q", d, 88)
        self.host = d[104:232].split(b"\0")[0].decode()
        self.parent = d[232:1256].split(b"\0")[0].decode()
        assert (self.byte_order, self.version, self.header_bytes, self.record_align) == (0x01020304, VERSIONS.get(self.mode, 4), PAGE, PAGE)

    def records_read(self):
        d, at = self.data, PAGE
        while at + 64 <= len(d):
            if not any(d[at : at + PAGE]):
                at += PAGE
                continue
            magic, kind, size, thread, checksum, fill, start_ns, check = struct.unpack_from("<IIQIIQQQ", d, at)
            assert magic == RECORD_MAGIC, f"{self.path}: no record at {at:#x}"
            assert size % PAGE == 0 and size >= PAGE, f"{self.path}: record of {size} bytes at {at:#x}"
            used, chunk = fill & 0xFFFFFFFF, fill >> 32
            payload = d[at + 64 : at + 64 + used]
            assert used <= size - 64, f"{self.path}: record at {at:#x} overflows"
            self.records.append((at, kind, size, thread, chunk, used))
            if kind == WINDOW:
                if used:
                    assert (thread, chunk) not in self.pieces or self.pieces[thread, chunk][0] == CHUNK
                    self.pieces.setdefault((thread, chunk), (WINDOW, payload, start_ns))
            else:
                assert check == xxh3(d[at : at + 24], RECORD_MAGIC), f"{self.path}: check of record at {at:#x}"
                whole = checksum == xxh3(payload) & 0xFFFFFFFF
                if kind == CHUNK and whole:
                    assert self.pieces.get((thread, chunk), (WINDOW,))[0] == WINDOW, f"chunk {thread}/{chunk} twice"
                    self.pieces[thread, chunk] = (CHUNK, payload, start_ns)
                elif kind == MODULE:
                    assert whole, f"{self.path}: damaged module at {at:#x}"
                    self.module_read(at, payload)
                elif kind == NAMES:
                    words = struct.unpack_from(f"<{size // 8 - 8}Q", d, at + 64)
                    self.names.update({thread + 8 + i: word for i, word in enumerate(words) if word})
                elif kind == COUNTERS:
                    self.counters_read(thread, d[at + 64 : at + size])
                elif kind == PROCESS:
                    assert whole, f"{self.path}: damaged program at {at:#x}"
                    argc, size_strings = struct.unpack_from("<2I", payload)
                    parts = payload[8 : 8 + size_strings].split(b"\0")
                    assert len(parts) == argc + 3, (argc, parts)
                    self.program = {"exe": parts[0].decode(), "cwd": parts[1].decode(), "argv": [p.decode() for p in parts[2:-1]]}
            at += size

    def counters_read(self, thread, p):
        word, low, size, from_bytes, from_ = struct.unpack_from("<4QI", p)
        if word:
            row = Row("hot", thread, False, gen=0, address=word >> 20 << 3, name=low >> 32, **hot_fields(word & 0xFF))
            self.newest.append((thread, row, size, from_, from_bytes))
        for at in range(64, len(p), 64):
            name, vanished, *counts = struct.unpack_from("<2I7Q", p, at)
            if name:
                self.counters.append((thread, name, {**dict(zip(COUNTS, counts)), "vanished": vanished}))

    def module_read(self, offset, p):
        names = "module unit_count bias start end loaded_ns first_site segment_count path_bytes build_id_bytes".split()
        m = dict(zip(names, struct.unpack_from("<2I4Q4I", p)))
        m["build_id"] = p[56 : 56 + m["build_id_bytes"]].hex()
        m["is_main"] = p[88]
        at = 96 + 16 * m["segment_count"]
        m["path"] = p[at : at + m["path_bytes"] - 1].decode()
        at += (m["path_bytes"] + 7) // 8 * 8
        m["sites"] = {}
        for _ in range(m["unit_count"]):
            first, sites, types, fields, strings, source, compiler, _ = struct.unpack_from("<8I", p, at)
            at += 32
            site_at = at
            at += 32 * sites + 32 * types + (24 * fields + 7) // 8 * 8
            text = p[at : at + strings]
            at += (strings + 7) // 8 * 8
            string = lambda o: text[o : text.index(b"\0", o)].decode()
            for i in range(sites):
                holder, type_, file, line, function = struct.unpack_from("<5I", p, site_at + 32 * i)
                m["sites"][first + i] = {"holder": string(holder), "line": line, "source": string(source)}
        m["offset"] = offset
        self.modules[m["module"]] = m

    def rows_read(self):
        self.chunk_rows = {}
        for thread, chunk in sorted(self.pieces):
            _, payload, start_ns = self.pieces[thread, chunk]
            if thread == 0:
                self.shared += list(self.rows_of(payload, 0, True))
                continue
            rows = self.threads.setdefault(thread, {})
            rows[chunk] = list(self.rows_of(payload, thread, False))
        for thread, chunks in self.threads.items():
            assert sorted(chunks) == list(range(len(chunks))), f"thread {thread} has chunks {sorted(chunks)}"
            self.chunk_rows[thread] = [chunks[chunk] for chunk in sorted(chunks)]
            self.threads[thread] = [row for chunk in sorted(chunks) for row in chunks[chunk]]

    def rows_of(self, payload, thread, shared):
        words = struct.unpack(f"<{len(payload) // 8}Q", payload)
        at = 0
        while at < len(words):
            first = words[at]
            length = row_words(first)
            assert length, f"{self.path}: thread {thread}: a zero tag below fill, word {at}"
            assert at + length <= len(words), f"{self.path}: thread {thread}: a row runs over fill"
            tag = first & 0xFF
            if tag & 0x80:
                row = HOT_ROWS[tag](thread, shared, first >> 8 & 0xFFF, first >> 20 << 3)
                if length == 2:
                    row.size, row.name = words[at + 1] & 0xFFFFFFFF, words[at + 1] >> 32
            elif tag == 0x7F and shared:
                row = Row("unfinished", thread, shared)
            else:
                assert tag in TAGS, f"{self.path}: unknown tag {tag:#x} of thread {thread}"
                row = Row(TAGS[tag], thread, shared, **row_fields(TAGS[tag], words[at : at + length]))
                if row.kind == "of_thread":
                    thread = row.of
            at += length
            yield row

    # ---- what tests ask ----

    def rows(self, *kinds):
        for rows in list(self.threads.values()) + [self.shared]:
            for row in rows:
                if not kinds or row.kind in kinds:
                    yield row

    def chunks(self, thread):
        """The thread's rows, a list for each chunk."""
        return self.chunk_rows[thread]

    def hot(self, *ops):
        return [row for row in self.rows("hot") if not ops or row.op in ops]

    def sizes(self):
        """Hot rows with whole sizes, and the freeing place of each free as `place`."""
        for rows in list(self.threads.values()) + [self.shared]:
            high = 0
            for row in rows:
                if row.kind == "size_high":
                    high = row.high
                elif row.kind == "hot" and row.op in (ALLOC, END):
                    row.size |= high << 32
                    high = 0
                    yield row

    def counts(self):
        """Allocations, frees, reallocations, bad frees, as an allocator counts its calls."""
        count = {"allocations": 0, "frees": 0, "reallocations": 0, "bad": 0}
        for rows in list(self.threads.values()) + [self.shared]:
            for row in rows:
                if row.kind == "bad_free":
                    count["bad"] += 1
                elif row.kind == "hot" and row.op == ALLOC:
                    count["allocations"] += 1
                elif row.kind == "hot" and row.op == FREE:
                    count["frees"] += 1
                elif row.kind == "hot" and row.op == END:
                    count["frees" if row.address == 0 else "reallocations"] += 1
        return count

    def events(self):
        return sum(1 for row in self.hot() if row.op not in (BEGIN, ENDED))

    def pairs_check(self):
        """Each (address, generation) dies at most as often as it was born; returns what lives."""
        born, died = {}, {}
        for row in self.rows("hot"):
            key = (row.address, row.gen)
            if row.op == ALLOC or (row.op == END and row.address):
                born[key] = born.get(key, 0) + 1
            elif row.op in (FREE, BEGIN, ENDED):
                died[key] = died.get(key, 0) + 1
        for row in self.rows("realloc_fail"):
            return None  # a failed realloc's begin is no death; the caller knows
        for key, n in died.items():
            assert born.get(key, 0) >= n, f"{self.path}: {key[0]:#x}/{key[1]} freed {n} times, born {born.get(key, 0)}"
        return sum(born.values()) - sum(died.values())

    def name(self, name):
        """A name as text: holders from the first site outwards, joined by '>'; '@module' of a caller."""
        if name not in self.texts:
            self.texts[name] = self.name_text(name)
        return self.texts[name]

    def name_text(self, name):
        if name < 8:
            return ""
        word = self.names[name]
        if word & CALLER_NAME:
            address, met = word & (1 << 48) - 1, self.names.get(name + 1, 0)
            there = [m for m in self.modules.values() if m["start"] <= address < m["end"] and m["loaded_ns"] <= met]
            return "@" + (max(there, key=lambda m: m["loaded_ns"])["path"].rsplit("/", 1)[-1] if there else "?")
        parent, site = word >> 32, word & 0x0FFFFFFF
        assert parent < name, f"{self.path}: name {name} comes before its parent {parent}"
        for m in self.modules.values():
            if site in m["sites"]:
                holder = m["sites"][site]["holder"]
                return self.name(parent) + ">" + holder if parent else holder
        raise AssertionError(f"{self.path}: site {site} is in no module")

    def named_blocks(self):
        """(name, size) of each allocation in order, and of each free (place,)."""
        late = {}
        for row in self.rows("bind"):
            late[row.address, row.gen] = row.name
        for row in self.sizes():
            yield self.name(late.get((row.address, row.gen), row.name)), row.size

    def counted(self, whole=True):
        """Of each name as text: [allocations, reallocations, allocated bytes, frees, live blocks, live bytes];
        of "unseen" what was done to blocks that are not in the stream. whole: no thread was killed inside an event."""
        sums, claims = {}, {}

        def add(to, key, **by):
            counts = to.setdefault(key, dict.fromkeys([*COUNTS, "vanished"], 0))
            for name, n in by.items():
                counts[name] = (counts[name] + n) % (1 << 64)

        # One that was resized its own thread counts as freed: it cannot know.
        taken = lambda c: (c["frees"] + c["resized"] + c["ended"] + c["vanished"]) % (1 << 64)
        text = lambda name: "unseen" if name == UNSEEN else self.name(name)
        for thread, name, counts in self.counters:
            if name >= NAMES_MOST:
                add(claims, name - NAMES_MOST, **counts)
            else:
                add(sums, text(name), **counts)
        for thread, row, size, from_, from_bytes in self.newest:
            resized = row.op == END
            named = row.name >= 8 and not self.names[row.name] & CALLER_NAME
            name = text(from_) if resized and not named and 8 <= from_ < NAMES_MOST else text(row.name)
            add(sums, name, allocated_bytes=size, **{"reallocations" if resized else "allocations": 1})
            if resized:
                add(sums, text(from_), resized=1, gone_bytes=from_bytes)
            claim = claims.pop(thread % NAMES_MOST, None)
            if claim and taken(claim):
                assert not whole or taken(claim) == 1, f"{self.path}: thread {thread}'s newest block was taken {claim}"
                if taken(claim) == 1:
                    add(sums, name, gone_bytes=size, frees=1)
        assert not whole or not any(taken(c) for c in claims.values()), f"{self.path}: blocks taken that no thread has: {claims}"
        live = lambda c: c["allocations"] + c["reallocations"] - c["frees"] - c["resized"] - c["ended"] - c["vanished"]
        return {name: [c["allocations"], c["reallocations"], c["allocated_bytes"], c["frees"], live(c), c["allocated_bytes"] - c["gone_bytes"]]
                for name, c in sums.items()}

    def places(self, thread):
        """The place of each FREE row of a thread, in order."""
        out, slots, newest = [], [0] * 4, None
        for row in self.threads[thread]:
            if row.kind == "place":
                slots[row.slot] = row.name
                if newest and newest.slot == row.slot:
                    out[-1][1] = row.name
            elif row.kind == "hot":
                newest = row if row.op == FREE else None
                if newest:
                    out.append([row, slots[row.slot]])
        return [(row, self.name(name)) for row, name in out]
