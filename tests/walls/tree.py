"""A small source tree in a temporary folder, and a check of tools/checks that runs over it."""

import pathlib
import subprocess
import sys
import tempfile

CHECKS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "checks"


def check(name, files):
    """Runs tools/checks/NAME over a tree of these files, path to text. Returns (exit status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        result = subprocess.run([sys.executable, str(CHECKS / name), str(root)], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr
