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
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/faults"), str(ROOT / "tests/peers")]
import broker as brokers
import kafka_wire
import readiness

DOC = ROOT / "docs/metrics.md"
HEAD = """# Metrics

<!-- Written by tests/metrics/run.py --write from what a broker tells of itself; a test holds that it is current. -->

A broker serves its metrics in Prometheus' text format at `/metrics` of its admin listener (`brook.admin.listener`, by default
127.0.0.1:9644), off the data path. Counters begin at 0 with each start and grow; the unit is the end of the name.

Bounds: `api` has the names of Kafka's APIs, `error` those of Kafka's error codes that have occurred. Topics have series of their own
as long as there are no more than 1,000; with more, the first 1,000 by name have, and the others are summed under the topic
`(others)`. `transactional_id` has the 20 whose transactions are open for longest, of those that are open for more than a minute. No series has a partition's name: `DescribeLogDirs` tells the sizes of partitions.

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
    if arguments.write:
        DOC.write_text(metrics.document())
        return 0
    wrong = [f"{key} is {metrics.samples.get(key)}, not {value}" for key, value in expected(sizes).items() if metrics.samples.get(key) != value]
    if metrics.samples.get("brook_log_flushes_total", 0) < 1:
        wrong.append("brook_log_flushes_total is 0, and an append waited for a sync")
    wrong += [f"{name} has no help text" for name, (_, text) in metrics.families.items() if not text.endswith(".")]
    if not DOC.exists() or DOC.read_text() != metrics.document():
        wrong.append("docs/metrics.md is not current: run tests/metrics/run.py --brook build/release/src/app/brook --write")
    print("\n".join(wrong) or f"metrics: {len(metrics.families)} families are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
