"""A broker full of data that was killed: how long until every partition answers again, and the memory that it has then.

The page cache is as writing has left it, and written back. Apache Kafka flushes no log by default before its segment is full, so all that the active
segments hold is read again; 20 MB in a partition are well below a segment.
"""

import os
import pathlib
import shutil
import time

import admin
import kafka_wire
import process
from figures import Figure
from session import REQUEST_TIMEOUT_S, BrokerFailed, create_topic, wait_until_served

PARTITIONS, QUICK_PARTITIONS = 1_000, 100
BATCHES, QUICK_BATCHES = 200, 20  # of each partition
RECORD_BYTES, BATCH_BYTES = 1024, 100_000
LIGHT_RATE, LIGHT_BYTES, LIGHT_SECONDS = 1_000, 100, 10
WARM_SHARE_MIN = 0.95
POLL_S = 0.005
TIMEOUT_S = 600
SETTLE_SECONDS = 3  # before memory is read
TOPIC = "restart"

WHAT = f"{PARTITIONS * BATCHES * BATCH_BYTES / 1e9:.0f} GB in {PARTITIONS:,} partitions, SIGKILL under light load"
FIGURES = [
    Figure("restart.killed_s", f"{WHAT}: start until every partition answers with its end", "s"),
    Figure("restart.first_answer_s", f"{WHAT}: start to first answer", "s"),
    Figure("restart.cpu_s", f"{WHAT}: broker's processor time of that start", "s"),
    Figure("restart.rss_mib", f"{WHAT}: resident memory after that start", "MiB", digits=1),
]


def run(session):
    for name in session.names:
        partitions, batches = session.size(PARTITIONS, QUICK_PARTITIONS), session.size(BATCHES, QUICK_BATCHES)
        wanted = partitions * batches * BATCH_BYTES
        if (free := shutil.disk_usage(session.scratch).free) < wanted * 1.2:
            session.samples.note(f"restart: {wanted / 1e9:.0f} GB and some more must be free, and {free / 1e9:.0f} GB are")
            return
        with session.fresh(name) as broker:
            _measure(session, name, broker, partitions, batches)


def _measure(session, name, broker, partitions, batches):
    with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
        create_topic(connection, TOPIC, partitions)
        for partition in range(partitions):
            wait_until_served(connection, TOPIC, partition)
        written = session.tools.saturate_produce(broker, TOPIC, partitions=partitions, batches=partitions * batches, record_bytes=RECORD_BYTES,
                                                 batch_bytes=BATCH_BYTES)
        os.sync()  # what the disk does afterwards is not the start's
        session.log(f"{name}: {written['bytes'] / 1e9:.1f} GB written")
        with session.tools.producer_beside(broker, TOPIC, rate=LIGHT_RATE, record_bytes=LIGHT_BYTES) as producer:
            time.sleep(session.size(LIGHT_SECONDS, 2))
            producer.check()
            acknowledged = {index: offset for index, (_, offset) in admin.end_offsets(connection, TOPIC, partitions).items()}
            broker.kill()
    _note_cold_pages(session, name, broker)

    begin = time.monotonic()
    broker.start()
    first_answer = time.monotonic() - begin
    _wait_for_ends(broker, partitions, acknowledged)
    seconds = time.monotonic() - begin
    cpu_s = process.cpu_seconds(broker.process.pid)
    time.sleep(SETTLE_SECONDS)
    rss = process.resident_mib(broker.process.pid)
    session.keep_load(name, "restart", {"seconds": seconds, "first_answer_s": first_answer, "cpu_s": cpu_s, "rss_mib": rss, "partitions": partitions,
                                        "bytes": written["bytes"]})
    session.add(name, "restart.killed_s", seconds)
    session.add(name, "restart.first_answer_s", first_answer)
    session.add(name, "restart.cpu_s", cpu_s)
    session.add(name, "restart.rss_mib", rss)
    session.log(f"{name}: {seconds:.2f} s, {rss:.0f} MiB")


def _note_cold_pages(session, name, broker):
    share = process.resident_share(sorted(pathlib.Path(broker.data_dir).glob(f"{TOPIC}-*/*.log"))[::10])
    if share < WARM_SHARE_MIN:
        session.samples.note(f"restart: of {name}'s data {share:.0%} was in the page cache")


def _wait_for_ends(broker, partitions, acknowledged):
    """Until each partition has a leader, and ListOffsets and Fetch agree on an end that is not before what was acknowledged."""
    deadline = time.monotonic() + TIMEOUT_S
    with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
        connection.wait_for_leader(TOPIC, partitions, timeout_s=REQUEST_TIMEOUT_S)
        while wrong := _first_wrong(connection, partitions, acknowledged):
            if time.monotonic() > deadline:
                raise BrokerFailed(f"after {TIMEOUT_S} s: {wrong}")
            time.sleep(POLL_S)


def _first_wrong(connection, partitions, acknowledged):
    """What is not right yet, in a sentence; None where all is."""
    ends = admin.end_offsets(connection, TOPIC, partitions)
    for index in range(partitions):
        error, offset = ends.get(index, (None, None))
        if error != kafka_wire.NONE or offset < acknowledged[index]:
            return f"ListOffsets of {TOPIC}-{index} answers error {error}, offset {offset}; {acknowledged[index]} was acknowledged"
    fetched = admin.fetch_at(connection, TOPIC, {index: offset for index, (_, offset) in ends.items()})
    for index, (_, offset) in ends.items():
        error, high_watermark = fetched.get(index, (None, None))
        if error != kafka_wire.NONE or high_watermark != offset:
            return f"Fetch of {TOPIC}-{index} at {offset} answers error {error}, high watermark {high_watermark}"
    return None
