"""Requests that are cheap to send and dear to answer: the broker's memory stays inside its limit, and other clients are served."""

import struct
import time
import unittest

import kafka_wire
from kafka_wire import Connection, batch
import settings

LIMIT_MIB = 64  # brook.memory.limit.bytes
# above the memory before: the limit, and what the allocator and requests in processing hold beyond their account
GROWTH_MIB = 2 * LIMIT_MIB
ENTRIES = 1_000_000
OTHERS_WAIT_S = 5
READERS = 300
PIPELINED = 40
PARTITIONS = 1000


class Memory(unittest.TestCase):
    def setUp(self):
        if settings.peer is not None:
            self.skipTest("Apache Kafka has its heap for a limit")
        self.broker = self.enterContext(settings.broker({"brook.memory.limit.bytes": str(LIMIT_MIB << 20)}))
        self.other = self.enterContext(Connection(self.broker.port))
        self.other.create_topic("good")
        self.other.wait_for_leader("good", 1)
        self.other.produce("good", batch([b"before"]))
        self.before = self.broker.rss_kib()

    def assert_others_are_served(self):
        begin = time.monotonic()
        error, offset, _ = self.other.produce("good", batch([b"after"]))
        self.assertEqual(kafka_wire.NONE, error)
        self.assertIn(b"after", self.other.fetch("good", offset)[2])
        self.assertLess(time.monotonic() - begin, OTHERS_WAIT_S)

    def assert_memory_is_bounded(self, what):
        self.assertTrue(self.broker.is_running(), self.broker.output()[-3000:])
        grown_mib = (self.broker.peak_rss_kib() - self.before) / 1024
        print(f"        {what}: {grown_mib:.0f} MiB at the peak above {self.before / 1024:.0f} MiB")
        self.assertLess(grown_mib, GROWTH_MIB)

    def send_and_look(self, what, api_key, version, body):
        """Sends it on a connection of its own, and meanwhile asks on another."""
        with Connection(self.broker.port, timeout_s=60) as connection:
            connection.send(api_key, version, body)
            self.assert_others_are_served()
            self.assertTrue(connection.is_closed_within(60), "a request that is too dear was kept")
        self.assert_others_are_served()
        self.assertIn("brook.memory.limit.bytes", self.broker.output(), "the log does not say which limit it was")
        self.assert_memory_is_bounded(what)

    def test_a_fetch_of_a_million_partitions(self):
        body = struct.pack(">iiiibi", -1, 500, 1, 1 << 20, 0, 1) + kafka_wire.string("good") + struct.pack(">i", ENTRIES)
        self.send_and_look("fetch", kafka_wire.FETCH, 4, body + struct.pack(">iqi", 0, 0, 1 << 20) * ENTRIES)

    def test_list_offsets_of_a_million_partitions(self):
        body = struct.pack(">ii", -1, 1) + kafka_wire.string("good") + struct.pack(">i", ENTRIES)
        self.send_and_look("list offsets", kafka_wire.LIST_OFFSETS, 1, body + struct.pack(">iq", 0, -1) * ENTRIES)

    def test_metadata_of_a_million_names(self):
        self.send_and_look("metadata", kafka_wire.METADATA, 1, struct.pack(">i", ENTRIES) + kafka_wire.string("x") * ENTRIES)

    def test_a_topic_with_a_million_assignments(self):
        assignments = b"".join(struct.pack(">iii", index, 1, 1) for index in range(ENTRIES))
        topic = kafka_wire.string("huge") + struct.pack(">ihi", -1, -1, ENTRIES) + assignments + struct.pack(">i", 0)
        self.send_and_look("assignments", kafka_wire.CREATE_TOPICS, 2, struct.pack(">i", 1) + topic + struct.pack(">ib", 30000, 0))

    def test_a_produce_to_a_million_partitions(self):
        body = struct.pack(">hhii", -1, -1, 30000, 1) + kafka_wire.string("good") + struct.pack(">i", ENTRIES)
        self.send_and_look("produce", kafka_wire.PRODUCE, 8, body + struct.pack(">ii", 0, -1) * ENTRIES)

    def test_a_request_of_many_entries_that_fits_is_answered(self):
        entries = 20_000
        body = struct.pack(">ii", -1, 1) + kafka_wire.string("good") + struct.pack(">i", entries) + struct.pack(">iq", 0, -1) * entries
        answer = self.other.ask(kafka_wire.LIST_OFFSETS, 1, body)
        offsets = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ihqq"))))[0][1]
        self.assertEqual((entries, (0, kafka_wire.NONE, -1, 1)), (len(offsets), offsets[-1]))

    def test_many_readers_that_do_not_read_large_metadata(self):
        self.assertEqual(kafka_wire.NONE, self.other.create_topic("wide", PARTITIONS)[1])
        self.other.wait_for_leader("wide", PARTITIONS)
        self.before = self.broker.rss_kib()
        request = struct.pack(">i", -1)  # all topics
        readers = [self.enterContext(Connection(self.broker.port)) for _ in range(READERS)]
        for reader in readers:
            for _ in range(PIPELINED):
                reader.send(kafka_wire.METADATA, 1, request)
        self.assert_others_are_served()
        # a large answer, too: whoever does not read gives way to it
        self.other.wait_for_leader("wide", PARTITIONS, timeout_s=60)
        self.assert_memory_is_bounded(f"{READERS} readers, {READERS * PIPELINED} answers")
        for reader in readers:
            reader.close()
        self.assert_others_are_served()
