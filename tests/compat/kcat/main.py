"""Compatibility test: kcat, on its command line. usage: main.py BOOTSTRAP RECORDS TOPIC_PREFIX

kcat neither creates nor deletes topics: the broker creates them when they are first produced to, with one partition.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
TIMEOUT_S = 120


class CheckFailed(Exception):
    pass


def require(condition, message):
    if not condition:
        raise CheckFailed(message)


def lines_of(count):
    """Records as the file holds them: a key, a separator, a value of 0 to 199 letters; every tenth key is empty."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789" * 8
    return [f"{'' if i % 10 == 9 else f'key-{i}'}|value-{i}:{letters[i % 36:i % 36 + i * 7919 % 200]}" for i in range(count)]


class Kcat:
    def __init__(self, bootstrap, directory):
        self.bootstrap = bootstrap
        self.directory = directory

    def run(self, *args, input=b"", succeeds=True):
        command = ["kcat", "-b", self.bootstrap, "-m", "30", *map(str, args)]
        result = subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        require((result.returncode == 0) == succeeds, f"{' '.join(command)}: exit status {result.returncode}\n"
                f"{result.stderr.decode(errors='replace')}")
        return result.stdout if succeeds else result.stderr

    def produce_file(self, topic, lines, *args):
        path = self.directory / "records"
        path.write_text("".join(line + "\n" for line in lines))
        self.run("-P", "-t", topic, "-p", 0, "-K", "|", *args, "-l", path)

    def consume(self, topic, *args):
        """Records as lists: offset, timestamp, key size, key, value size, value, headers."""
        output = self.run("-C", "-q", "-e", "-t", topic, "-p", 0, "-f", "%o\t%T\t%K\t%k\t%S\t%s\t%h\n", "-X", "auto.offset.reset=error",
                          "-X", "check.crcs=true", *args)
        return [line.split("\t") for line in output.decode().splitlines()]

    def query(self, topic, timestamp):
        """kcat -Q: the offset at a timestamp; -1 asks for the end, -2 for the beginning."""
        output = self.run("-Q", "-t", f"{topic}:0:{timestamp}").decode().strip()
        start, _, offset = output.rpartition(" offset ")
        require(start == f"{topic} [0]", f"kcat -Q answers {output!r}")
        return int(offset)


def check_records(topic, seen, lines, first_offset, began, ended):
    for i, line in enumerate(lines):
        require(i < len(seen), f"{topic}: {len(lines) - i} of {len(lines)} records lost, first the one at offset {first_offset + i}")
        offset, timestamp, key_size, key, value_size, value, headers = seen[i]
        where = f"{topic}-0 offset {offset}"
        want_key, want_value = line.split("|", 1)
        require(int(offset) == first_offset + i, f"{where}: expected offset {first_offset + i}")
        # kcat sends an empty key as the empty string, not as null
        require((key_size, key) == (str(len(want_key)), want_key), f"{where}: key {key!r} of size {key_size}, expected {want_key!r}")
        require((value_size, value) == (str(len(want_value)), want_value),
                f"{where}: value {value!r} of size {value_size}, expected {want_value!r}")
        require(headers == "source=file,codec=" + topic.rpartition("-")[2], f"{where}: headers {headers!r}")
        require(began <= int(timestamp) <= ended, f"{where}: timestamp {timestamp} is not from {began} to {ended}")
    require(len(seen) == len(lines), f"{topic}: {len(seen) - len(lines)} records more than were produced, first {seen[len(lines):][:1]}")


def now_ms():
    return time.time_ns() // 1_000_000


def check_codec(kcat, topic, codec, lines):
    headers = ("-H", "source=file", "-H", f"codec={codec}")
    idempotent = ("-X", "enable.idempotence=true") if codec in ("none", "zstd") else ()
    began = now_ms()
    kcat.produce_file(topic, lines[:1], *headers)  # creates the topic
    kcat.produce_file(topic, lines[1:], "-X", f"compression.type={codec}", "-X", "linger.ms=20", *idempotent, *headers)
    ended = now_ms()
    everything = kcat.consume(topic, "-o", "beginning")
    check_records(topic, everything, lines, 0, began, ended)

    count = len(lines)
    require(kcat.query(topic, -2) == 0, f"{topic}: kcat -Q does not find the beginning at 0")
    require(kcat.query(topic, -1) == count, f"{topic}: kcat -Q does not find the end at {count}")
    middle = count // 2
    check_records(topic, kcat.consume(topic, "-o", middle), lines[middle:], middle, began, ended)
    check_records(topic, kcat.consume(topic, "-o", -10), lines[-10:], count - 10, began, ended)
    check_records(topic, kcat.consume(topic, "-o", middle, "-c", 7), lines[middle:middle + 7], middle, began, ended)
    check_records(topic, kcat.consume(topic, "-o", middle, "-X", "fetch.message.max.bytes=2000", "-c", 1000),
                  lines[middle:middle + 1000], middle, began, ended)
    timestamps = [int(record[1]) for record in everything]
    for wanted in (timestamps[0], timestamps[middle], timestamps[-1], timestamps[-1] + 1):
        first = next((i for i, timestamp in enumerate(timestamps) if timestamp >= wanted), None)
        found = kcat.query(topic, wanted)
        # librdkafka tells "none" with the end, which kcat prints as the logical offset -1
        require(found == (-1 if first is None else first), f"{topic}: kcat -Q finds time {wanted} at {found}, it is at {first}")
    first = timestamps.index(timestamps[middle])
    if all(a <= b for a, b in zip(timestamps, timestamps[1:])):
        check_records(topic, kcat.consume(topic, "-o", f"s@{timestamps[middle]}"), lines[first:], first, began, ended)


