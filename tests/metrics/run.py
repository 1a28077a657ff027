#!/usr/bin/env python3
"""Reads /metrics of a broker that was used a little: the figures are right, and docs/metrics.md names every metric.

  run.py --brook BINARY            checks; exit status 1 where something is wrong
  run.py --brook BINARY --write    writes docs/metrics.md
"""

import argparse
import pathlib
import re
import struct
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/faults"), str(ROOT / "tests/peers")]
import broker as brokers
import kafka_wire
import readiness
import transaction_wire

OFFSET_COMMIT = 8
DOC = ROOT / "docs/metrics.md"
HEAD = """# Metrics

<!-- Written by tests/metrics/run.py --write from what a broker tells of itself; a test holds that it is current. -->

A broker serves its metrics in Prometheus' text format at `/metrics` of its admin listener (`brook.admin.listener`, by default
127.0.0.1:9644), off the data path. Counters begin at 0 with each start and grow; the unit is the end of the name.

Bounds: `api` has the names of Kafka's APIs, `error` those of Kafka's error codes that have occurred. Topics have series of their own
as long as there are no more than 1,000; with more, the first 1,000 by name have, and the others are summed under the topic
`(others)`. `transactional_id` has the 20 whose transactions are open for longest, of those that are open for more than a minute. No series has a partition's size: `DescribeLogDirs` tells it.

`brook_group_lag_*` is told of groups of consumers (not of share groups: `brook share describe`) that this broker coordinates. It counts to the
last stable offset, for readers of committed records: what an open transaction holds back is no lag, and `brook_transaction_open_seconds` says
which does. Up to 2,000 partitions of groups have series of their own; the others, up to 20,000, are summed in records as `(others)`.

| metric | type | labels | what it says |
| --- | --- | --- | --- |
"""


class Metrics:
    """Families (name -> type, help) and samples (text in front of the value -> value)."""

    def __init__(self, text):
        self.families = {name: [None, help_text] for name, help_text in re.findall(r"^# HELP (\S+) (.*)$", text, re.M)}
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
            self.families[name][0] = kind
        self.samples = {key: float(value) for key, value in re.findall(r"^([^#\s][^\n]*) (\S+)$", text, re.M)}

    def labels(self, name):
        found = set()
        for key in self.samples:
            if re.fullmatch(re.escape(name) + r"(_bucket|_sum|_count)?(\{.*\})?", key):
                found.update(re.findall(r'[{,](\w+)="', key))
        return sorted(found - {"le"})

    def document(self):
        rows = [f"| `{name}` | {kind} | {', '.join(self.labels(name))} | {text} |" for name, (kind, text) in sorted(self.families.items())]
        return HEAD + "\n".join(rows) + "\n"


