"""A start after a crash, with one log that takes long to read: what is open serves meanwhile."""

import signal
import time
import unittest
import urllib.request

import admin_wire
import broker as brokers
import kafka_wire
from kafka_wire import batch
import readiness
import settings

OPEN, HELD, GROUP = "open", "held", "readers"
OFFSET_OUT_OF_RANGE, NOT_LEADER_OR_FOLLOWER = 1, 6
OPENED_TIMEOUT_S = 30


class Opening(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("Apache Kafka serves nothing before all of its logs are loaded")
        self.admin_port = readiness.free_ports(1)[0]
        self.broker = brokers.Brook(settings.brook, {"brook.admin.listener": f"127.0.0.1:{self.admin_port}", "brook.start.wait.ms": "50"})
        self.addCleanup(self.broker.close)
        self.switch = self.broker.directory / "switch"
        self.addCleanup(self.release)
        self.broker.environment |= settings.preloaded("failing_disk", BROOK_FAIL_PREFIX=self.broker.data_dir / f"{HELD}-0",
                                                      BROOK_FAIL_SWITCH=self.switch)
        self.broker.start()
        with self.connect() as connection:
            for topic in (OPEN, HELD):
                self.assertEqual(kafka_wire.NONE, connection.create_topic(topic)[1])
                connection.wait_for_leader(topic, 1)
                self.assertEqual(kafka_wire.NONE, connection.produce(topic, batch([b"before"]))[0])
            connection.commit(GROUP, OPEN, 1)
        self.broker.kill()
        self.switch.write_text("hold")
        self.broker.start()

    def release(self):
        self.switch.unlink(missing_ok=True)

    def connect(self):
        return admin_wire.AdminConnection(self.broker.port)

    def admin(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/{path}", timeout=10) as answer:
            return answer.read().decode()

    def fetched(self, connection, topic):
        error, _, records = connection.fetch(topic, 0, max_wait_ms=0)
        return error, records

    def wait_until_served(self, connection, topic):
        deadline = time.monotonic() + OPENED_TIMEOUT_S
        while (error := self.fetched(connection, topic)[0]) != kafka_wire.NONE:
            self.assertEqual(NOT_LEADER_OR_FOLLOWER, error)
            self.assertLess(time.monotonic(), deadline, f"{topic} does not come")
            time.sleep(0.01)

    def wait_until_said(self, words):
        deadline = time.monotonic() + OPENED_TIMEOUT_S
        while words not in self.broker.output():
            self.assertLess(time.monotonic(), deadline, self.broker.output())
            time.sleep(0.01)

    def test_what_is_open_serves_while_another_is_read(self):
        with self.connect() as connection:
            self.wait_until_served(connection, OPEN)
            error, offset, _ = connection.produce(OPEN, batch([b"meanwhile"]))
            self.assertEqual((kafka_wire.NONE, 1), (error, offset))
            self.assertEqual(1, connection.committed(GROUP, OPEN))
            # The error that lets every client ask for the leader again, and come back.
            self.assertEqual(NOT_LEADER_OR_FOLLOWER, connection.produce(HELD, batch([b"refused"]))[0])
            self.assertEqual(NOT_LEADER_OR_FOLLOWER, self.fetched(connection, HELD)[0])
            self.assertIn("\nbrook_partitions_opening 1\n", self.admin("metrics"))
            self.assertEqual("ok, 1 partitions are still being opened\n", self.admin("healthz"))
            self.release()
            self.wait_until_served(connection, HELD)
            self.assertIn(b"before", self.fetched(connection, HELD)[1])
            error, offset, _ = connection.produce(HELD, batch([b"after"]))
            self.assertEqual((kafka_wire.NONE, 1), (error, offset))
            self.assertIn("\nbrook_partitions_opening 0\n", self.admin("metrics"))
            self.assertEqual("ok\n", self.admin("healthz"))

    def test_a_stop_meanwhile_is_not_clean_and_loses_nothing(self):
        with self.connect() as connection:
            self.wait_until_served(connection, OPEN)
            self.assertEqual(kafka_wire.NONE, connection.produce(OPEN, batch([b"meanwhile"]))[0])
        self.broker.process.send_signal(signal.SIGTERM)
        self.wait_until_said("event=broker_stopping")
        self.release()
        self.assertEqual(0, self.broker.process.wait(brokers.STOP_TIMEOUT_S))
        self.assertIn("event=stop_not_clean", self.broker.output())
        self.broker.start()
        with self.connect() as connection:
            for topic, expected in ((OPEN, [b"before", b"meanwhile"]), (HELD, [b"before"])):
                self.wait_until_served(connection, topic)
                records = self.fetched(connection, topic)[1]
                for value in expected:
                    self.assertIn(value, records)
                self.assertEqual(len(expected), connection.produce(topic, batch([b"after"]))[1])


class Unopened(unittest.TestCase):
    def test_what_was_deleted_stays_deleted_where_a_partition_could_not_be_opened_once(self):
        if settings.peer:
            self.skipTest("what keeps a partition of Brook's from being opened")
        broker = brokers.Brook(settings.brook)
        self.addCleanup(broker.close)
        broker.start()
        with admin_wire.AdminConnection(broker.port) as connection:
            for topic in (OPEN, HELD):
                connection.create_topic(topic)
                connection.wait_for_leader(topic, 1)
                self.assertEqual(kafka_wire.NONE, connection.produce(topic, batch([b"one", b"two"]))[0])
            connection.delete_records(HELD, 1)
        self.assertEqual(0, broker.stop())
        segment = broker.data_dir / f"{HELD}-0" / "00000000000000000000.log"
        aside = broker.directory / "aside"
        segment.rename(aside)
        segment.mkdir()

        broker.start()
        with admin_wire.AdminConnection(broker.port) as connection:
            self.assertEqual(kafka_wire.KAFKA_STORAGE_ERROR, connection.fetch(HELD, 1, max_wait_ms=0)[0], broker.output())
            self.assertEqual(kafka_wire.NONE, connection.fetch(OPEN, 1, max_wait_ms=0)[0])
        self.assertEqual(0, broker.stop())
        segment.rmdir()
        aside.rename(segment)

        broker.start()
        with admin_wire.AdminConnection(broker.port) as connection:
            self.assertEqual(OFFSET_OUT_OF_RANGE, connection.fetch(HELD, 0, max_wait_ms=0)[0])
            error, high_watermark, records = connection.fetch(HELD, 1, max_wait_ms=0)
            self.assertEqual((kafka_wire.NONE, 2), (error, high_watermark))
            self.assertIn(b"two", records)
