#!/usr/bin/env python3
"""Writes a source file with one mistake in it: apply.py MUTANT.toml ROOT OUT. It fails where the text that the mutant
changes is not there exactly once, so that a mutant stays one."""

import pathlib
import sys
import tomllib


def main():
    mutant_path, root, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    mutant = tomllib.loads(mutant_path.read_text())
    text = (root / mutant["file"]).read_text()
    found = text.count(mutant["from"])
    if found != 1:
        sys.exit(f"{mutant_path}: what it changes is {found} times in {mutant['file']}, not once")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text.replace(mutant["from"], mutant["to"]))


if __name__ == "__main__":
    main()
