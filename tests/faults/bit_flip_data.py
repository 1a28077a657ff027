"""The data whose bits are flipped, and what a broker has to say of it. One topic of each sort, so that each kind of file is there."""

import dataclasses
import struct
import time

import admin_wire
import kafka_wire
from kafka_wire import batch, crc32c
from share_wire import values
import transaction_wire

PLAIN, TRANSACTIONS, TRIMMED, COMPACTED = TOPICS = ("plain", "transactions", "trimmed", "compacted")
GROUP, COMMITTED = "readers", 123
PROPERTIES = {"log.segment.bytes": 1 << 20, "log.index.interval.bytes": 1024, "offsets.topic.num.partitions": 1,
              "transaction.state.log.num.partitions": 1, "log.flush.offset.checkpoint.interval.ms": 200, "log.cleaner.backoff.ms": 10,
              "log.cleaner.min.cleanable.ratio": 0.01, "log.segment.delete.delay.ms": 0, "group.initial.rebalance.delay.ms": 0}
FLUSH = {"flush.messages": 300}  # so that a killed broker's recovery points are somewhere within
RECORDS, VALUE_BYTES = 10, 1000
BATCHES = {PLAIN: 230, TRIMMED: 130, COMPACTED: 120}
TRIMMED_BEFORE = 777  # within a batch
AN_HOUR_AGO = 3_600_000
HEADER_BYTES = 61
TIMEOUT_S = 30


@dataclasses.dataclass
class Batch:
    base: int
    last: int
    timestamp_ms: int
    stored: bytes


def parse(records):
    """The whole batches of an answer."""
    found, at = [], 0
    while len(records) - at >= HEADER_BYTES:
        base, size, _, _, _, _, last_delta, timestamp_ms = struct.unpack_from(">qiibIhiq", records, at)
        if size < HEADER_BYTES - 12 or size > len(records) - at - 12:
            break
        found.append(Batch(base, base + last_delta, timestamp_ms, records[at:at + 12 + size]))
        at += 12 + size
    return found


def batches_at(segment, positions):
    """The base offsets of the batches of a segment's bytes in which `positions` are."""
    found, at = set(), 0
    for one in parse(segment):
        if any(at <= position < at + len(one.stored) for position in positions):
            found.add(one.base)
        at += len(one.stored)
    return found


def has_valid_checksum(stored):
    return struct.unpack_from(">I", stored, 17)[0] == crc32c(stored[21:])


class Data:
    """What was written, as it was served before anything was hurt."""

    def __init__(self):
        self.batches = {}  # topic -> batches, in order
        self.starts = {}  # topic -> the log's start
        self.aborted = set()
        self.producer = None  # id and epoch of who wrote PLAIN

    def write(self, broker):
        self.begin_ms = int(time.time() * 1000) - AN_HOUR_AGO
        with admin_wire.AdminConnection(broker.port) as connection:
            for topic in TOPICS:
                configs = FLUSH | ({"cleanup.policy": "compact"} if topic == COMPACTED else {})
                if connection.create_topic(topic, 1, configs)[1] != kafka_wire.NONE:
                    raise AssertionError(f"{topic} is not created")
                connection.wait_for_leader(topic, 1)
            self.producer = connection.init_producer_id()
            for topic, count in BATCHES.items():
                for number in range(count):
                    self._produce(connection, topic, number)
            self._write_transactions(broker)
            if connection.delete_records(TRIMMED, TRIMMED_BEFORE) != kafka_wire.NONE:
                raise AssertionError("records are not deleted")
            connection.find_coordinator(GROUP)
            connection.commit(GROUP, PLAIN, COMMITTED)
            self._wait_for_compaction(broker)
            for topic in TOPICS:
                self.starts[topic] = connection.offset_of_time(topic, -2)[2]
                self.batches[topic] = read_all(connection, topic, self.starts[topic])
            for one in self.batches[TRANSACTIONS]:
                self.aborted |= connection.fetch_committed(TRANSACTIONS, one.base)[2]
        written = values(b"".join(one.stored for one in self.batches[PLAIN]))
        if written != {offset: self.value(PLAIN, offset) for offset in range(BATCHES[PLAIN] * RECORDS)}:
            raise AssertionError("what was written is not served even now")
        if not self.aborted:
            raise AssertionError("there are no aborted transactions")

    @staticmethod
    def value(topic, offset):
        return f"{topic}:{offset}:".encode().ljust(VALUE_BYTES, b"=")

    def batch(self, topic, number):
        keys = [b"key-%d" % (number % 7 * RECORDS + index) for index in range(RECORDS)] if topic == COMPACTED else None
        return batch([self.value(topic, number * RECORDS + index) for index in range(RECORDS)], *self.producer, number * RECORDS,
                     timestamp_ms=self.begin_ms + 1000 * number, keys=keys)

    def _produce(self, connection, topic, number):
        if connection.produce(topic, self.batch(topic, number))[:2] != (kafka_wire.NONE, number * RECORDS):
            raise AssertionError(f"batch {number} of {topic} is not taken")

    @staticmethod
    def _write_transactions(broker):
        for number in range(60):
            with transaction_wire.TransactionalProducer(broker.port, f"writer-{number % 3}") as producer:
                producer.add_partition(TRANSACTIONS)
                for _ in range(2):
                    if producer.write(TRANSACTIONS, [b"%d:" % number + b"-" * 12_000]) != kafka_wire.NONE:
                        raise AssertionError("a transaction's records are not taken")
                producer.end(commit=number % 3 != 1)

    @staticmethod
    def _wait_for_compaction(broker):
        """Until it has nothing more to do."""
        deadline = time.monotonic() + TIMEOUT_S
        path, seen, since = broker.data_dir / "cleaner-offset-checkpoint", None, 0
        while since < 5:
            if time.monotonic() > deadline:
                raise AssertionError(f"no compaction\n{broker.output()[-2000:]}")
            names = sorted(each.name for each in (broker.data_dir / f"{COMPACTED}-0").glob("*.log"))
            now = names, broker.output().count("event=log_compacted")
            since = since + 1 if now == seen and now[1] and path.exists() and COMPACTED in path.read_text() else 0
            seen = now
            time.sleep(0.1)  # the cleaner tells only of what it has done


def read_all(connection, topic, start):
    found, offset = [], start
    while True:
        error, _, records = connection.fetch(topic, offset, max_wait_ms=0)
        if error != kafka_wire.NONE:
            raise AssertionError(f"Fetch answers error {error}")
        new = [one for one in parse(records) if one.last >= offset]
        if not new:
            return found
        found += new
        offset = new[-1].last + 1
