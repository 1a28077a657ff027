"""What a client gets that sends what it should not, and that the others notice nothing."""

import os
import resource
import socket
import struct
import time
import unittest

import kafka_wire
from kafka_wire import Connection, batch
import settings

IDLE_MS = 2000
CLOSE_TIMEOUT_S = 15  # Apache Kafka closes idle connections one a poll
IDLE_CONNECTIONS = 10_000
IDLE_MEMORY_MIB = 64  # above what the broker held before
MESSAGE_BYTES_MAX = 20_000


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(settings.broker({"socket.request.max.bytes": "2000000"}))
        with Connection(cls.broker.port) as connection:
            for name, configs in [("good", {}), ("small", {"max.message.bytes": MESSAGE_BYTES_MAX})]:
                assert connection.create_topic(name, 1, configs)[1] == kafka_wire.NONE
                connection.wait_for_leader(name, 1)

    def setUp(self):
        self.other = self.enterContext(Connection(self.broker.port))
        self.other.produce("good", batch([b"before"]))

    def tearDown(self):
        # whatever was sent: the broker lives, and a client that was connected before is served
        self.assertTrue(self.broker.is_running(), self.broker.output()[-3000:])
        error, offset, _ = self.other.produce("good", batch([b"after"]))
        self.assertEqual(kafka_wire.NONE, error)
        error, high_watermark, records = self.other.fetch("good", offset)
        self.assertEqual((kafka_wire.NONE, True), (error, b"after" in records))

    def connect(self):
        return self.enterContext(Connection(self.broker.port))

    def assert_closes(self, data):
        connection = self.connect()
        connection.send_bytes(data)
        self.assertTrue(connection.is_closed_within(CLOSE_TIMEOUT_S), f"still open after {data[:40]!r}")

    def test_closes_on_an_oversized_frame(self):
        self.assert_closes(struct.pack(">i", 2_000_001) + b"x" * 1000)

    def test_closes_on_a_negative_frame_size(self):
        self.assert_closes(struct.pack(">i", -1))

    def test_closes_on_an_unknown_api_key(self):
        self.assert_closes(struct.pack(">ihhi", 10, 9999, 0, 1) + b"\xff\xff")

    def test_closes_on_an_unknown_version(self):
        self.assert_closes(struct.pack(">ihhi", 10, kafka_wire.METADATA, 99, 1) + b"\xff\xff")

    def test_answers_an_unknown_version_of_api_versions(self):
        with self.connect() as connection:
            answer = connection.ask(kafka_wire.API_VERSIONS, 99, b"\0")  # its header has tagged fields: none
            self.assertEqual(kafka_wire.UNSUPPORTED_VERSION, answer.take("h"))
            answer = connection.ask(kafka_wire.API_VERSIONS, 0, b"")
            self.assertEqual(kafka_wire.NONE, answer.take("h"))

    def test_closes_on_garbage(self):
        garbage = bytes((index * 167 + 13) % 256 for index in range(4096))
        self.assert_closes(struct.pack(">i", len(garbage)) + garbage)
        self.assert_closes(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self.assert_closes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + garbage)  # the start of TLS

    def test_closes_on_a_body_that_lies_about_its_lengths(self):
        header = struct.pack(">hhi", kafka_wire.METADATA, 1, 1) + kafka_wire.string("liar")
        for body in [struct.pack(">i", 0x7FFFFFFF), struct.pack(">ih", 1, 0x7FFF) + b"x"]:
            with self.subTest(body=body):
                request = header + body
                self.assert_closes(struct.pack(">i", len(request)) + request)

    def test_answers_requests_in_order_before_it_closes(self):
        connection = self.connect()
        for _ in range(3):
            connection.send(kafka_wire.API_VERSIONS, 0, b"")
        connection.send_bytes(struct.pack(">ihhi", 10, 9999, 0, 1) + b"\xff\xff")
        for _ in range(3):
            self.assertEqual(kafka_wire.NONE, connection.receive().take("h"))
        self.assertTrue(connection.is_closed_within(CLOSE_TIMEOUT_S))

    def test_refuses_a_corrupt_batch(self):
        connection = self.connect()
        good = batch([b"some value"])
        for what, records in [("a flipped bit", good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]), ("a wrong checksum", good[:17] + b"\0\0\0\0" + good[21:])]:
            with self.subTest(what):
                self.assertEqual(kafka_wire.CORRUPT_MESSAGE, connection.produce("good", records)[0])

    def test_refuses_a_batch_that_is_too_large(self):
        connection = self.connect()
        records = batch([b"x" * (MESSAGE_BYTES_MAX + 5000)])
        error, _, message = connection.produce("small", records)
        self.assertEqual(kafka_wire.MESSAGE_TOO_LARGE, error)
        if self.broker.is_brook:
            for word in ("small", str(MESSAGE_BYTES_MAX), str(len(records))):
                self.assertIn(word, message)
        self.assertEqual(kafka_wire.NONE, connection.produce("small", batch([b"x" * (MESSAGE_BYTES_MAX - 1000)]))[0])

    def test_refuses_an_out_of_order_sequence(self):
        connection = self.connect()
        producer_id, epoch = connection.init_producer_id()

        def send(sequence):
            return connection.produce("good", batch([b"value"], producer_id, epoch, sequence))

        error, first, _ = send(0)
        self.assertEqual(kafka_wire.NONE, error)
        self.assertEqual(kafka_wire.OUT_OF_ORDER_SEQUENCE_NUMBER, send(5)[0])
        self.assertEqual((kafka_wire.NONE, first), send(0)[:2], "a batch that comes again has the offset that it got first")
        self.assertEqual(kafka_wire.NONE, send(1)[0])

    def test_a_slow_reader_holds_up_only_itself(self):
        value = b"v" * 50_000
        for _ in range(20):
            self.assertEqual(kafka_wire.NONE, self.other.produce("good", batch([value]))[0])
        before = self.broker.rss_kib()
        slow = self.connect()
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.socket.setblocking(False)
        asked = 0
        try:
            for _ in range(2000):  # 2 GB of answers that nobody reads
                slow.send_fetch("good", 0)
                asked += 1
        except BlockingIOError:
            pass
        begin = time.monotonic()
        for _ in range(20):
            self.assertEqual(kafka_wire.NONE, self.other.produce("good", batch([b"meanwhile"]))[0])
        self.assertLess(time.monotonic() - begin, 10)
        if self.broker.is_brook:
            self.assertLess(self.broker.rss_kib() - before, 32 * 1024, f"after {asked} requests")


