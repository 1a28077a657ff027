#!/usr/bin/env python3
"""One data directory, two brokers: Apache Kafka's own DumpLogSegments reads what Brook wrote, and Brook serves what Apache Kafka wrote.
Compaction leaves the same records in both.

usage: run.py --brook PATH_TO_BINARY        The last line is `N passed, N failed, N skipped`.
"""

import argparse
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "faults"), str(HERE.parent / "peers")]
import apache_kafka
from broker import Brook
from zookeeper_mode import ZooKeeperModeKafka

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
RECORDS = 20000  # more than one segment of 1 MiB, the smallest that Kafka allows
MOVED = 3000
COMPACTED = {"log.cleanup.policy": "compact", "log.segment.bytes": "1048576", "log.cleaner.min.cleanable.ratio": "0.01",
             "log.cleaner.backoff.ms": "100"}
COMPACTION_TIMEOUT_S = 60
OPTIONS = argparse.Namespace(brook=None)


def lines(codec, count):
    return [f"key-{codec}-{i}\tvalue {i} of {codec} " + "x" * (i % 200) for i in range(count)]


def kcat(bootstrap, *arguments, text=None):
    done = subprocess.run(["kcat", "-b", bootstrap, *arguments], input=text, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"kcat {arguments}: {done.stderr}")
    return done.stdout


def produce(bootstrap, topic, codec, count):
    kcat(bootstrap, "-P", "-t", topic, "-p", "0", "-K", "\t", "-z", codec, "-X", "batch.num.messages=200", text="\n".join(lines(codec, count)) + "\n")


