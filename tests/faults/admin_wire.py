"""Requests about what a broker has, by hand: where its partitions and their files are, offsets by time, committed ones."""

import struct
import time

import kafka_wire

OFFSET_COMMIT, OFFSET_FETCH, DELETE_RECORDS, DESCRIBE_LOG_DIRS = 8, 9, 21, 35
READ_COMMITTED = 1


class AdminConnection(kafka_wire.Connection):
    def partitions(self, topic):
        """{partition: (error, leader, offline replicas)} as Metadata has it."""
        answer = self.ask(kafka_wire.METADATA, 5, struct.pack(">i", 1) + kafka_wire.string(topic) + b"\0")
        answer.take("i")
        answer.array(lambda: (answer.take("i"), answer.string(), answer.take("i"), answer.string()))
        answer.string(), answer.take("i")

        def read_partition():
            error, index, leader = answer.take("hii")
            _, _, offline = (answer.array(lambda: answer.take("i")) for _ in range(3))
            return index, (error, leader, offline)

        return answer.array(lambda: (answer.take("h"), answer.string(), answer.take("b"), dict(answer.array(read_partition))))[0][3]

    def log_directories(self):
        """{path: (error, {(topic, partition)})}."""
        answer = self.ask(DESCRIBE_LOG_DIRS, 1, struct.pack(">i", -1))
        answer.take("i")

        def read_directory():
            error, path, found = answer.take("h"), answer.string(), set()
            for topic, partitions in answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("iqqb")))):
                found |= {(topic, partition[0]) for partition in partitions}
            return path, (error, found)

        return dict(answer.array(read_directory))

    def offset_of_time(self, topic, timestamp_ms, partition=0):
        """(error, timestamp, offset) of the first record that is not older; -2 asks for the log's start, -1 for its end."""
        answer = self.ask(kafka_wire.LIST_OFFSETS, 1, struct.pack(">ii", -1, 1) + kafka_wire.string(topic) + struct.pack(">iiq", 1, partition, timestamp_ms))
        return answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ihqq"))))[0][1][0][1:]

    def delete_records(self, topic, before, partition=0):
        """The error code."""
        answer = self.ask(DELETE_RECORDS, 1, struct.pack(">i", 1) + kafka_wire.string(topic) + struct.pack(">iiqi", 1, partition, before, 30000))
        answer.take("i")
        return answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("iqh"))))[0][1][0][2]

    def fetch_committed(self, topic, offset, partition=0, max_bytes=1 << 20):
        """(error code, last stable offset, {(producer id, first offset)} of aborted transactions, bytes of records)."""
        answer = self.ask(kafka_wire.FETCH, 4, struct.pack(">iiiibi", -1, 0, 1, max_bytes, READ_COMMITTED, 1) + kafka_wire.string(topic) +
                          struct.pack(">iiqi", 1, partition, offset, max_bytes))
        answer.take("i")

        def read_partition():
            _, error, _, stable = answer.take("ihqq")
            aborted = set(answer.array(lambda: answer.take("qq")))
            return error, stable, aborted, answer.bytes(max(0, answer.take("i")))

        return answer.array(lambda: (answer.string(), answer.array(read_partition)))[0][1][0]

    def commit(self, group, topic, offset, partition=0, timeout_s=30):
        """For a group that has no members. Raises OSError where it is refused."""
        body = kafka_wire.string(group) + struct.pack(">i", -1) + kafka_wire.string("") + struct.pack(">qi", -1, 1) + kafka_wire.string(topic)
        body += struct.pack(">iiq", 1, partition, offset) + kafka_wire.nullable_string(None)
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(OFFSET_COMMIT, 2, body)
            error = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ih"))))[0][1][0][1]
            if error == kafka_wire.NONE:
                return
            if error not in kafka_wire.COMES_LATER or time.monotonic() > end:
                raise OSError(f"OffsetCommit answers error {error}")
            self.find_coordinator(group)

    def committed(self, group, topic, partition=0, timeout_s=30):
        """The committed offset, -1 where there is none. Raises OSError where it is not told."""
        body = kafka_wire.string(group) + struct.pack(">i", 1) + kafka_wire.string(topic) + struct.pack(">ii", 1, partition)
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(OFFSET_FETCH, 2, body)
            topics = answer.array(lambda: (answer.string(), answer.array(lambda: (answer.take("iq"), answer.string(), answer.take("h")))))
            error = answer.take("h") or (topics[0][1][0][2] if topics else 0)
            if error == kafka_wire.NONE:
                return topics[0][1][0][0][1]
            if error not in kafka_wire.COMES_LATER or time.monotonic() > end:
                raise OSError(f"OffsetFetch answers error {error}")
            self.find_coordinator(group)
