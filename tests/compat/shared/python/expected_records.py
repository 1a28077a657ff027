"""The records that every Python client writes and checks; ../README.md defines them."""

import sys
import time

PARTITIONS = 3
FIRST_TIMESTAMP = 1_700_000_000_000
TIMESTAMP_STEP = 10
LARGE_VALUE = 20_000
PATTERN = bytes(((k * k) ^ (k >> 3)) & 0xFF for k in range(256 + LARGE_VALUE))


class CheckFailed(Exception):
    pass


def require(condition, message):
    if not condition:
        raise CheckFailed(message)


def partition_of(i):
    return i % PARTITIONS


def timestamp_of(i):
    return FIRST_TIMESTAMP + TIMESTAMP_STEP * i


def key_of(i):
    if i % 10 == 9:
        return None
    return b"" if i % 10 == 8 else b"key-%d" % i


def value_of(i):
    if i % 10 == 0:
        return None
    if i % 10 == 1:
        return b""
    length = LARGE_VALUE if i % 1000 == 2 else i * 7919 % 300
    return b"value-%d:" % i + PATTERN[i % 256 : i % 256 + length]


def headers_of(i, null=None):
    """`null` stands in for the null header value, for a client that writes none."""
    index = ("index", b"%d" % i)
    return ([], [index], [index, ("empty", b"")], [index, ("null", null), ("index", b"again")])[i % 4]


def count_in_partition(records, partition):
    """How many of the records 0 .. records-1 the partition holds."""
    return len(range(partition, records, PARTITIONS))


class Checker:
    """Checks what a reader sees of one topic. `start` maps a partition to the offset that reading began at."""

    def __init__(self, topic, records, start=None, null=None):
        self.topic = topic
        self.next_offset = dict(start or dict.fromkeys(range(PARTITIONS), 0))
        self.missing = {i for i in range(records) if i // PARTITIONS >= self.next_offset[partition_of(i)]}
        self.records = records
        self.null = null
        self.duplicates = []

    def see(self, partition, offset, key, value, headers, timestamp):
        where = f"{self.topic}-{partition} offset {offset}"
        i, remainder = divmod(timestamp - FIRST_TIMESTAMP, TIMESTAMP_STEP)
        require(remainder == 0 and 0 <= i < self.records, f"{where}: timestamp {timestamp} belongs to no record")
        actual = {"partition": partition, "key": key, "value": value, "headers": [(k, v) for k, v in headers or ()]}
        expected = {"partition": partition_of(i), "key": key_of(i), "value": value_of(i), "headers": headers_of(i, self.null)}
        for field in expected:
            require(actual[field] == expected[field],
                    f"{where}, record {i}: {field} is {actual[field]!r}, expected {expected[field]!r}")
        if i in self.missing:
            self.missing.discard(i)
        else:
            self.duplicates.append(i)
        if not self.duplicates:
            require(offset == self.next_offset[partition],
                    f"{where}, record {i}: expected offset {self.next_offset[partition]}; lost so far {len(self.missing)}")
            require(offset == i // PARTITIONS, f"{where}: holds record {i}, which belongs at offset {i // PARTITIONS}")
        self.next_offset[partition] = offset + 1

    def done(self):
        return not self.missing

    def finish(self):
        problems = []
        if self.missing:
            problems.append(f"{len(self.missing)} of {self.records} records lost, first {min(self.missing)}")
        if self.duplicates:
            problems.append(f"{len(self.duplicates)} records repeated, first {min(self.duplicates)}")
        require(not problems, f"{self.topic}: " + "; ".join(problems))


def middle_offsets(records):
    return {p: count_in_partition(records, p) // 2 for p in range(PARTITIONS)}


class Deadline:
    """Bounds a wait; `what` names it when it was missed."""

    def __init__(self, seconds, what):
        self.end = time.monotonic() + seconds
        self.what = what

    def check(self):
        require(time.monotonic() < self.end, f"gave up waiting for {self.what}")


def report(client, passes):
    """Prints the line of success; `passes` says how many records each topic checked."""
    print(f"ok {client}: " + ", ".join(f"{name} {count}" for name, count in passes.items()))


def run(main):
    """Calls main(bootstrap, records, prefix) from the command line; a failed check is the last line and exit status 1."""
    try:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except CheckFailed as failure:
        print(f"FAILED {failure}", file=sys.stderr)
        sys.exit(1)