def check_json(kcat, topic):
    kcat.run("-P", "-t", topic, "-p", 0, "-Z", "-K", "|", "-H", "name=value", "-H", "bare", input=b"key|value\nkey|\n|value\n")
    rows = [json.loads(line) for line in kcat.run("-C", "-q", "-e", "-J", "-t", topic, "-p", 0).splitlines()]
    want = [("key", "value"), ("key", None), (None, "value")]  # -Z: empty is null
    require([(row["key"], row["payload"]) for row in rows] == want, f"{topic}: keys and values {rows}")
    for offset, row in enumerate(rows):
        require(row["topic"] == topic and row["partition"] == 0 and row["offset"] == offset and row["tstype"] == "create", f"{row}")
        require(row["headers"] == ["name", "value", "bare", None], f"headers {row['headers']}")


def check_metadata(kcat, topic):
    metadata = json.loads(kcat.run("-L", "-J", "-t", topic))
    require(len(metadata["brokers"]) == 1 and metadata["brokers"][0]["name"] == kcat.bootstrap, f"brokers {metadata['brokers']}")
    broker = metadata["brokers"][0]["id"]
    require(metadata["controllerid"] == broker, f"controller {metadata['controllerid']}, expected {broker}")
    node = [{"id": broker}]
    want = [{"topic": topic, "partitions": [{"partition": 0, "leader": broker, "replicas": node, "isrs": node}]}]
    require(metadata["topics"] == want, f"topics {metadata['topics']}, expected {want}")
    names = [each["topic"] for each in json.loads(kcat.run("-L", "-J"))["topics"]]
    require(topic in names, f"{topic} is not in the list of all topics")


def check_whole_files(kcat, topic):
    """A file as one record: any byte, up to close below the default limit; above it the broker refuses."""
    for size in (1, 100_000, 1_000_000):
        path = kcat.directory / "whole"
        content = random.Random(size).randbytes(size)
        path.write_bytes(content)
        kcat.run("-P", "-t", topic, "-p", 0, "-z", "lz4", "-X", "message.max.bytes=4000000", path)
        seen = kcat.run("-C", "-q", "-e", "-t", topic, "-p", 0, "-o", -1, "-f", "%s")
        require(seen == content, f"{topic}: a record of {size} bytes came back with {len(seen)} bytes, or others")
    path.write_bytes(random.Random(0).randbytes(2_000_000))
    complaint = kcat.run("-P", "-t", topic, "-p", 0, "-X", "message.max.bytes=4000000", path, succeeds=False).decode()
    require("Message size too large" in complaint, f"{topic}: a record of 2 MB is refused with {complaint!r}")


def check_errors(kcat, topic):
    end = kcat.query(topic, -1)
    complaint = kcat.run("-C", "-e", "-t", topic, "-p", 0, "-o", end + 1, "-X", "auto.offset.reset=error", succeeds=False).decode()
    require("Offset out of range" in complaint, f"{topic}: reading after the end is refused with {complaint!r}")
    complaint = kcat.run("-P", "-t", topic, "-p", 99, input=b"x\n", succeeds=False).decode()
    require("Unknown partition" in complaint, f"{topic}: producing to partition 99 is refused with {complaint!r}")


def main(bootstrap, records, prefix):
    with tempfile.TemporaryDirectory() as directory:
        kcat = Kcat(bootstrap, pathlib.Path(directory))
        lines = lines_of(max(records // len(CODECS), 50))
        for codec in CODECS:
            check_codec(kcat, f"{prefix}-{codec}", codec, lines)
        check_json(kcat, f"{prefix}-json")
        check_metadata(kcat, f"{prefix}-json")
        check_whole_files(kcat, f"{prefix}-whole")
        check_errors(kcat, f"{prefix}-json")
    print(f"{len(lines)} records with each of {', '.join(CODECS)}; offsets, times, JSON, metadata, whole files, errors")


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    except CheckFailed as failure:
        sys.exit(f"FAILED {failure}")
