"""Producing to warm brokers: records/s, MB/s and the broker's processor time, for loads that each tell something else."""

import dataclasses

import ceilings
from figures import Figure
from process import resident_mib


@dataclasses.dataclass(frozen=True)
class Load:
    key: str
    what: str
    records: int  # of a whole run
    record_bytes: int
    partitions: int = 16
    acks: str = "all"
    compression: str = "none"
    producers: int = 1


LOADS = [
    Load("1k", "1 KiB, 16 partitions, acks=all", 1_000_000, 1024),
    Load("1k_p1", "1 KiB, 1 partition, acks=1", 1_000_000, 1024, partitions=1, acks="1"),
    Load("100b", "100 B, 16 partitions, acks=all", 4_000_000, 100),
    Load("100k", "100 KiB, 16 partitions, acks=all", 12_000, 102_400),
    Load("1k_lz4", "1 KiB, 16 partitions, acks=all, lz4", 1_000_000, 1024, compression="lz4"),
    Load("1k_zstd", "1 KiB, 16 partitions, acks=all, zstd", 500_000, 1024, compression="zstd"),
    Load("1k_100p", "1 KiB, 16 partitions, acks=all, 100 producers", 500_000, 1024, producers=100),
]
# The report's plot of throughput against record size.
BY_SIZE = [("100b", 100), ("1k", 1024), ("100k", 102_400)]

SMALL_PRODUCERS, SMALL_DEPTH, SMALL_BYTES = 16, 8, 100
# One batch a request, as large as max.message.bytes allows by default.
LARGE_RECORD_BYTES, LARGE_BATCH_BYTES = 1024, 1_000_000


def _figures():
    for load in LOADS:
        yield Figure(f"produce.{load.key}.mb_s", f"produce, {load.what}", "MB/s", "more", 0)
        yield Figure(f"produce.{load.key}.records_s", f"produce, {load.what}", "records/s", "more", 0)
        yield Figure(f"produce.{load.key}.cpu_s_per_gb", f"broker's processor time, produce, {load.what}", "s/GB")
    for key, what in [("small", f"requests of one {SMALL_BYTES} B record, {SMALL_PRODUCERS} producers with {SMALL_DEPTH} in flight"),
                      ("small_p1", f"requests of one {SMALL_BYTES} B record, 1 producer with 1 in flight")]:
        yield Figure(f"produce.{key}.requests_s", what, "requests/s", "more", 0)
        yield Figure(f"produce.{key}.cpu_s_per_million", f"broker's processor time, {what}", "s/million", digits=1)
    yield Figure("produce.large.mb_s", "produce, one 1 MB batch a request, client without cost", "MB/s", "more", 0)
    yield Figure("produce.large.cpu_s_per_gb", "broker's processor time, one 1 MB batch a request", "s/GB")
    yield Figure("produce.rss_loaded_mib", "resident memory after the produce loads", "MiB", digits=0)


FIGURES = list(_figures())


def run(session):
    warm = session.warm()
    steps = [lambda *a, load=load: _records(session, load, *a) for load in LOADS]
    steps += [lambda *a: _small(session, "small", SMALL_PRODUCERS, SMALL_DEPTH, session.size(400_000, 20_000), *a),
              lambda *a: _small(session, "small_p1", 1, 1, session.size(40_000, 2_000), *a),
              lambda *a: _large(session, *a)]
    # Every load meets every broker once before it counts.
    for step in steps:
        for name, broker in warm.items():
            step(name, broker, True)
    for index in session.rounds(least=1 if session.quick else 3):
        for step in steps:
            for name, broker in warm.items():
                step(name, broker, False)
        ceilings.measure_loopback(session)
        session.log(f"round {index + 1} done")
    for name, broker in warm.items():
        session.add(name, "produce.rss_loaded_mib", resident_mib(broker.process.pid))


def _records(session, load, name, broker, discard):
    records = session.size(load.records, load.records // 20)
    with session.topic(broker, load.partitions) as topic, session.cpu(broker) as meter:
        result = session.tools.produce(broker, topic, records=records // 4 if discard else records, record_bytes=load.record_bytes, acks=load.acks,
                                       compression=load.compression, producers=load.producers)
    if discard:
        return
    session.keep_load(name, load.key, result, broker_cpu_s=meter.cpu_s)
    session.add(name, f"produce.{load.key}.mb_s", result["bytes"] / 1e6 / result["seconds"])
    session.add(name, f"produce.{load.key}.records_s", result["records"] / result["seconds"])
    session.add(name, f"produce.{load.key}.cpu_s_per_gb", meter.cpu_s / (result["bytes"] / 1e9))


def _small(session, key, producers, depth, requests, name, broker, discard):
    with session.topic(broker, 1) as topic, session.cpu(broker) as meter:
        result = session.tools.requests(broker, topic, requests=requests, producers=producers, depth=depth, record_bytes=SMALL_BYTES)
    if discard:
        return
    session.keep_load(name, key, result, broker_cpu_s=meter.cpu_s)
    session.add(name, f"produce.{key}.requests_s", result["requests"] / result["seconds"])
    session.add(name, f"produce.{key}.cpu_s_per_million", meter.cpu_s / (result["requests"] / 1e6))


def _large(session, name, broker, discard):
    batches = session.size(2000, 200)
    with session.topic(broker, 1) as topic, session.cpu(broker) as meter:
        result = session.tools.saturate_produce(broker, topic, batches=batches, record_bytes=LARGE_RECORD_BYTES, batch_bytes=LARGE_BATCH_BYTES)
    if discard:
        return
    session.keep_load(name, "large", result, broker_cpu_s=meter.cpu_s)
    session.add(name, "produce.large.mb_s", result["bytes"] / 1e6 / result["seconds"])
    session.add(name, "produce.large.cpu_s_per_gb", meter.cpu_s / (result["bytes"] / 1e9))