class IdleConnections(unittest.TestCase):
    def test_closes_half_a_frame_and_silence(self):
        with settings.broker({"connections.max.idle.ms": str(IDLE_MS)}) as broker:
            with Connection(broker.port) as half, Connection(broker.port) as silent:
                half.send_bytes(struct.pack(">ih", 100, kafka_wire.METADATA))
                begin = time.monotonic()
                self.assertTrue(silent.is_closed_within(CLOSE_TIMEOUT_S))
                self.assertGreater(time.monotonic() - begin, IDLE_MS / 1000 * 0.5, "too early")
                self.assertTrue(half.is_closed_within(CLOSE_TIMEOUT_S))
            with Connection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.api_versions()[0])

    def test_ten_thousand_idle_connections_cost_little(self):
        wanted = IDLE_CONNECTIONS + 500
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < wanted:
            if os.geteuid() != 0:
                self.skipTest(f"a process may open {hard} files here, and the test needs {wanted}")
            hard = wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))  # the broker inherits it
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        connections = []
        with settings.broker() as broker:
            with Connection(broker.port) as client:
                client.create_topic("good")
                client.wait_for_leader("good", 1)
                client.produce("good", batch([b"x"]))
                before = broker.rss_kib()
                try:
                    for index in range(IDLE_CONNECTIONS):
                        connection = socket.create_connection(("127.0.0.1", broker.port), timeout=20)
                        connections.append(connection)
                        # as a client does: one request, then silence
                        connection.sendall(struct.pack(">ihhih", 10, kafka_wire.API_VERSIONS, 0, index, -1))
                        size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
                        connection.recv(size, socket.MSG_WAITALL)
                    grown_mib = (broker.rss_kib() - before) / 1024
                    begin = time.monotonic()
                    self.assertEqual(kafka_wire.NONE, client.produce("good", batch([b"y"]))[0])
                    self.assertLess(time.monotonic() - begin, 2)
                finally:
                    for connection in connections:
                        connection.close()
                print(f"        {IDLE_CONNECTIONS} idle connections: {grown_mib:.0f} MiB more than the {before / 1024:.0f} MiB before")
                if broker.is_brook:
                    self.assertLess(grown_mib, IDLE_MEMORY_MIB)
                self.assertEqual(kafka_wire.NONE, client.produce("good", batch([b"z"]))[0])
