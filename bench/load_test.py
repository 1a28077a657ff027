#!/usr/bin/env python3
"""`brook bench` against a broker of its own: counts and keys, and what is said when something is wrong. No times are judged.

    python3 bench/load_test.py --brook build/release/src/app/brook
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "faults"))
import broker as brokers
import readiness

TIMEOUT_S = 120
PERCENTILES = ["p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99", "max"]


class LoadTest(unittest.TestCase):
    brook = None  # the program, from the command line

    @classmethod
    def setUpClass(cls):
        cls.broker = brokers.Brook(cls.brook)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def run_bench(self, *words, bootstrap=None):
        return subprocess.run([str(self.brook), "bench", *(str(word) for word in words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S,
                              env={**os.environ, "BROOK_BOOTSTRAP": bootstrap or self.broker.bootstrap})

    def bench(self, *words):
        result = self.run_bench(*words, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""), words)
        return json.loads(result.stdout)

    def fails(self, status, *words, bootstrap=None):
        result = self.run_bench(*words, bootstrap=bootstrap)
        self.assertEqual(result.returncode, status, result)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def assert_ascending(self, report, key):
        values = [report[f"{key}_{each}_us"] for each in PERCENTILES]
        self.assertEqual(values, sorted(values))
        self.assertGreater(values[0], 0)

    def test_what_is_produced_is_consumed(self):
        produced = self.bench("produce", "-t", "counted", "--partitions", 3, "-n", 10_001, "--record-bytes", 100, "--producers", 4)
        self.assertEqual((produced["records"], produced["bytes"], produced["partitions"]), (10_001, 1_000_100, 3))
        self.assertEqual((produced["errors"], produced["ack_latency_count"]), (0, 10_001))
        self.assertGreaterEqual(produced["wire_bytes"], 1_000_100)
        self.assert_ascending(produced, "ack_latency")

        everything = self.bench("consume", "-t", "counted")
        self.assertEqual((everything["records"], everything["bytes"]), (10_001, 1_000_100))
        fan_out = self.bench("consume", "-t", "counted", "--consumers", 3)
        self.assertEqual(fan_out["records"], 3 * 10_001)
        shared = self.bench("consume", "-t", "counted", "--consumers", 5, "--share")
        self.assertEqual(shared["records"], 10_001)
        some = self.bench("consume", "-t", "counted", "-n", 1_234)
        self.assertEqual(some["records"], 1_234)

    def test_without_batching_each_record_is_a_request(self):
        report = self.bench("produce", "-t", "unbatched", "-n", 500, "--record-bytes", 100, "--no-batching")
        self.assertEqual((report["records"], report["requests"]), (500, 500))

    def test_a_rate_is_kept_and_the_warm_up_does_not_count(self):
        report = self.bench("produce", "-t", "rate", "--seconds", "500ms", "--warm-up", "300ms", "--rate", 1_000, "--producers", 2)
        self.assertEqual((report["records"], report["ack_latency_count"]), (500, 500))

    def test_values_compress_to_about_half(self):
        report = self.bench("produce", "-t", "compressed", "-n", 20_000, "--compression", "lz4", "--linger-ms", 50)
        self.assertTrue(0.4 < report["wire_bytes"] / report["bytes"] < 0.6, report)

    def test_latency_counts_what_was_due_after_the_warm_up(self):
        report = self.bench("latency", "-t", "latency", "--partitions", 2, "--rate", 500, "--seconds", "1s", "--warm-up", "200ms")
        self.assertEqual((report["records"], report["received_records"], report["latency_count"]), (500, 500, 500))
        self.assertEqual((report["ack_latency_count"], report["send_delay_count"]), (500, 500))
        for key in ("latency", "ack_latency"):
            self.assert_ascending(report, key)

    def test_a_broker_that_dies_ends_the_load(self):
        with brokers.Brook(self.brook) as broker:
            self.assertEqual(self.run_bench("produce", "-n", 1, bootstrap=broker.bootstrap).returncode, 0)
            process = subprocess.Popen([str(self.brook), "bench", "produce", "-b", broker.bootstrap, "--seconds", "60s", "--timeout", "2s", "--json"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.kill)
            # once it has been seen to produce
            self.assertEqual(self.run_bench("consume", "-n", 1_000, bootstrap=broker.bootstrap).returncode, 0)
            broker.kill()
            output, errors = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual((process.returncode, output), (1, ""))
        self.assertIn("no acknowledgement for 2 s", errors)
        self.assertEqual(errors.count("\n"), 1)

    def test_mistakes_are_told_in_one_line(self):
        nobody = f"127.0.0.1:{readiness.free_ports(1)[0]}"
        self.assertIn("no broker answers at " + nobody, self.fails(1, "produce", "--timeout", "1s", bootstrap=nobody))
        self.assertIn("topic absent", self.fails(1, "consume", "-t", "absent"))
        self.bench("produce", "-t", "two", "--partitions", 2, "-n", 1)
        self.assertIn("is there with 2 partitions, not 3", self.fails(1, "produce", "-t", "two", "--partitions", 3))
        self.assertIn("no record for 1 s", self.fails(1, "consume", "-t", "two", "--from", "end", "-n", 1, "--timeout", "1s"))
        self.assertIn("No such configuration property", self.fails(1, "produce", "--property", "no.such=1"))
        self.assertIn("--from end needs", self.fails(2, "consume", "--from", "end"))
        self.assertIn("exclude each other", self.fails(2, "produce", "--records", 1, "--seconds", 1))
        self.assertIn("--record-bytes takes 16", self.fails(2, "latency", "--record-bytes", 8))
        self.assertIn("Examples:", self.run_bench("latency", "--help").stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brook", type=pathlib.Path, required=True)
    arguments, rest = parser.parse_known_args()
    LoadTest.brook = arguments.brook.resolve()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