def read(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return Metrics(answer.read().decode())


def use(connection):
    """A little of everything: two topics, one of which syncs each append, data in and out, and errors."""
    for name, configs in [("plain", {}), ("synced", {"flush.messages": 1}), ("gone", {})]:
        connection.create_topic(name, 1, configs)
        connection.wait_for_leader(name, 1)
    sizes = {}
    for name, values in [("plain", [b"a", b"b", b"c"]), ("synced", [b"d"]), ("gone", [b"e"])]:
        records = kafka_wire.batch(values)
        sizes[name] = len(records)
        assert connection.produce(name, records)[0] == kafka_wire.NONE
    assert connection.fetch("plain", 0)[0] == kafka_wire.NONE
    connection.delete_topic("gone")
    connection.produce("absent", kafka_wire.batch([b"x"]))
    connection.ask(kafka_wire.LIST_OFFSETS, 1, struct.pack(">ii", -1, 1) + kafka_wire.string("absent") + struct.pack(">iiq", 1, 0, -1))
    return sizes


def commit(connection, group, topic, offset):
    """Commits for a group without members, once it has a coordinator."""
    deadline = time.monotonic() + 30
    while True:
        answer = connection.ask(OFFSET_COMMIT, 2, kafka_wire.string(group) + struct.pack(">i", -1) + kafka_wire.string("") + struct.pack(">qi", -1, 1) +
                                kafka_wire.string(topic) + struct.pack(">iiqh", 1, 0, offset, -1))
        (_, [(_, error)]), = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ih"))))
        if error == kafka_wire.NONE:
            return
        assert time.monotonic() < deadline, f"OffsetCommit answers error {error}"
        time.sleep(0.05)


def use_groups(connection, port):
    """Groups that are behind: by records of an hour ago, by nothing, and where a transaction is open, is aborted and is committed."""
    for name in ["old", "held", "dropped", "done"]:
        connection.create_topic(name, 1, {})
        connection.wait_for_leader(name, 1)
    hour_ago = int(time.time() * 1000) - 3_600_000
    for _ in range(2):
        assert connection.produce("old", kafka_wire.batch([b"a", b"b"], timestamp_ms=hour_ago))[0] == kafka_wire.NONE
    connection.ask(kafka_wire.FIND_COORDINATOR, 1, kafka_wire.string("readers") + b"\0")
    open_transactions = []
    for name, end in [("held", None), ("dropped", False), ("done", True)]:
        producer = transaction_wire.TransactionalProducer(port, f"{name}-1")
        producer.add_partition(name)
        assert producer.write(name, [b"x", b"y"]) == kafka_wire.NONE
        if end is not None:
            producer.end(end)
        open_transactions.append(producer)
    commit(connection, "readers", "old", 2)
    commit(connection, "finished", "old", 4)
    for name in ["held", "dropped", "done"]:
        commit(connection, "readers", name, 0)
    commit(connection, "uncommitted", "held", 2)
    return open_transactions


def lag(group, topic):
    return '{group="%s",partition="0",topic="%s"}' % (group, topic)


def wrong_lags(admin):
    """What is wrong with brook_group_lag_*, the marker of the aborted transaction and of the committed one counted as an offset each."""
    metrics = read(admin)
    wrong = [f"lag of {group} in {topic} is {metrics.samples.get('brook_group_lag_records' + lag(group, topic))}, not {records}"
             for group, topic, records in [("readers", "old", 2), ("finished", "old", 0), ("readers", "held", 0), ("readers", "dropped", 3), ("readers", "done", 3),
                                           ("uncommitted", "held", 0)]
             if metrics.samples.get("brook_group_lag_records" + lag(group, topic)) != records]
    for group, topic, least, most in [("readers", "old", 3600, 3720), ("finished", "old", 0, 0), ("readers", "held", 0, 0), ("readers", "dropped", 0, 0),
                                      ("readers", "done", 0.001, 120)]:
        seconds = metrics.samples.get("brook_group_lag_seconds" + lag(group, topic), -1)
        if not least <= seconds <= most:
            wrong.append(f"{group} is {seconds} s behind in {topic}, not {least} to {most}")
    if metrics.samples.get("brook_group_lag_incomplete") != 0:
        wrong.append("brook_group_lag_incomplete is not 0")
    return wrong


def expected(sizes):
    return {'brook_topic_produced_records_total{topic="plain"}': 3, 'brook_topic_produced_records_total{topic="synced"}': 1,
            'brook_topic_produced_bytes_total{topic="plain"}': sizes["plain"],
            'brook_topic_fetched_bytes_total{topic="plain"}': sizes["plain"],
            'brook_topic_log_bytes{topic="plain"}': sizes["plain"], 'brook_topic_produced_records_total{topic="gone"}': None,
            'brook_produced_records_total': 5, 'brook_fetched_bytes_total': sizes["plain"], 'brook_partitions': 2,
            'brook_log_bytes': sizes["plain"] + sizes["synced"],
            'brook_errors_total{api="ListOffsets",error="UNKNOWN_TOPIC_OR_PARTITION"}': 1,
            'brook_errors_total{api="Produce",error="UNKNOWN_TOPIC_OR_PARTITION"}': 1,
            'brook_errors_total{api="Fetch",error="UNKNOWN_TOPIC_OR_PARTITION"}': None,
            'brook_log_flushed_appends_total': 1,
            'brook_requests_total{api="Fetch"}': 1, 'brook_request_seconds_count{api="Fetch"}': 1,
            'brook_net_connections': 1, 'brook_memory_budget_used_bytes': 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brook", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    admin = readiness.free_ports(1)[0]
    with brokers.Brook(arguments.brook.resolve(), {"brook.admin.listener": f"127.0.0.1:{admin}"}) as broker:
        with kafka_wire.Connection(broker.port) as connection:
            sizes = use(connection)
            metrics = read(admin)
            transactions = use_groups(connection, broker.port)
            # A transaction's end is answered before its markers are everywhere; the second read has times from the first.
            deadline = time.monotonic() + 30
            while (lags := wrong_lags(admin) or wrong_lags(admin)) and time.monotonic() < deadline:
                time.sleep(0.05)
            document = read(admin).document()
            for producer in transactions:
                producer.close()
    if arguments.write:
        DOC.write_text(document)
        return 0
    wrong = [f"{key} is {metrics.samples.get(key)}, not {value}" for key, value in expected(sizes).items() if metrics.samples.get(key) != value]
    wrong += lags
    if metrics.samples.get("brook_log_flushes_total", 0) < 1:
        wrong.append("brook_log_flushes_total is 0, and an append waited for a sync")
    wrong += [f"{name} has no help text" for name, (_, text) in metrics.families.items() if not text.endswith(".")]
    if not DOC.exists() or DOC.read_text() != document:
        wrong.append("docs/metrics.md is not current: run tests/metrics/run.py --brook build/release/src/app/brook --write")
    print("\n".join(wrong) or f"metrics: {len(metrics.families)} families are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
