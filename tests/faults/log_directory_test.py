"""A broker with two log directories of which one fails: what lies in the other is served on, what lies in the failed one is refused and
not lost, and the broker ends only where it cannot go on."""

import pathlib
import re
import time
import unittest
import urllib.request

import admin_wire
import broker as brokers
import kafka_wire
from kafka_wire import batch
import readiness
import settings

TOPIC, PARTITIONS = "spread", 6
LEADER_NOT_AVAILABLE = 5
NOTICE_TIMEOUT_S = 20
END_TIMEOUT_S = 40
OTHER_KINDS = ("write", "fsync", "read")


class LogDirectory(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("Apache Kafka's file calls are the JVM's")
        self.admin_port = readiness.free_ports(1)[0]
        self.broker = brokers.Brook(settings.brook)
        self.addCleanup(self.broker.close)
        self.first, self.second = (self.broker.directory / name for name in ("first", "second"))
        self.switch = self.broker.directory / "switch"
        # Each append is on the disk before it is acknowledged, so that a failing sync is met at once.
        self.broker.properties = {"log.dirs": f"{self.first},{self.second}", "brook.admin.listener": f"127.0.0.1:{self.admin_port}",
                                  "log.flush.interval.messages": "1"}
        self.acknowledged = {}  # (topic, partition) -> values
        self.refused = {}  # (topic, partition) -> the last value

    def fail_disk(self, kinds="all"):
        draft = self.switch.with_suffix(".draft")
        draft.write_text(kinds)
        draft.rename(self.switch)

    def mend(self):
        self.switch.unlink()

    def start_with_data(self, fails):
        """A broker whose directory `fails` will fail, with records in every partition."""
        self.broker.environment |= settings.preloaded("failing_disk", BROOK_FAIL_PREFIX=fails, BROOK_FAIL_SWITCH=self.switch)
        self.broker.start()
        with self.connect() as connection:
            self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS)[1])
            connection.wait_for_leader(TOPIC, PARTITIONS)
            for partition in range(PARTITIONS):
                self.assertEqual(kafka_wire.NONE, self.produce(connection, partition))
        self.in_first, self.in_second = (self.partitions_in(directory) for directory in (self.first, self.second))
        self.assertTrue(self.in_first and self.in_second, "the partitions are not spread over the directories")

    def connect(self):
        return admin_wire.AdminConnection(self.broker.port)

    def partitions_in(self, directory, topic=TOPIC):
        return sorted(int(path.name.rpartition("-")[2]) for path in directory.glob(f"{topic}-*") if path.name.rpartition("-")[2].isdigit())

    def produce(self, connection, partition, topic=TOPIC):
        values = self.acknowledged.setdefault((topic, partition), [])
        value = f"{topic}:{partition}:{len(values)}".encode()
        error, offset, _ = connection.produce(topic, batch([value]), partition=partition)
        if error == kafka_wire.NONE:
            self.assertEqual(len(values), offset, f"partition {partition} of {topic}")
            values.append(value)
        else:
            self.refused[topic, partition] = value
        return error

    def assert_served(self, connection, partition, topic=TOPIC):
        self.assertEqual(kafka_wire.NONE, self.produce(connection, partition, topic), f"partition {partition} of {topic}")
        self.assert_read(connection, partition, topic)

    def assert_read(self, connection, partition, topic=TOPIC):
        error, high_watermark, records = connection.fetch(topic, 0, partition=partition)
        values = self.acknowledged[topic, partition]
        refused = self.refused.pop((topic, partition), None)
        if refused is not None and high_watermark == len(values) + 1:
            values.append(refused)  # its write came before the sync that failed
        self.assertEqual((kafka_wire.NONE, len(values)), (error, high_watermark), f"partition {partition} of {topic}")
        for value in values:
            self.assertIn(value, records)

    def assert_offline(self, connection, partitions):
        """Both requests are refused, and Metadata and DescribeLogDirs say why."""
        node, = {leader for _, leader, _ in connection.partitions(TOPIC).values() if leader >= 0}
        for partition in partitions:
            self.assertEqual(kafka_wire.KAFKA_STORAGE_ERROR, self.produce(connection, partition), f"produce to partition {partition}")
            self.assertEqual(kafka_wire.KAFKA_STORAGE_ERROR, connection.fetch(TOPIC, 0, partition=partition)[0], f"fetch of partition {partition}")
        for partition, (error, leader, offline) in connection.partitions(TOPIC).items():
            if partition in partitions:
                self.assertIn(error, (kafka_wire.NONE, LEADER_NOT_AVAILABLE, kafka_wire.KAFKA_STORAGE_ERROR), f"Metadata of partition {partition}")
                self.assertTrue(leader == -1 or offline == [node], f"Metadata of partition {partition}: error {error}, leader {leader}, offline {offline}")
            else:
                self.assertEqual((kafka_wire.NONE, node, []), (error, leader, offline), f"Metadata of partition {partition}")
        directories = connection.log_directories()
        self.assertEqual(kafka_wire.NONE, directories[str(self.first)][0])
        self.assertEqual(kafka_wire.KAFKA_STORAGE_ERROR, directories[str(self.second)][0], "DescribeLogDirs does not tell the failed directory")

    def assert_told_once(self, directory):
        told = [line for line in self.broker.complaints() if re.search(rf'directory="?{re.escape(str(directory))}"?( |$)', line)]
        self.assertEqual(1, len(told), f"one line of the log names the directory:\n{self.broker.output()[-3000:]}")
        self.assertIn("what=", told[0], "it says what to do")

    def offline_directories(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            found = re.search(r"(?m)^brook_log_directories_offline (\d+)$", answer.read().decode())
        self.assertTrue(found, "/metrics has no brook_log_directories_offline")
        return int(found[1])

    def until_offline(self, connection, act):
        """Calls `act`, which meets the error, until a partition of the directory answers that its storage has failed."""
        deadline = time.monotonic() + NOTICE_TIMEOUT_S
        while (error := act()) != kafka_wire.KAFKA_STORAGE_ERROR:
            self.assertEqual(kafka_wire.NONE, error, "what a failed disk may answer is that it has failed")
            self.assertLess(time.monotonic(), deadline, f"the failed disk is not noticed\n{self.broker.output()[-3000:]}")
        self.assertTrue(self.broker.is_running(), self.broker.output()[-3000:])
        while self.offline_directories() == 0 or not self.all_told_offline(connection):
            self.assertLess(time.monotonic(), deadline, f"Metadata and /metrics do not come to say so\n{self.broker.output()[-3000:]}")
            time.sleep(0.05)  # as a client asks again

    def all_told_offline(self, connection):
        found = connection.partitions(TOPIC)
        return all(found[partition][1] == -1 or found[partition][2] for partition in self.in_second)

    def check_after_failure(self, connection):
        for partition in self.in_first:
            self.assert_served(connection, partition)
        self.assert_offline(connection, self.in_second)
        self.assertEqual(1, self.offline_directories())
        self.assert_told_once(self.second)

    def check_whole_again(self):
        self.mend()
        self.broker.start()
        with self.connect() as connection:
            for topic, partition in self.acknowledged:
                connection.wait_for_leader(topic, len([one for one, _ in self.acknowledged if one == topic]))
                self.assert_read(connection, partition, topic)
                self.assert_served(connection, partition, topic)
            self.assertEqual({kafka_wire.NONE}, {error for error, _ in connection.log_directories().values()})
        self.assertEqual(0, self.offline_directories())

    def test_everything_fails_in_one_of_two(self):
        self.start_with_data(fails=self.second)
        self.fail_disk()
        with self.connect() as connection:
            self.until_offline(connection, lambda: self.produce(connection, self.in_second[0]))
            self.check_after_failure(connection)
            for topic in ("later", "more"):
                self.assertEqual(kafka_wire.NONE, connection.create_topic(topic, 4)[1])
                connection.wait_for_leader(topic, 4)
                for partition in range(4):
                    self.assert_served(connection, partition, topic)
                self.assertEqual([0, 1, 2, 3], self.partitions_in(self.first, topic), "a new topic's partitions are where they can be written")
        self.broker.stop()
        self.assertNotIn("Assertion", self.broker.output())
        self.check_whole_again()

    def test_each_kind_of_failure_alone(self):
        for kind in OTHER_KINDS:
            with self.subTest(kind):
                self.setUp()
                self.start_with_data(fails=self.second)
                self.fail_disk(kind)
                with self.connect() as connection:
                    partition = self.in_second[-1]
                    meet = (lambda: connection.fetch(TOPIC, 0, partition=partition)[0]) if kind == "read" else (lambda: self.produce(connection, partition))
                    self.until_offline(connection, meet)
                    self.check_after_failure(connection)
                self.broker.kill()
                self.check_whole_again()
                self.broker.close()

    def test_a_directory_that_has_failed_before_the_start(self):
        for kind in ("all", "read"):
            with self.subTest(kind):
                self.setUp()
                self.check_start_without(kind)
                self.broker.close()

    def check_start_without(self, kind):
        self.start_with_data(fails=self.second)
        self.assertEqual(0, self.broker.stop())
        self.fail_disk(kind)
        self.broker.start()
        with self.connect() as connection:
            self.check_after_failure(connection)
            self.assertEqual(kafka_wire.NONE, connection.create_topic("later", 2)[1])
            connection.wait_for_leader("later", 2)
            self.assert_served(connection, 0, "later")
            self.assert_served(connection, 1, "later")
        self.assertEqual(self.in_first, self.partitions_in(self.first), "a partition whose directory has failed was made anew")
        self.broker.stop()
        self.check_whole_again()

    def broker_of_two_that_fail(self):
        """Started; both of its directories fail at once."""
        both = self.broker.directory / "both"
        both.mkdir()
        broker = brokers.Brook(settings.brook, {**self.broker.properties, "log.dirs": f"{both}/a,{both}/b"},
                               environment=settings.preloaded("failing_disk", BROOK_FAIL_PREFIX=both, BROOK_FAIL_SWITCH=self.switch))
        self.addCleanup(broker.close)
        return both, broker.start()

    def test_all_have_failed_before_the_start(self):
        both, broker = self.broker_of_two_that_fail()
        self.assertEqual(0, broker.stop())
        self.fail_disk()
        status, output = broker.run_to_end()
        self.assertEqual(1, status, output)
        self.assertIn(str(both), output.strip().splitlines()[-1])

    def test_all_fail_while_it_runs(self):
        both, broker = self.broker_of_two_that_fail()
        self.fail_disk()
        self.provoke(broker, both)

    def test_the_keepers_directory_fails_while_it_runs(self):
        self.start_with_data(fails=self.first)
        self.fail_disk()
        self.provoke(self.broker, self.first)
        self.broker.kill()
        self.check_whole_again()

    def test_the_keepers_directory_has_failed_before_the_start(self):
        self.start_with_data(fails=self.first)
        self.assertEqual(0, self.broker.stop())
        self.fail_disk()
        status, output = self.broker.run_to_end()
        self.assertEqual(1, status, output)
        self.assertIn(str(self.first), output.strip().splitlines()[-1])
        self.check_whole_again()

    def provoke(self, broker, directory):
        """The broker's own work meets the error when a topic is created. It goes on all the same."""
        with kafka_wire.Connection(broker.port) as connection:
            self.assertNotEqual(kafka_wire.NONE, connection.create_topic("not-made")[1], "a topic was made without a disk")
        self.assertTrue(broker.is_running(), broker.output()[-3000:])
        self.assertTrue([line for line in broker.complaints() if str(directory) in line], broker.output()[-3000:])
        self.assertNotIn("terminate called", broker.output())
