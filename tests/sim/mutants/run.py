#!/usr/bin/env python3
"""Runs the simulation of one mutant and passes where it is caught: run.py MUTANT.toml PROGRAM."""

import pathlib
import subprocess
import sys
import tomllib

SEEDS = 30  # enough for all but those that say otherwise, from the first seed on


def main():
    mutant = tomllib.loads(pathlib.Path(sys.argv[1]).read_text())
    command = [sys.argv[2], "--world", mutant["caught_by"], "--seed", str(mutant.get("seed", 1)), "--seeds", str(mutant.get("seeds", SEEDS))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    print(ended.stdout + ended.stderr)
    if ended.returncode == 1 and "violated: " in ended.stderr:
        return 0
    print(f"not caught: {mutant['what']}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
