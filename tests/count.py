#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py JUNIT BUILD: the closing line of ./check, from what ctest wrote.

Exit code 1 when a test failed or did not run, when none ran, and, with
CI=true, when one was skipped that is not labelled `optional`.
"""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml


def labels_of(build):
    """Test name -> its ctest labels."""
    text = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True).stdout
    labels = {}
    for test in json.loads(text)["tests"]:
        values = [p["value"] for p in test.get("properties", []) if p["name"] == "LABELS"]
        labels[test["name"]] = values[0] if values else []
    return labels


def outcome(case):
    status = case.get("status")
    if status == "run":
        return "passed"
    skipped = case.find("skipped")
    # A program that is missing or could not be started is "not run" too: no excuse.
    if status in ("notrun", "disabled") and skipped is not None and "SKIP" in skipped.get("message", "").upper():
        return "skipped"
    return "failed"


def main(junit, build):
    root = xml.parse(junit).getroot() if os.path.exists(junit) else xml.Element("none")
    cases = [(case.get("name"), outcome(case)) for case in root.iter("testcase")]
    labels = labels_of(build)
    if os.environ.get("CI") == "true":
        for name, result in cases:
            if result == "skipped" and "optional" not in labels.get(name, []):
                print(f"failed: {name} was skipped, and is not optional in CI")
        cases = [(n, "failed" if r == "skipped" and "optional" not in labels.get(n, []) else r) for n, r in cases]
    for wanted in ("skipped", "failed"):
        for name, result in cases:
            if result == wanted:
                print(f"{wanted}: {name}")
    count = {r: sum(result == r for _, result in cases) for r in ("passed", "failed", "skipped")}
    closing = f"{count['passed']} passed, {count['failed']} failed"
    print(closing + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
