#!/usr/bin/env python3
"""Hurts a broker and looks at what its clients see. The last line is `N passed, N failed, N skipped`."""

import argparse
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import settings


class Lines(unittest.TestResult):
    """One line a test."""

    def __init__(self):
        super().__init__()
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()
        self.judged = False

    def say(self, test, verdict, detail=""):
        self.judged = True
        name = f"{type(test).__module__.removesuffix('_test')}.{test._testMethodName.removeprefix('test_')}"
        print(f"{verdict:8}{name}  {time.monotonic() - self.begin:.1f} s{detail}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        if not self.judged:
            self.passed += 1
            self.say(test, "ok")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(test, "skipped", f"  ({reason})")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say(test, "FAILED", "\n" + self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.begin = getattr(self, "begin", time.monotonic())
        detail = "\n" + self.errors[-1][1]
        if hasattr(test, "_testMethodName"):
            self.say(test, "FAILED", detail)
        else:
            print(f"FAILED  {test}{detail}", flush=True)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.say(test, "FAILED", f"  {subtest._subDescription()}\n" + (self.failures if issubclass(error[0], test.failureException) else self.errors)[-1][1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brook", type=pathlib.Path, help="the broker's binary")
    parser.add_argument("--load", type=pathlib.Path, required=True, help="faults_load, built from load.c")
    parser.add_argument("--kills", type=int, default=100, help="of the crash test (default: 100)")
    parser.add_argument("--peer", choices=["apache-kafka"], help="run what applies against Apache Kafka instead")
    parser.add_argument("--only", default="", metavar="WORD", help="tests whose name has it")
    arguments = parser.parse_args()
    if arguments.peer is None and arguments.brook is None:
        parser.error("--brook or --peer says what to test")
    for binary in filter(None, (arguments.brook, arguments.load)):
        if not binary.exists():
            parser.error(f"there is no {binary}: ./dev build")
    if arguments.kills < 1:
        parser.error("--kills takes a positive number")
    settings.brook = arguments.brook and arguments.brook.resolve()
    settings.load = arguments.load.resolve()
    settings.kills, settings.peer = arguments.kills, arguments.peer

    result = Lines()
    discovered = unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py", top_level_dir=str(HERE))
    # one suite, so that the tests of a class share what its setUpClass started
    unittest.TestSuite(test for test in tests_of(discovered) if arguments.only in test.id()).run(result)
    failed = len({id(test) if not hasattr(test, "test_case") else id(test.test_case) for test, _ in result.failures + result.errors})
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or result.passed == 0 else 0


def tests_of(suite):
    for each in suite:
        yield from tests_of(each) if isinstance(each, unittest.TestSuite) else [each]


if __name__ == "__main__":
    sys.exit(main())
