"""A small source tree in a temporary folder, and a check of tools/checks that runs over it."""

import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest.mock

CHECKS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "checks"


def check(name, files):
    """Runs tools/checks/NAME over a tree of these files, path to text. Returns (exit status, output)."""
    specification = importlib.util.spec_from_file_location(name.removesuffix(".py"), CHECKS / name)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        with unittest.mock.patch.object(sys, "argv", [name, folder]), contextlib.redirect_stdout(output):
            return module.main(), output.getvalue()
