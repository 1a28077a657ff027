"""Many partitions on one node: time to create them, memory, starts after a clean stop and after SIGKILL, produce latency spread over all."""

import time

import admin
import kafka_wire
from figures import Figure
from process import resident_mib
from session import REQUEST_TIMEOUT_S, BrokerFailed, create_topic

# Apache Kafka's controller takes no more than 10,000 records in a batch, so partitions come in topics of this many.
TOPIC_PARTITIONS_MAX = 1_000
SIZES = [1, 1_000, 10_000, 100_000]
KAFKA_MAX = 10_000
RECORD_BYTES = 100
SETTLE_SECONDS = 3  # after creating, before memory is read
POLL_S = 0.005

FIGURES = [figure for size in SIZES for figure in (
    Figure(f"scale.{size}.create_s", f"{size:,} partitions: time to create", "s"),
    Figure(f"scale.{size}.rss_mib", f"{size:,} partitions: resident memory, idle", "MiB", digits=1),
    Figure(f"scale.{size}.start_clean_ms", f"{size:,} partitions: start after a clean stop, until every partition tells its end", "ms", digits=0),
    Figure(f"scale.{size}.start_clean_rss_mib", f"{size:,} partitions: resident memory after that start", "MiB", digits=1),
    Figure(f"scale.{size}.start_killed_ms", f"{size:,} partitions: start after SIGKILL, until every partition tells its end", "ms", digits=0),
    Figure(f"scale.{size}.spread_p50_ms", f"{size:,} partitions: produce to each in turn, acknowledgement p50", "ms"),
    Figure(f"scale.{size}.spread_p99_ms", f"{size:,} partitions: produce to each in turn, acknowledgement p99", "ms"),
)] + [Figure("scale.kib_per_partition", f"memory of an idle partition, of {KAFKA_MAX:,}", "KiB", digits=1)]
# Sizes that a run may leave out, or that only Brook has.
FIGURES = [Figure(**{**vars(figure), "always": figure.key.split(".")[1] == "1000"}) for figure in FIGURES]


def run(session):
    sizes = [SIZES[1]] if session.quick else SIZES
    for size in sizes:
        for name in session.names:
            if name == "kafka" and size > KAFKA_MAX:
                continue
            _measure(session, name, size)
    for name in session.names:
        many, few = (session.samples.median(name, f"scale.{size}.rss_mib") for size in (KAFKA_MAX, 1))
        if many is not None:
            session.add(name, "scale.kib_per_partition", (many - few) * 1024 / (KAFKA_MAX - 1))


def _measure(session, name, size):
    def add(key, value):
        session.add(name, f"scale.{size}.{key}", value)

    topics = [(f"scale-{index}", min(TOPIC_PARTITIONS_MAX, size - first)) for index, first in enumerate(range(0, size, TOPIC_PARTITIONS_MAX))]
    with session.fresh(name) as broker:
        begin = time.monotonic()
        with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            for topic, partitions in topics:
                if size > SIZES[1] and session.is_over():
                    session.samples.note(f"scale: no time was left for {size:,} partitions of {name}")
                    return
                create_topic(connection, topic, partitions)
        add("create_s", time.monotonic() - begin)
        time.sleep(SETTLE_SECONDS)
        add("rss_mib", resident_mib(broker.process.pid))

        broker.stop()
        add("start_clean_ms", _start_ms(broker, topics))
        add("start_clean_rss_mib", resident_mib(broker.process.pid))

        result = session.tools.spread(broker, topics, record_bytes=RECORD_BYTES)
        session.keep_load(name, f"{size} partitions", result)
        add("spread_p50_ms", result["ack_latency_p50_us"] / 1000)
        add("spread_p99_ms", result["ack_latency_p99_us"] / 1000)

        broker.kill()
        add("start_killed_ms", _start_ms(broker, topics))
    session.log(f"{name}: {size:,} partitions done")


def _start_ms(broker, topics):
    """Until every partition has a leader and tells its end."""
    begin = time.monotonic()
    broker.start()
    with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
        for topic, partitions in topics:
            connection.wait_for_leader(topic, partitions, timeout_s=REQUEST_TIMEOUT_S)
            while any(error != kafka_wire.NONE for error, _ in admin.end_offsets(connection, topic, partitions).values()):
                if time.monotonic() > begin + REQUEST_TIMEOUT_S:
                    raise BrokerFailed(f"{topic} is not served after {REQUEST_TIMEOUT_S} s")
                time.sleep(POLL_S)
    return (time.monotonic() - begin) * 1000
