# SPDX-License-Identifier: MIT
"""Reads the MemScope notes of a linked ELF image, by memscope/abi.h alone.

  note.py IMAGE           every site, in order
  note.py --types IMAGE   every type with its fields
  note.py --notes IMAGE   one line per unit
"""
import struct
import sys


class Image:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        assert self.data[:4] == b"\x7fELF" and self.data[4] == 2, "not a 64-bit ELF file"
        phoff, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        self.loads, self.notes = [], []
        for i in range(count):
            kind, flags, offset, vaddr, _, filesz, memsz, align = struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * size)
            if kind == 1:
                self.loads.append((vaddr, filesz, memsz, offset, flags))
            if kind == 4:
                self.notes.append((vaddr, filesz, align))

    def at(self, vaddr, size):
        for base, filesz, _, offset, _ in self.loads:
            if base <= vaddr and vaddr + size <= base + filesz:
                return self.data[offset + vaddr - base:offset + vaddr - base + size]
        raise SystemExit("address %#x is in no loaded segment" % vaddr)

    def writable(self, vaddr):
        return any(base <= vaddr < base + memsz and flags & 2 for base, _, memsz, _, flags in self.loads)


class Unit:
    def __init__(self, image, vaddr):
        words = struct.unpack("<4I", image.at(vaddr + 12 + 12, 4) + image.at(vaddr, 12))
        self.version = words[0]
        assert words[1:] == (9, 52, 1), "note header %r" % (words[1:],)
        (_, unit, sites, site_count, types, type_count, fields, field_count, strings, strings_bytes, source,
         compiler, steps) = struct.unpack("<IiiIiIiIiIIIi", image.at(vaddr + 24, 52))
        rel = lambda index, distance: vaddr + 24 + 4 * index + distance
        self.unit = rel(1, unit)
        assert image.writable(self.unit) and image.writable(rel(12, steps)), "the unit and its steps must be writable"
        for index, distance in ((2, sites), (4, types), (6, fields), (8, strings)):
            assert not image.writable(rel(index, distance)), "tables must be read-only"
        pool = image.at(rel(8, strings), strings_bytes)
        assert pool[:1] == b"\0" and pool[-1:] == b"\0"
        self.text = lambda offset: pool[offset:pool.index(b"\0", offset)].decode()
        self.source, self.compiler = self.text(source), self.text(compiler)
        self.sites = [struct.unpack("<6IHBBI", image.at(rel(2, sites) + 32 * i, 32)) for i in range(site_count)]
        self.types = [struct.unpack("<IHHQIIII", image.at(rel(4, types) + 32 * i, 32) + b"") for i in range(type_count)] \
            if type_count and struct.calcsize("<IHHQIIII") == 32 else []
        self.fields = [struct.unpack("<5IBBH", image.at(rel(6, fields) + 24 * i, 24)) for i in range(field_count)]

    def type_name(self, index):
        return self.text(self.types[index - 1][0]) if index else "?"


KINDS = "unknown init assign return arg temp out free discard".split()
FLAGS = [(1, "up"), (2, "wrapper"), (4, "system"), (8, "new"), (16, "array")]
TYPE_KINDS = "other scalar pointer struct union class array function".split()
FIELD_FLAGS = [(1, "pointer"), (2, "bits"), (4, "flexible"), (8, "base"), (16, "vptr")]


def names(flags, table):
    return "".join(" " + name for bit, name in table if flags & bit)


def units_of(path):
    image, found = Image(path), []
    for vaddr, size, align in image.notes:
        at = vaddr
        while at + 12 <= vaddr + size:
            namesz, descsz, kind = struct.unpack("<3I", image.at(at, 12))
            if namesz == 9 and image.at(at + 12, 9) == b"MemScope\0":
                found.append(Unit(image, at))
            pad = 7 if align == 8 else 3
            at += (12 + ((namesz + 3) & ~3) + descsz + pad) & ~pad
    return found


def main():
    arguments = sys.argv[1:]
    mode = arguments.pop(0) if arguments[0].startswith("--") else "--sites"
    for u in units_of(arguments[0]):
        if mode == "--notes":
            print("unit %s by %s version %d: %d sites" % (u.source, u.compiler, u.version, len(u.sites)))
        elif mode == "--types":
            for name, kind, _, size, align, target, first, count in u.types:
                print("type %s %s size %d align %d%s" % (u.text(name), TYPE_KINDS[kind], size, align,
                                                         " -> " + u.type_name(target) if target else ""))
                for fname, ftype, offset, fsize, counted, flags, bits, _ in u.fields[first:first + count]:
                    print("  %s.%s : %s at %d%s size %d%s%s" % (
                        u.text(name), u.text(fname), u.type_name(ftype), offset, "+%d" % bits if flags & 2 else "", fsize,
                        names(flags, FIELD_FLAGS),
                        " counted_by " + u.text(u.fields[first + counted - 1][0]) if counted else ""))
        else:
            for holder, kind_type, file, line, function, callee, column, kind, flags, element in u.sites:
                print("%s:%d:%d %s %s : %s (%d)%s <- %s in %s" % (
                    u.text(file), line, column, KINDS[kind], u.text(holder), u.type_name(kind_type), element,
                    names(flags, FLAGS), u.text(callee), u.text(function)))


main()
