"""Kafka's protocol by hand, for what a client library refuses to send: the requests that the fault tests need, in their last
versions before the flexible ones, and raw bytes."""

import socket
import struct
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, INIT_PRODUCER_ID = 0, 1, 2, 3, 18, 19, 20, 22
FIND_COORDINATOR = 10

NONE, CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE = 0, 2, 3, 10
UNSUPPORTED_VERSION, OUT_OF_ORDER_SEQUENCE_NUMBER, KAFKA_STORAGE_ERROR, COORDINATOR_LOAD_IN_PROGRESS = 35, 45, 56, 14
COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR = 15, 16
COMES_LATER = (COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR)


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


TRANSACTIONAL = 0x10  # of a batch's attributes


def batch(values, producer_id=-1, producer_epoch=-1, base_sequence=-1, timestamp_ms=None, keys=None, attributes=0):
    """A record batch, format 2, uncompressed; without `keys`, of records that have none."""
    timestamp_ms = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
    records = b""
    for index, value in enumerate(values):
        key = varint(-1) if keys is None else varint(len(keys[index])) + keys[index]
        record = b"\0" + varint(0) + varint(index) + key + varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    checked = struct.pack(">hiqqqhii", attributes, len(values) - 1, timestamp_ms, timestamp_ms, producer_id, producer_epoch, base_sequence,
                          len(values)) + records
    return struct.pack(">qiibI", 0, 9 + len(checked), -1, 2, crc32c(checked)) + checked


def string(text):
    return struct.pack(">h", len(text.encode())) + text.encode()


def nullable_string(text):
    return struct.pack(">h", -1) if text is None else string(text)


class Closed(Exception):
    """The broker closed the connection."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def bytes(self, size):
        data = self.data[self.at:self.at + size]
        self.at += size
        return data

    def string(self):
        size = self.take("h")
        return None if size < 0 else self.bytes(size).decode()

    def array(self, read):
        return [read() for _ in range(self.take("i"))]


class Connection:
    """One TCP connection; answers come in order."""

    def __init__(self, port, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, api_key, version, body):
        self.correlation += 1
        request = struct.pack(">hhi", api_key, version, self.correlation) + string("faults") + body
        self.send_bytes(struct.pack(">i", len(request)) + request)

    def receive(self):
        """The body of the next answer; raises Closed, or TimeoutError."""
        data = self._read(struct.unpack(">i", self._read(4))[0])
        return Reader(data[4:])

    def ask(self, api_key, version, body):
        self.send(api_key, version, body)
        return self.receive()

    def is_closed_within(self, seconds):
        """True once the broker has closed the connection, whatever it sent before."""
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65536):
                    return True
        except ConnectionError:
            return True
        except TimeoutError:
            pass
        return False

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except ConnectionError as error:
                raise Closed(str(error)) from error
            if not piece:
                raise Closed(f"after {len(data)} of {size} bytes")
            data += piece
        return bytes(data)

    # requests

    def api_versions(self):
        answer = self.ask(API_VERSIONS, 0, b"")
        return answer.take("h"), answer.array(lambda: answer.take("hhh"))

    def create_topic(self, name, partitions=1, configs=None):
        configs = configs or {}
        topic = string(name) + struct.pack(">ihi", partitions, 1, 0) + struct.pack(">i", len(configs))
        topic += b"".join(string(key) + string(str(value)) for key, value in configs.items())
        answer = self.ask(CREATE_TOPICS, 2, struct.pack(">i", 1) + topic + struct.pack(">ib", 30000, 0))
        answer.take("i")
        return answer.array(lambda: (answer.string(), answer.take("h"), answer.string()))[0]

    def delete_topic(self, name):
        answer = self.ask(DELETE_TOPICS, 1, struct.pack(">i", 1) + string(name) + struct.pack(">i", 30000))
        answer.take("i")
        return answer.array(lambda: (answer.string(), answer.take("h")))[0][1]

    def wait_for_leader(self, topic, partitions, timeout_s=30):
        """Returns once every partition has a leader, as a client would wait."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            answer = self.ask(METADATA, 1, struct.pack(">i", 1) + string(topic))
            answer.array(lambda: (answer.take("i"), answer.string(), answer.take("i"), answer.string()))
            answer.take("i")

            def read_topic():
                error = answer.take("h"), answer.string(), answer.take("b")
                return error[0], answer.array(lambda: (answer.take("hii"), answer.array(lambda: answer.take("i")),
                                                       answer.array(lambda: answer.take("i")))[0])

            error, found = answer.array(read_topic)[0]
            if error == NONE and len(found) == partitions and all(each[0] == NONE and each[2] >= 0 for each in found):
                return
            time.sleep(0.05)
        raise TimeoutError(f"topic {topic} has no leaders after {timeout_s} s")

    def init_producer_id(self, timeout_s=30):
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(INIT_PRODUCER_ID, 1, struct.pack(">hi", -1, 60000))
            answer.take("i")
            error, producer_id, epoch = answer.take("hqh")
            if error == NONE:
                return producer_id, epoch
            if error != COORDINATOR_LOAD_IN_PROGRESS or time.monotonic() > end:
                raise OSError(f"InitProducerId answers error {error}")
            time.sleep(0.05)

    def send_produce(self, topic, records, acks=-1, partition=0, transactional_id=None):
        body = nullable_string(transactional_id) + struct.pack(">hii", acks, 30000, 1) + string(topic) + struct.pack(">iii", 1, partition, len(records)) + records
        self.send(PRODUCE, 8, body)

    def produce(self, topic, records, acks=-1, partition=0, transactional_id=None):
        """(error code, base offset, error message) of one partition's answer."""
        self.send_produce(topic, records, acks, partition, transactional_id)
        answer = self.receive()

        def read_partition():
            _, error, base_offset, _, _ = answer.take("ihqqq")
            answer.array(lambda: (answer.take("i"), answer.string()))
            return error, base_offset, answer.string()

        return answer.array(lambda: (answer.string(), answer.array(read_partition)))[0][1][0]

    def send_fetch(self, topic, offset, partition=0, max_bytes=1 << 20, max_wait_ms=500, min_bytes=1):
        self.send(FETCH, 4, struct.pack(">iiiibi", -1, max_wait_ms, min_bytes, max_bytes, 0, 1) + string(topic) +
                  struct.pack(">iiqi", 1, partition, offset, max_bytes))

    def fetch(self, topic, offset, **options):
        """(error code, high watermark, bytes of records) of one partition's answer."""
        self.send_fetch(topic, offset, **options)
        answer = self.receive()
        answer.take("i")

        def read_partition():
            _, error, high_watermark, _ = answer.take("ihqq")
            answer.array(lambda: answer.take("qq"))  # aborted transactions: -1, which is none, or a count
            return error, high_watermark, answer.bytes(max(0, answer.take("i")))

        return answer.array(lambda: (answer.string(), answer.array(read_partition)))[0][1][0]

    def find_coordinator(self, group, timeout_s=30):
        """Returns once there is one, as a client would wait."""
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(FIND_COORDINATOR, 1, string(group) + b"\0")
            answer.take("i")
            error = answer.take("h")
            if error == NONE:
                return
            if error not in COMES_LATER or time.monotonic() > end:
                raise OSError(f"no coordinator of {group}: error {error}")
            time.sleep(0.05)
