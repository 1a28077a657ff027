"""What needs no broker: help, mistakes, a broker that is not there, completion."""

import shutil
import socket
import subprocess
import unittest

from command_line import run
import settings


class Usage(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("no broker is asked here")

    def commands(self):
        """Each command as words, by the help itself."""
        found = []
        for line in run("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines():
            word = line.split()[0]
            group = run(word, "--help").stdout
            if f"usage: brook {word} COMMAND" not in group:
                found.append([word])
                continue
            found += [each.split()[:2] for each in group.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()]
        return found

    def test_every_command_explains_itself_with_an_example(self):
        commands = self.commands()
        for expected in (["start"], ["topic", "create"], ["config", "alter"], ["produce"], ["consume"], ["log", "dump"], ["completion"], ["version"]):
            self.assertIn(expected, commands)
        for words in commands:
            with self.subTest(words):
                done = run(*words, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"usage: brook {' '.join(words)}", done.stdout)
                if words != ["version"]:
                    self.assertIn("\nExamples:\n", done.stdout)

    def test_mistakes_end_with_2_and_say_what_is_valid(self):
        for words, text in [((), "usage: brook COMMAND"), (("tpoic",), "did you mean 'topic'?"), (("topic", "lsit"), "did you mean 'list'?"),
                            (("topic", "create"), "TOPIC is missing"), (("topic", "list", "--jsn"), "did you mean '--json'?"),
                            (("topic", "create", "a", "-p", "many"), "takes a whole number, not 'many'"),
                            (("topic", "create", "a", "-p", "0"), "from 1 on"), (("topic", "create", "a", "--set", "x"), "KEY=VALUE"),
                            (("produce", "t", "-z", "brotli"), "none|gzip|snappy|lz4|zstd"), (("consume", "t", "--from", "sometime"), "no place in a topic"),
                            (("consume", "t", "--format", "%q"), "no token '%q'"), (("consume", "t", "--timeout", "soon"), "500ms"),
                            (("topic", "list", "-b", "host:port"), "host:port"), (("start", "--shards"), "needs a value"), (("start", "--set", "x"), "KEY=VALUE")]:
            with self.subTest(words):
                done = run(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr)

    def test_a_broker_that_is_not_there_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for words in (["topic", "list"], ["config", "list"], ["consume", "t"], ["produce", "t"]):
                with self.subTest(words):
                    done = run(*words, "-b", address)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn(address, done.stderr)
                    self.assertIn("refused", done.stderr)
                    self.assertIn("brook start", done.stderr)

    def test_a_peer_that_does_not_answer_is_given_up(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            done = run("topic", "list", "-b", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "500ms")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no broker can be reached", done.stderr)

    def test_the_version_is_told(self):
        self.assertRegex(run("version").stdout, r"^brook \d+\.\d+\.\d+\n$")
        self.assertEqual(run("--version").stdout, run("version").stdout)

    def test_a_full_disk_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([settings.brook, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
            written = subprocess.run([settings.brook, "version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual((done.returncode, written.returncode), (1, 1))
        self.assertIn("cannot write: No space left on device", written.stderr)

    def completed(self, line):
        """What bash offers behind `line`."""
        words = line.split(" ")
        script = f"""source <({settings.brook} completion bash) || exit 3
COMP_WORDS=({settings.brook} {' '.join(word or "''" for word in words)}); COMP_CWORD={len(words)}; _brook; printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_bash_completes_commands_options_and_values(self):
        self.assertEqual(self.completed("to"), ["topic"])
        self.assertEqual(self.completed("topic de"), ["describe", "delete"])
        self.assertEqual(self.completed("topic create --rep"), ["--replicas"])
        self.assertEqual(self.completed("produce t -z s"), ["snappy"])
        self.assertEqual(self.completed("completion "), ["bash", "zsh", "fish"])
        self.assertIn("--bootstrap", self.completed("consume --"))

    def test_the_scripts_of_other_shells_are_well_formed(self):
        for shell, check in (("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
            with self.subTest(shell):
                script = run("completion", shell).stdout
                self.assertIn("__complete", script)
                if shutil.which(shell):
                    subprocess.run(check, input=script, text=True, check=True, timeout=30)
