"""A member of a share group by hand (KIP-932), so that a test knows which acknowledgement was answered and which was not."""

import struct
import time

import kafka_wire

INCREMENTAL_ALTER_CONFIGS, SHARE_GROUP_HEARTBEAT, SHARE_FETCH, SHARE_ACKNOWLEDGE = 44, 76, 78, 79
ACCEPT, RELEASE, REJECT = 1, 2, 3
GROUP_RESOURCE = 32
VERSION = 1


def uvarint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value):
    return b"\0" if value is None else uvarint(len(value.encode()) + 1) + value.encode()


def array(items):
    return b"\0" if items is None else uvarint(len(items) + 1) + b"".join(items)


class FlexibleReader(kafka_wire.Reader):
    def uvarint(self):
        number = shift = 0
        while True:
            byte = self.take("B")
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def varint(self):
        number = self.uvarint()
        return (number >> 1) ^ -(number & 1)

    def text(self):
        size = self.uvarint()
        return None if size == 0 else self.bytes(size - 1).decode()

    def blob(self):
        return self.bytes(max(0, self.uvarint() - 1))

    def items(self, read):
        return [read() for _ in range(max(0, self.uvarint() - 1))]

    def tags(self):
        for _ in range(self.uvarint()):
            self.uvarint()
            self.blob()


def values(records):
    """{offset: value} of uncompressed batches; the last may be cut, and is left out then."""
    found, reader = {}, FlexibleReader(records)
    while len(records) - reader.at >= 12:
        base, size = reader.take("qi")
        end = reader.at + size
        if end > len(records):
            break
        reader.at += 9 + 36  # up to the number of records
        for _ in range(reader.take("i")):
            reader.varint()
            reader.take("b")
            reader.varint()
            offset = base + reader.varint()
            reader.bytes(max(0, reader.varint()))
            found[offset] = reader.bytes(reader.varint())
            for _ in range(reader.varint()):
                raise ValueError("a record with headers")
        reader.at = end
    return found


class ShareConnection(kafka_wire.Connection):
    def ask_flexible(self, api_key, version, body):
        self.correlation += 1
        request = struct.pack(">hhi", api_key, version, self.correlation) + kafka_wire.string("faults") + b"\0" + body
        self.send_bytes(struct.pack(">i", len(request)) + request)
        answer = FlexibleReader(self.receive().data)
        answer.tags()
        return answer

    def configure_group(self, group, configs):
        entries = b"".join(kafka_wire.string(key) + b"\0" + kafka_wire.string(value) for key, value in configs.items())
        answer = self.ask(INCREMENTAL_ALTER_CONFIGS, 0, struct.pack(">ib", 1, GROUP_RESOURCE) + kafka_wire.string(group) +
                          struct.pack(">i", len(configs)) + entries + b"\0")
        answer.take("i")
        return answer.array(lambda: (answer.take("h"), answer.string(), answer.take("b"), answer.string()))[0]


