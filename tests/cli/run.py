#!/usr/bin/env python3
"""Runs the command line as a person or a script would, against a broker of its own. The last line is `N passed, N failed, N skipped`.

usage: run.py --brook PATH_TO_BINARY [--peer apache-kafka] [--only WORD]
"""

import argparse
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
# The fault tests' runner and their brokers come first: their run.py is imported here, not this one.
sys.path[:0] = [str(HERE.parent / "faults"), str(HERE.parent / "peers")]
import run as runner
import settings

sys.path.append(str(HERE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brook", type=pathlib.Path, required=True, help="the binary, whose command line is tested")
    parser.add_argument("--peer", choices=["apache-kafka"], help="speak to Apache Kafka instead of to Brook")
    parser.add_argument("--only", default="", metavar="WORD", help="tests whose name has it")
    arguments = parser.parse_args()
    if not arguments.brook.exists():
        parser.error(f"there is no {arguments.brook}: ./dev build")
    settings.brook, settings.peer = arguments.brook.resolve(), arguments.peer

    result = runner.Lines()
    discovered = unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py", top_level_dir=str(HERE))
    unittest.TestSuite(test for test in runner.tests_of(discovered) if arguments.only in test.id()).run(result)
    failed = len({id(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors})
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or result.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