def consume(bootstrap, topic):
    return kcat(bootstrap, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-K", "\t").splitlines()


def few_keys():
    """20,000 records of 500 keys, some of them tombstones; then what makes their segments inactive, each of a key of its own."""
    repeated = [(f"key-{i * 7919 % 500}", "" if i % 11 == 0 else f"value {i} " + "x" * (i % 200)) for i in range(RECORDS)]
    once = [(f"once-{i}", hashlib.sha512(str(i).encode()).hexdigest()) for i in range(2 * RECORDS)]
    return repeated + once


def survivors(records):
    """What compaction leaves: (offset, key, value) of each key's last record, tombstones too while delete.retention.ms lasts."""
    last = {key: (offset, key, value) for offset, (key, value) in enumerate(records)}
    return sorted(last.values())


def produce_records(bootstrap, topic, codec, records):
    text = "".join(f"{key}\t{value}\n" for key, value in records)
    kcat(bootstrap, "-P", "-t", topic, "-p", "0", "-K", "\t", "-Z", "-z", codec, "-X", "batch.num.messages=200", text=text)


def consume_records(bootstrap, topic):
    said = kcat(bootstrap, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%o\t%k\t%s\n")
    return [(int(offset), key, value) for offset, key, value in (line.split("\t") for line in said.splitlines())]


def consume_compacted(bootstrap, topic, expected):
    """What there is once the log is compacted, or at the end of the patience."""
    deadline = time.monotonic() + COMPACTION_TIMEOUT_S
    while True:
        found = consume_records(bootstrap, topic)
        if found == expected or time.monotonic() > deadline:
            return found


class Formats(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="brook-formats-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def test_apache_kafka_reads_our_segments_without_complaint(self):
        data = self.directory / "data"
        with Brook(OPTIONS.brook, {"log.segment.bytes": "1048576"}, data) as broker:
            for codec in CODECS:
                produce(broker.bootstrap, f"dump-{codec}", codec, RECORDS)
            self.assertEqual(broker.stop(), 0, broker.output())
        for codec in CODECS:
            segments = sorted((data / f"dump-{codec}-0").glob("*.log"))
            if codec == "none":
                self.assertGreater(len(segments), 1, "segments did not roll")
            files = ",".join(str(file) for segment in segments for file in (segment, segment.with_suffix(".index"), segment.with_suffix(".timeindex")))
            dumped = apache_kafka.run_tool(apache_kafka.DUMP_LOG, ["--files", files, "--print-data-log", "--index-sanity-check"])
            verified = apache_kafka.run_tool(apache_kafka.DUMP_LOG, ["--files", files, "--verify-index-only"])
            for result in (dumped, verified):
                said = result.stdout + result.stderr
                self.assertEqual(result.returncode, 0, said[-2000:])
                self.assertNotRegex(said, r"(?i)mismatch|corrupt|exception|isvalid: false|out of order|found timestamp")
            offsets = [int(number) for number in re.findall(r"\| offset: (\d+) ", dumped.stdout)]
            self.assertEqual(offsets, list(range(RECORDS)), f"{codec}: DumpLogSegments saw other records")

    def test_brook_serves_a_topic_that_apache_kafka_wrote(self):
        with apache_kafka.ApacheKafka({"log.segment.bytes": "1048576"}, directory=self.directory) as kafka:
            for codec in CODECS:
                produce(kafka.bootstrap, f"moved-{codec}", codec, MOVED)
            data = kafka.data_dir
        with Brook(OPTIONS.brook, {"node.id": "1"}, data) as broker:
            for codec in CODECS:
                self.assertEqual(consume(broker.bootstrap, f"moved-{codec}"), lines(codec, MOVED), codec)
                produce(broker.bootstrap, f"moved-{codec}", codec, MOVED)
                self.assertEqual(consume(broker.bootstrap, f"moved-{codec}"), lines(codec, MOVED) * 2, codec)

    def test_brook_serves_what_apache_kafka_wrote_on_zookeeper(self):
        with ZooKeeperModeKafka({"log.segment.bytes": "1048576", "offsets.topic.num.partitions": "2"}, directory=self.directory) as kafka:
            for codec in CODECS:
                produce(kafka.bootstrap, f"moved-{codec}", codec, RECORDS)
            read = kcat(kafka.bootstrap, "-G", "movers", "-c", str(MOVED), "-o", "beginning", "-X", "auto.offset.reset=earliest", "-q", "-K", "\t",
                        "moved-none").splitlines()
            self.assertEqual(read, lines("none", RECORDS)[:MOVED])
            data = kafka.data_dir
        self.assertIn("version=0", (data / "meta.properties").read_text())
        with Brook(OPTIONS.brook, {"node.id": "1"}, data) as broker:
            for codec in CODECS:
                self.assertEqual(consume(broker.bootstrap, f"moved-{codec}"), lines(codec, RECORDS), codec)
                produce(broker.bootstrap, f"moved-{codec}", codec, MOVED)
                self.assertEqual(consume(broker.bootstrap, f"moved-{codec}"), lines(codec, RECORDS) + lines(codec, MOVED), codec)
            rest = kcat(broker.bootstrap, "-G", "movers", "-c", str(RECORDS), "-X", "auto.offset.reset=earliest", "-q", "-K", "\t",
                        "moved-none").splitlines()
            self.assertEqual(rest, (lines("none", RECORDS) + lines("none", MOVED))[MOVED:], "the group does not go on where it was")

    def test_apache_kafka_goes_on_with_logs_that_brook_wrote(self):
        """Its own topics, whose partitions' files and whose checkpoints are Brook's then: without a controller of Brook's it knows of no others."""
        for killed in (False, True):
            with self.subTest(killed=killed):
                properties = {"log.segment.bytes": "1048576"}
                ours = self.directory / f"ours-{killed}"
                with Brook(OPTIONS.brook, properties, ours) as broker:
                    for codec in CODECS:
                        produce(broker.bootstrap, f"ours-{codec}", codec, RECORDS)
                    if killed:
                        broker.kill()
                    else:
                        self.assertEqual(broker.stop(), 0, broker.output())
                kafka = apache_kafka.ApacheKafka(properties, directory=self.directory / f"kafka-{killed}")
                self.addCleanup(kafka.stop)
                kafka.start()
                for codec in CODECS:
                    produce(kafka.bootstrap, f"ours-{codec}", codec, 1)
                kafka.stop()
                for codec in CODECS:
                    theirs = kafka.data_dir / f"ours-{codec}-0"
                    for file in theirs.iterdir():
                        if file.name != "partition.metadata":
                            file.unlink()
                    for file in (ours / theirs.name).iterdir():
                        if file.name != "partition.metadata":
                            shutil.copy(file, theirs)
                for file in ours.glob("*-offset-checkpoint"):
                    shutil.copy(file, kafka.data_dir)
                (kafka.data_dir / ".kafka_cleanshutdown").unlink()
                if not killed:
                    shutil.copy(ours / ".kafka_cleanshutdown", kafka.data_dir)
                    self.assertIn("#checksum", (kafka.data_dir / "recovery-point-offset-checkpoint").read_text())
                    self.assertTrue((kafka.data_dir / "ours-none-0" / "index-checksums").exists())
                kafka.start()
                for codec in CODECS:
                    self.assertEqual(consume(kafka.bootstrap, f"ours-{codec}"), lines(codec, RECORDS), codec)
                    produce(kafka.bootstrap, f"ours-{codec}", codec, 10)
                    self.assertEqual(consume(kafka.bootstrap, f"ours-{codec}"), lines(codec, RECORDS) + lines(codec, 10), codec)
                kafka.stop()
                self.assertNotRegex(kafka.output(), r"#checksum|index-checksums")
                self.assertNotIn("#checksum", (kafka.data_dir / "recovery-point-offset-checkpoint").read_text())

    def test_compaction_leaves_what_apache_kafkas_leaves_in_segments_that_it_reads(self):
        records = few_keys()
        expected = survivors(records)
        codecs = ("none", "zstd")
        with apache_kafka.ApacheKafka(COMPACTED) as kafka:
            for codec in codecs:
                produce_records(kafka.bootstrap, f"compacted-{codec}", codec, records)
            for codec in codecs:
                self.assertEqual(consume_compacted(kafka.bootstrap, f"compacted-{codec}", expected), expected, f"Apache Kafka, {codec}")
        data = self.directory / "data"
        with Brook(OPTIONS.brook, COMPACTED, data) as broker:
            for codec in codecs:
                produce_records(broker.bootstrap, f"compacted-{codec}", codec, records)
            for codec in codecs:
                self.assertEqual(consume_compacted(broker.bootstrap, f"compacted-{codec}", expected), expected, codec)
            broker.kill()
            broker.start()
            for codec in codecs:
                self.assertEqual(consume_records(broker.bootstrap, f"compacted-{codec}"), expected, f"{codec}, after SIGKILL")
            self.assertEqual(broker.stop(), 0, broker.output())
        self.assertRegex((data / "cleaner-offset-checkpoint").read_text(), r"^0\n\d+\n")
        for codec in codecs:
            segments = sorted((data / f"compacted-{codec}-0").glob("*.log"))
            files = ",".join(str(file) for segment in segments for file in (segment, segment.with_suffix(".index"), segment.with_suffix(".timeindex")))
            dumped = apache_kafka.run_tool(apache_kafka.DUMP_LOG, ["--files", files, "--print-data-log", "--index-sanity-check"])
            said = dumped.stdout + dumped.stderr
            self.assertEqual(dumped.returncode, 0, said[-2000:])
            self.assertNotRegex(said, r"(?i)mismatch|corrupt|exception|isvalid: false|out of order|found timestamp")
            offsets = [int(number) for number in re.findall(r"\| offset: (\d+) ", dumped.stdout)]
            self.assertEqual(offsets, [offset for offset, _, _ in expected], f"{codec}: DumpLogSegments saw other records")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brook", required=True)
    options = parser.parse_args()
    OPTIONS.brook = str(pathlib.Path(options.brook).resolve())
    missing = [program for program in ("java", "mvn", "kcat") if shutil.which(program) is None]
    if missing:
        print(f"SKIPPED formats: {', '.join(missing)} not found\n0 passed, 0 failed, 5 skipped")
        return 0
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Formats))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
