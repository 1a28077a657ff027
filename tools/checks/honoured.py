#!/usr/bin/env python3
"""Fails where schemas/config/ and the code disagree on which settings Brook obeys.

A key is `honoured` only if the code names it, in quotes, outside of tests: a broker's key may instead be what an honoured key of a
topic or group takes its default from. And a key that code outside of src/cluster/ names, where all keys are parsed, is honoured.
"""

import argparse
import pathlib
import re
import sys

KEY, HONOURED, SYNONYMS = 0, 6, 8


def rows(path):
    lines = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [line for line in lines if line[KEY] != "key"]


def named(folder):
    """Key-like texts in quotes -> whether a file outside of src/cluster/ has them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".cc", ".h") or path.name.endswith("_test.cc") or "testing" in path.parts:
            continue
        outside = path.relative_to(folder).parts[0] != "cluster"
        for key in re.findall(r'"([a-z][a-z0-9.]*)"', path.read_text()):
            found[key] = found.get(key, False) or outside
    return found


def problems(root):
    keys = named(root / "src")
    topic, group, broker = (rows(root / f"schemas/config/{name}.tsv") for name in ("topic", "group", "broker"))
    through_others = {synonym.partition("*")[0] for row in topic + group if row[HONOURED] == "yes" for synonym in row[SYNONYMS].split()}
    for name, table in (("topic", topic), ("group", group), ("broker", broker)):
        for row in table:
            key = row[KEY]
            obeyed = key in keys or (name == "broker" and key in through_others)
            if row[HONOURED] == "yes" and not obeyed:
                yield f"{name}.tsv: {key} is honoured, and no code names it"
            if name == "broker" and row[HONOURED] == "no" and keys.get(key):
                yield f"{name}.tsv: {key} is not honoured, and code names it"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    found = list(problems(parser.parse_args().root))
    print("\n".join(found) or "settings: code and tables agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
