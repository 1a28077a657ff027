"""What the tests of the command line share: a broker for each class, and the binary run with it."""

import json
import os
import subprocess
import time
import unittest

import settings

TIMEOUT_S = 60


def run(*words, input=None, stdin=subprocess.DEVNULL, bootstrap=None):
    """Runs `brook WORDS` to its end, without a terminal. Output as text; bytes that are no UTF-8 as surrogates."""
    environment = {key: value for key, value in os.environ.items() if key != "BROOK_BOOTSTRAP"}
    if bootstrap:
        environment["BROOK_BOOTSTRAP"] = bootstrap
    source = {"stdin": stdin} if input is None else {"input": input}
    return subprocess.run([settings.brook, *map(str, words)], capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=TIMEOUT_S,
                          env=environment, **source)


class AgainstBroker(unittest.TestCase):
    """One broker for all tests of a class; each test has topics of its own."""

    properties = {}

    @classmethod
    def make_broker(cls):
        return settings.broker(cls.properties)

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.make_broker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def run_brook(self, *words, **how):
        return run(*words, bootstrap=self.broker.bootstrap, **how)

    def brook(self, *words, **how):
        """What a command that must succeed, and complain of nothing, writes."""
        done = self.run_brook(*words, **how)
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"brook {words}: {done.stdout}")
        return done.stdout

    def brook_json(self, *words, **how):
        return [json.loads(line) for line in self.brook(*words, "--json", **how).splitlines()]

    def refused(self, *words, status=1, **how):
        """What a command that must fail complains of."""
        done = self.run_brook(*words, **how)
        self.assertEqual(done.returncode, status, f"brook {words}: {done.stdout}{done.stderr}")
        self.assertNotIn("terminate called", done.stderr)
        return done.stderr

    def eventually(self, what):
        """Waits until `what()` is true: metadata spreads by and by."""
        deadline = time.monotonic() + TIMEOUT_S
        while not what():
            self.assertLess(time.monotonic(), deadline, "it never came true")

    def create(self, topic, *words):
        self.brook("topic", "create", topic, *words)
        self.eventually(lambda: self.run_brook("topic", "describe", topic).returncode == 0)

    def start_brook(self, *words, **streams):
        """A command that runs until it is stopped."""
        environment = os.environ | {"BROOK_BOOTSTRAP": self.broker.bootstrap}
        process = subprocess.Popen([settings.brook, *map(str, words)], env=environment, text=True, stderr=subprocess.PIPE, **streams)

        def end():
            process.kill()
            process.communicate()

        self.addCleanup(end)
        return process
