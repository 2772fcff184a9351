#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the data of report pages, from the byte picture in view/columns.h alone.

  page.py same A.html B.html     equal but for source excerpts?
  page.py tables A.html          tables with their rows
"""
import base64, gzip, json, re, struct, sys

WIDTH = {"u8": "B", "u16": "H", "u32": "I", "f64": "d", "str": "I"}


def page(path):
    """The page without its data, and its tables: name -> column -> values."""
    html = open(path, "rb").read()
    found = re.search(rb'(<script[^>]*id="?memscope-data"?[^>]*>)(.*?)(</script>)', html, re.S)
    if not found: sys.exit(f"{path} carries no data")
    data = gzip.decompress(base64.b64decode(found.group(2)))
    if data[:8] != b"MSPAGE1\n": sys.exit(f"{path}: other data")
    length, = struct.unpack_from("<I", data, 8)
    directory = json.loads(data[12:12 + length])
    base = (12 + length + 7) & ~7
    heap = directory["heap"]
    ends = struct.unpack_from(f'<{heap["count"]}I', data, base + heap["ends"])
    strings, start = [], 0
    for end in ends:
        strings.append(data[base + heap["bytes"] + start:base + heap["bytes"] + end].rstrip(b"\0").decode("utf-8", "replace"))
        start = end
    tables = {}
    for t in directory["tables"]:
        tables[t["name"]] = {"rows": t["rows"]}
        for c in t["columns"]:
            values = struct.unpack_from(f'<{t["rows"]}{WIDTH[c["kind"]]}', data, base + c["at"])
            tables[t["name"]][c["name"]] = [strings[v] for v in values] if c["kind"] == "str" else list(values)
    return html[:found.start(2)] + html[found.end(2):], tables


def same(a, b):
    (frame_a, a), (frame_b, b) = page(a), page(b)
    wrong = [] if frame_a == frame_b else ["the page around the data differs"]
    excerpts = a.pop("sources", {}).get("rows"), b.pop("sources", {}).get("rows")
    for name in sorted(set(a) | set(b)):
        for column in sorted(set(a.get(name, {})) | set(b.get(name, {}))):
            left, right = a.get(name, {}).get(column), b.get(name, {}).get(column)
            if left != right: wrong.append(f"{name}.{column}: {str(left)[:100]} / {str(right)[:100]}")
    print(f"{len(a)} tables, {sum(t['rows'] for t in a.values())} rows compared; excerpts {excerpts[0]} and {excerpts[1]}")
    return wrong


def main():
    step, *paths = sys.argv[1:]
    if step == "same": wrong = same(*paths)
    else: wrong = [f'{n} {t["rows"]}: {" ".join(t)}' for n, t in page(paths[0])[1].items()]
    for w in wrong: print("  " + w)
    return 1 if wrong and step == "same" else 0


sys.exit(main())
