"""./dev answers --help for each command, and a wrong argument with one clear line and exit status 2, before it does anything."""

import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = ["run", "test", "build", "format", "lint", "bench", "fuzz", "simulate"]


def dev(*arguments):
    return subprocess.run([str(ROOT / "dev"), *arguments], capture_output=True, text=True, timeout=60)


class Dev(unittest.TestCase):
    def assert_refused(self, arguments, word):
        result = dev(*arguments)
        self.assertEqual(2, result.returncode, result.stdout + result.stderr)
        self.assertIn(word, result.stderr)
        self.assertEqual("", result.stdout)

    def test_helps(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = dev(command, "--help")
                self.assertEqual(0, result.returncode, result.stderr)
                self.assertTrue(result.stdout.startswith(f"usage: ./dev {command}"), result.stdout)
                self.assertIn(f"  {command} ", dev("--help").stdout)

    def test_refuses_an_option_that_it_does_not_know(self):
        for command in COMMANDS:
            with self.subTest(command):
                self.assert_refused([command, "--nonsense"], "--nonsense")

    def test_refuses_a_command_that_it_does_not_know(self):
        self.assert_refused(["biuld"], "'biuld'")
        self.assert_refused([], "usage")

    def test_refuses_a_bad_value(self):
        self.assert_refused(["run", "--port", "70000"], "70000")
        self.assert_refused(["run", "--port"], "needs a value")
        self.assert_refused(["test", "--sanitize", "msan"], "msan")
        self.assert_refused(["fuzz", "--seconds", "soon"], "soon")
        self.assert_refused(["fuzz", "no_such_fuzz"], "no_such_fuzz")
        self.assert_refused(["format", "no/such/file.cc"], "no/such/file.cc")
        self.assert_refused(["lint", "--since", "nowhere"], "nowhere")


if __name__ == "__main__":
    unittest.main()
