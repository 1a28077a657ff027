"""Consuming from warm brokers: what was just written, a backlog that is not in memory, many consumers, and beside a producer."""

import ceilings
from figures import Figure
from process import resident_mib

PARTITIONS, RECORD_BYTES = 8, 1024
FAN_OUT = 100

FIGURES = [
    Figure("consume.hot.mb_s", "consume what is in the page cache, 1 consumer", "MB/s", "more", 0),
    Figure("consume.hot.cpu_s_per_gb", "broker's processor time, consume, page cache", "s/GB"),
    Figure("consume.cold.mb_s", "consume a backlog whose page cache was dropped, 1 consumer", "MB/s", "more", 0),
    Figure("consume.cold.cpu_s_per_gb", "broker's processor time, consume, cold backlog", "s/GB"),
    Figure("consume.fan_out.mb_s", f"consume, {FAN_OUT} consumers that each read all", "MB/s", "more", 0),
    Figure("consume.fan_out.cpu_s_per_gb", f"broker's processor time, {FAN_OUT} consumers", "s/GB"),
    Figure("consume.tail.mb_s", "consume at the tail while a producer writes as fast as it can", "MB/s", "more", 0),
    Figure("consume.tail.cpu_s_per_gb", "broker's processor time for both, per GB produced and consumed", "s/GB"),
    Figure("consume.large.mb_s", "consume the tail just written, 8 MiB fetches, client without cost", "MB/s", "more", 0),
    Figure("consume.large.cpu_s_per_gb", "broker's processor time, 8 MiB fetches", "s/GB"),
    Figure("consume.rss_loaded_mib", "resident memory after the consume loads", "MiB", digits=0),
]


def run(session):
    warm = session.warm()
    for index in session.rounds(least=1 if session.quick else 3):
        for step in (_backlog, _fan_out, _tail, _large):
            for name, broker in warm.items():
                step(session, name, broker)
        ceilings.measure_loopback(session)
        session.log(f"round {index + 1} done")
    for name, broker in warm.items():
        session.add(name, "consume.rss_loaded_mib", resident_mib(broker.process.pid))


def _add(session, name, key, result, meter):
    session.keep_load(name, key, result, broker_cpu_s=meter.cpu_s)
    session.add(name, f"consume.{key}.mb_s", result["bytes"] / 1e6 / result["seconds"])
    session.add(name, f"consume.{key}.cpu_s_per_gb", meter.cpu_s / (result["bytes"] / 1e9))


def _backlog(session, name, broker):
    records = session.size(1_000_000, 50_000)
    with session.topic(broker, PARTITIONS) as topic:
        session.tools.produce(broker, topic, records=records, record_bytes=RECORD_BYTES)
        with session.cpu(broker) as meter:
            result = session.tools.consume(broker, topic, records=records)
        _add(session, name, "hot", result, meter)
        session.drop_page_cache(broker, topic)
        with session.cpu(broker) as meter:
            result = session.tools.consume(broker, topic, records=records)
        _add(session, name, "cold", result, meter)


def _fan_out(session, name, broker):
    records = session.size(30_000, 2_000)
    with session.topic(broker, PARTITIONS) as topic:
        session.tools.produce(broker, topic, records=records, record_bytes=RECORD_BYTES)
        with session.cpu(broker) as meter:
            result = session.tools.consume(broker, topic, records=records, consumers=FAN_OUT)
        _add(session, name, "fan_out", result, meter)


def _tail(session, name, broker):
    records = session.size(800_000, 40_000)
    with session.topic(broker, PARTITIONS) as topic, session.cpu(broker) as meter:
        with session.tools.consumer_beside(broker, topic, begin="beginning", records=records) as consumer:
            session.tools.produce(broker, topic, records=records, record_bytes=RECORD_BYTES)
            result = consumer.result()
    _add(session, name, "tail", result, meter)


def _large(session, name, broker):
    batches = session.size(1500, 150)
    with session.topic(broker, 1) as topic:
        written = session.tools.saturate_produce(broker, topic, batches=batches, record_bytes=RECORD_BYTES, batch_bytes=1_000_000)
        with session.cpu(broker) as meter:
            result = session.tools.saturate_fetch(broker, topic, bytes_wanted=written["bytes"])
    _add(session, name, "large", result, meter)