class ShareMember:
    """One member over one connection, which is closed with it."""

    def __init__(self, port, group, topic, member):
        self.connection = ShareConnection(port)
        self.group, self.topic, self.member = group, topic, member
        self.session_epoch = 0
        self.partitions = {}  # topic id -> partitions

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def join(self, timeout_s=30):
        """Heartbeats until it is given partitions."""
        end, epoch = time.monotonic() + timeout_s, 0
        self.connection.find_coordinator(self.group)
        while not self.partitions:
            if time.monotonic() > end:
                raise TimeoutError("the member is given no partitions")
            answer = self.connection.ask_flexible(SHARE_GROUP_HEARTBEAT, 1, text(self.group) + text(self.member) + struct.pack(">i", epoch) +
                                                  text(None) + array([text(self.topic)]) + b"\0")
            answer.take("i")
            error, message, _, epoch_now, _ = answer.take("h"), answer.text(), answer.text(), answer.take("i"), answer.take("i")
            if error in kafka_wire.COMES_LATER:
                time.sleep(0.05)
                continue
            if error != kafka_wire.NONE:
                raise OSError(f"ShareGroupHeartbeat answers error {error}: {message}")
            epoch = epoch_now
            if answer.take("b") >= 0:
                self.partitions = dict(filter(lambda topic: topic[1], answer.items(lambda: self._topic_partitions(answer))))
            else:
                time.sleep(0.05)

    def leave(self):
        answer = self.connection.ask_flexible(SHARE_GROUP_HEARTBEAT, 1, text(self.group) + text(self.member) + struct.pack(">i", -1) + text(None) +
                                              b"\0" + b"\0")
        answer.take("i")
        error, message = answer.take("h"), answer.text()
        if error != kafka_wire.NONE:
            raise OSError(f"ShareGroupHeartbeat answers error {error}: {message}")

    @staticmethod
    def _topic_partitions(answer):
        topic = answer.bytes(16), answer.items(lambda: answer.take("i"))
        answer.tags()
        return topic

    def fetch(self, max_records=50, max_wait_ms=300):
        """{(partition, offset): (value, delivery count)} of what the member is given."""
        named = self.partitions if self.session_epoch == 0 else {}
        topics = [topic + array([struct.pack(">i", partition) + array([]) + b"\0" for partition in partitions]) + b"\0"
                  for topic, partitions in named.items()]
        answer = self.connection.ask_flexible(SHARE_FETCH, VERSION, text(self.group) + text(self.member) +
                                              struct.pack(">iiiiii", self.session_epoch, max_wait_ms, 1, 1 << 20, max_records, max_records) +
                                              array(topics) + array([]) + b"\0")
        answer.take("i")
        error, message = answer.take("h"), answer.text()
        if error != kafka_wire.NONE:
            raise OSError(f"ShareFetch answers error {error}: {message}")
        self.session_epoch += 1
        answer.take("i")
        given = {}

        def read_partition():
            partition, error, message = answer.take("i"), answer.take("h"), answer.text()
            answer.take("h"), answer.text()
            answer.take("ii"), answer.tags()
            found = values(answer.blob())
            for first, last, count in answer.items(lambda: (answer.take("qqh"), answer.tags())[0]):
                for offset in range(first, last + 1):
                    if offset in found:
                        given[partition, offset] = found[offset], count
            answer.tags()
            if error != kafka_wire.NONE:
                raise OSError(f"ShareFetch answers error {error} for partition {partition}: {message}")

        answer.items(lambda: (answer.bytes(16), answer.items(read_partition), answer.tags()))
        return given

    def acknowledge(self, said):
        """`said` is {(partition, offset): type}. Returns the (partition, offset) whose answer was no error."""
        (topic, _), = self.partitions.items()
        by_partition = {}
        for (partition, offset), how in sorted(said.items()):
            by_partition.setdefault(partition, []).append(struct.pack(">qq", offset, offset) + array([struct.pack(">b", how)]) + b"\0")
        partitions = [struct.pack(">i", partition) + array(batches) + b"\0" for partition, batches in by_partition.items()]
        answer = self.connection.ask_flexible(SHARE_ACKNOWLEDGE, VERSION, text(self.group) + text(self.member) +
                                              struct.pack(">i", self.session_epoch) + array([topic + array(partitions) + b"\0"]) + b"\0")
        answer.take("i")
        error, message = answer.take("h"), answer.text()
        if error != kafka_wire.NONE:
            raise OSError(f"ShareAcknowledge answers error {error}: {message}")
        self.session_epoch += 1
        refused = set()

        def read_partition():
            partition, error = answer.take("ih")
            answer.text()
            answer.take("ii"), answer.tags(), answer.tags()
            if error != kafka_wire.NONE:
                refused.add(partition)

        answer.items(lambda: (answer.bytes(16), answer.items(read_partition), answer.tags()))
        return {place for place in said if place[0] not in refused}
