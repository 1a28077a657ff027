"""Holds what a broker serves of hurt data against what was written.

What is served is as it was written, or it is a batch that was hurt and whose checksum tells its reader. What is not served any more, or
is answered with an error, is told by a line of the log that names the hurt file.
"""

import re
import struct

import admin_wire
import bit_flip_data
from bit_flip_data import COMMITTED, GROUP, PLAIN, RECORDS, TOPICS, TRANSACTIONS
import kafka_wire

EVERY = 7  # batch is asked for by itself


class Check:
    """problems: what is wrong; told: whether the log names the file; told_needed: why it has to."""

    def __init__(self, data, broker, hurt_file, hurt_batches):
        """`hurt_batches`: base offsets by topic."""
        self.data, self.broker, self.hurt_file, self.hurt = data, broker, hurt_file, hurt_batches
        self.problems, self.told_needed = [], []

    def run(self):
        with admin_wire.AdminConnection(self.broker.port) as connection:
            for topic in TOPICS:
                if self.is_served(connection, topic):
                    self.check_topic(connection, topic)
            self.check_committed(connection)
            self.check_duplicate(connection)
        if not self.broker.is_running():
            self.problems.append("the broker has ended")
        if self.told_needed and not self.is_told():
            self.problems += [f"{what}, and no line of the log names the file" for what in self.told_needed]
        return self.problems

    def is_told(self):
        """A warning or an error with the file's path, or with that of the segment that it belongs to."""
        below = str(self.hurt_file.relative_to(self.broker.data_dir))
        if re.search(r"/\d{20}\.", below):
            below = below.rpartition(".")[0]
        return any(below in line for line in self.broker.complaints())

    def is_served(self, connection, topic):
        error, leader, _ = connection.partitions(topic).get(0, (kafka_wire.UNKNOWN_TOPIC_OR_PARTITION, -1, []))
        if error == kafka_wire.NONE and leader >= 0:
            return True
        self.told_needed.append(f"{topic} has error {error} and leader {leader}")
        return False

    def check_topic(self, connection, topic):
        truth = {one.base: one for one in self.data.batches[topic]}
        offset, end = self.data.starts[topic], self.data.batches[topic][-1].last + 1
        for when, expected in ((-2, offset), (-1, end)):
            error, _, found = connection.offset_of_time(topic, when)
            # Deleted records may come back where it is told.
            if error != kafka_wire.NONE or found < expected or (when == -2 and found > expected):
                self.told_needed.append(f"{topic} {'begins' if when == -2 else 'ends'} at {found} and not {expected}, error {error}")
            elif found != expected:
                self.problems.append(f"{topic} {'begins' if when == -2 else 'ends'} at {found} and not {expected}")
        aborted = set()
        while offset < end:
            error, _, more, records = connection.fetch_committed(topic, offset)
            aborted |= more
            batches = [one for one in bit_flip_data.parse(records) if one.last >= offset]
            if not self.judge(topic, offset, error, batches, truth):
                break
            offset = batches[-1].last + 1
        if topic == TRANSACTIONS and offset >= end and aborted != self.data.aborted:
            self.problems.append(f"aborted transactions are {sorted(aborted ^ self.data.aborted)[:3]} too many or missing")
        for one in self.data.batches[topic][::EVERY]:
            error, _, records = connection.fetch(topic, one.last, max_wait_ms=0, max_bytes=1)
            self.judge(topic, one.last, error, bit_flip_data.parse(records)[:1], truth)
        if topic == PLAIN:
            self.check_times(connection)

    def judge(self, topic, offset, error, batches, truth):
        """Whether a reader comes further. `batches` are what it is given for `offset`."""
        if error != kafka_wire.NONE or not batches:
            self.told_needed.append(f"{topic} is not served at {offset}: error {error}")
            return False
        expected = next(one.base for one in self.data.batches[topic] if one.last >= offset)
        for one in batches:
            if one.base != expected:
                if bit_flip_data.has_valid_checksum(one.stored):
                    self.problems.append(f"{topic} gives batch {one.base} where {expected} comes for a fetch of {offset}")
                return False
            if one.stored != truth[expected].stored:
                if one.base not in self.hurt.get(topic, ()):
                    self.problems.append(f"{topic} gives another batch {one.base} than was written, for a fetch of {offset}")
                elif bit_flip_data.has_valid_checksum(one.stored):
                    self.problems.append(f"{topic} gives a hurt batch {one.base} with a checksum that holds")
                return False
            expected = next((each.base for each in self.data.batches[topic] if each.base > expected), None)
        return True

    def check_times(self, connection):
        for one in self.data.batches[PLAIN][::EVERY]:
            error, timestamp, offset = connection.offset_of_time(PLAIN, one.timestamp_ms)
            if error != kafka_wire.NONE or offset == -1:
                self.told_needed.append(f"offset of time {one.timestamp_ms}: error {error}")
            elif (timestamp, offset) != (one.timestamp_ms, one.base) and not self.hurt.get(PLAIN):
                self.problems.append(f"the first record of time {one.timestamp_ms} is {offset}, timestamp {timestamp}, and not {one.base}")

    def check_committed(self, connection):
        try:
            found = connection.committed(GROUP, PLAIN, timeout_s=5)
        except OSError as error:
            self.told_needed.append(f"the committed offset is not told: {error}")
            return
        if found == -1:
            self.told_needed.append("the committed offset is lost")
        elif found != COMMITTED:
            self.problems.append(f"{found} is committed and not {COMMITTED}")

    def check_duplicate(self, connection):
        """The last batch is sent again, and then one behind it: neither is written where it does not belong."""
        last = self.data.batches[PLAIN][-1]
        if (end := connection.offset_of_time(PLAIN, -1)[2]) != last.last + 1:
            return
        number = last.base // RECORDS
        error, offset, _ = connection.produce(PLAIN, self.data.batch(PLAIN, number))
        if error == kafka_wire.NONE and offset != last.base:
            self.problems.append(f"a batch that is sent again is written again, at {offset}")
        elif error != kafka_wire.NONE:
            self.told_needed.append(f"a batch that is sent again is answered with error {error}")
        error, offset, _ = connection.produce(PLAIN, self.data.batch(PLAIN, number + 1))
        if error == kafka_wire.NONE and offset != end:
            self.problems.append(f"the next batch is written at {offset} and not {end}")
        elif error != kafka_wire.NONE:
            self.told_needed.append(f"the next batch is answered with error {error}")


def bits_flipped(content, positions):
    """`content` with one bit of each of {position: bit} flipped."""
    flipped = bytearray(content)
    for position, bit in positions.items():
        flipped[position] ^= 1 << bit
    return bytes(flipped)


def positions_in_records(segment, chance, count):
    """Of bytes behind the heads of batches."""
    ranges, at = [], 0
    while len(segment) - at > bit_flip_data.HEADER_BYTES:
        size = 12 + struct.unpack_from(">i", segment, at + 8)[0]
        ranges.append((at + bit_flip_data.HEADER_BYTES, at + size))
        at += size
    return [chance.randrange(*chance.choice(ranges)) for _ in range(count)]
