"""Compaction that is killed or meets a bad batch: no key loses its last value, and one partition's trouble is its own."""

import pathlib
import random
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.request

import broker as brokers
import kafka_wire
from kafka_wire import Connection, batch
import readiness
import settings

PROPERTIES = {"log.cleanup.policy": "compact", "log.segment.bytes": 1 << 20, "log.cleaner.min.cleanable.ratio": 0.01,
              "log.cleaner.backoff.ms": 10, "log.segment.delete.delay.ms": 0}
KEYS = 10
VALUE_BYTES = 20_000  # five batches of all keys fill a segment
KILLS = 12
BATCHES_BETWEEN = 25
TIMEOUT_S = 60


def records(round_number):
    keys = [f"key-{i}".encode() for i in range(KEYS)]
    return batch([f"{round_number}:".encode() + b"x" * VALUE_BYTES for _ in keys], keys=keys)


def consume(port, topic):
    """(offset, key, round) of all records."""
    done = subprocess.run(["kcat", "-b", f"127.0.0.1:{port}", "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%o\t%k\t%s\n"],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [(int(offset), key, int(value.partition(":")[0])) for offset, key, value in (line.split("\t") for line in done.stdout.splitlines())]


class Compaction(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("tests/formats compares compaction with Apache Kafka's")
        if shutil.which("kcat") is None:
            self.skipTest("kcat not found")

    def start(self, properties=None):
        broker = brokers.Brook(settings.brook, {**PROPERTIES, **(properties or {})})
        self.addCleanup(broker.close)
        return broker.start()

    def wait_for(self, broker, pattern):
        deadline = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, broker.output()):
            self.assertLess(time.monotonic(), deadline, f"no {pattern} in {broker.output()[-3000:]}")
            time.sleep(0.05)

    def test_killed_again_and_again_it_loses_no_keys_last_value(self):
        broker = self.start()
        with Connection(broker.port) as connection:
            self.assertEqual(kafka_wire.NONE, connection.create_topic("few-keys")[1])
            connection.wait_for_leader("few-keys", 1)
        chosen = random.Random(7)
        written = 0
        for _ in range(KILLS):
            with Connection(broker.port) as connection:
                for _ in range(chosen.randrange(BATCHES_BETWEEN)):
                    error, offset, message = connection.produce("few-keys", records(written))
                    self.assertEqual(kafka_wire.NONE, error, message)
                    self.assertEqual(written * KEYS, offset, "offsets go on")
                    written += 1
            time.sleep(chosen.random() / 20)  # at any of the compactor's steps
            broker.kill()
            broker.start()
            found = consume(broker.port, "few-keys")
            self.assertEqual(sorted(offset for offset, _, _ in found), [offset for offset, _, _ in found])
            for offset, key, number in found:
                self.assertEqual((offset // KEYS, f"key-{offset % KEYS}"), (number, key))
            if written:
                self.assertEqual({key: number for _, key, number in found}, {f"key-{i}": written - 1 for i in range(KEYS)})
        self.wait_for(broker, "event=log_compacted topic=few-keys")
        self.assertLess(len(consume(broker.port, "few-keys")), written * KEYS)
        self.assertEqual(0, broker.stop(), broker.output()[-3000:])
        left = [path.name for path in (pathlib.Path(broker.data_dir) / "few-keys-0").iterdir()]
        self.assertFalse([name for name in left if name.endswith((".cleaned", ".swap"))], left)

    def test_a_bad_batch_stops_its_partition_alone_and_is_told_once(self):
        admin = readiness.free_ports(1)[0]
        broker = self.start({"log.cleaner.enable": "false", "brook.admin.listener": f"127.0.0.1:{admin}"})
        with Connection(broker.port) as connection:
            for topic in ("bad", "good"):
                self.assertEqual(kafka_wire.NONE, connection.create_topic(topic)[1])
                connection.wait_for_leader(topic, 1)
                for number in range(15):
                    self.assertEqual(kafka_wire.NONE, connection.produce(topic, records(number))[0])
        self.assertEqual(0, broker.stop())
        with open(pathlib.Path(broker.data_dir) / "bad-0" / "00000000000000000000.log", "r+b") as segment:
            segment.seek(1000)
            segment.write(b"?")
        broker.properties["log.cleaner.enable"] = "true"
        broker.start()
        self.wait_for(broker, "event=log_compacted topic=good")
        self.wait_for(broker, "event=log_not_compacted topic=bad.*checksum")
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        self.assertRegex(metrics, r"(?m)^brook_log_cleaner_failing_partitions 1$")
        self.assertEqual(1, broker.output().count("event=log_not_compacted"))
        self.assertLess(len(consume(broker.port, "good")), 15 * KEYS)
