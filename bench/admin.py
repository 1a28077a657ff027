"""What measures ask of a broker besides topics and loads: settings, sizes of logs, where logs end. In the last versions before the flexible ones."""

import struct

import kafka_wire
from kafka_wire import string

FETCH, LIST_OFFSETS, DESCRIBE_LOG_DIRS, INCREMENTAL_ALTER_CONFIGS = 1, 2, 35, 44
TOPIC, BROKER = 2, 4  # types of resources
SET, DELETE = 0, 1
LATEST = -1


class Refused(Exception):
    """A broker answered with an error; the message has the request and what it said."""


def _int32(number):
    return struct.pack(">i", number)


def alter_configs(connection, resource_type, name, configs):
    """Sets a topic's keys, or, with the name "", those of all brokers; a key whose value is None gets its default again."""
    body = b"".join(string(key) + (struct.pack(">bh", DELETE, -1) if value is None else struct.pack(">b", SET) + string(str(value)))
                    for key, value in configs.items())
    answer = connection.ask(INCREMENTAL_ALTER_CONFIGS, 0, _int32(1) + struct.pack(">b", resource_type) + string(name) + _int32(len(configs)) + body + b"\0")
    answer.take("i")
    for error, message, *_ in answer.array(lambda: (answer.take("h"), answer.string(), answer.take("b"), answer.string())):
        if error != kafka_wire.NONE:
            raise Refused(f"IncrementalAlterConfigs of '{name}', {configs}: error {error}, {message}")


def log_sizes(connection, topic, partitions):
    """Bytes of each partition's log, as the broker says."""
    indices = struct.pack(f">{partitions}i", *range(partitions))
    answer = connection.ask(DESCRIBE_LOG_DIRS, 1, _int32(1) + string(topic) + _int32(partitions) + indices)
    answer.take("i")
    directories = answer.array(lambda: (answer.take("h"), answer.string(), answer.array(
        lambda: (answer.string(), answer.array(lambda: answer.take("iqqb"))))))
    return {index: size for _, _, topics in directories for name, found in topics if name == topic for index, size, *_ in found}


def end_offsets(connection, topic, partitions):
    """ListOffsets' (error code, end offset) of each partition."""
    asked = b"".join(struct.pack(">iq", index, LATEST) for index in range(partitions))
    answer = connection.ask(LIST_OFFSETS, 1, _int32(-1) + _int32(1) + string(topic) + _int32(partitions) + asked)
    found = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ihqq"))))[0][1]
    return {index: (error, offset) for index, error, _, offset in found}


def fetch_at(connection, topic, offsets):
    """Fetch's (error code, high watermark) of each partition of `offsets`, asked for what is there from that offset on; it does not wait."""
    asked = b"".join(struct.pack(">iqi", index, offset, 1) for index, offset in offsets.items())
    answer = connection.ask(FETCH, 4, struct.pack(">iiiibi", -1, 0, 0, 1, 0, 1) + string(topic) + _int32(len(offsets)) + asked)
    answer.take("i")

    def read_partition():
        index, error, high_watermark, _ = answer.take("ihqq")
        answer.array(lambda: answer.take("qq"))  # aborted transactions
        answer.bytes(max(0, answer.take("i")))
        return index, (error, high_watermark)

    return dict(answer.array(lambda: (answer.string(), answer.array(read_partition)))[0][1])
