"""Durable produce, flush.messages=1: an acknowledged record is on the disk. Producers that wait at the same time may share one fsync."""

from figures import Figure

CONFIGS = {"flush.messages": 1}
MANY = 64
RECORD_BYTES = 100

FIGURES = [
    Figure("durable.1.records_s", "durable produce, 1 producer", "records/s", "more", 0),
    Figure("durable.1.p99_ms", "durable produce, 1 producer, acknowledgement p99", "ms"),
    Figure("durable.64.records_s", f"durable produce, {MANY} producers", "records/s", "more", 0),
    Figure("durable.64.p99_ms", f"durable produce, {MANY} producers, acknowledgement p99", "ms"),
    Figure("durable.64.appends_per_fsync", f"appends per fsync, {MANY} producers", "", "more", 1, always=False),
]


def run(session):
    warm = session.warm()
    for _ in session.rounds(least=1, pairs=1 if session.quick else 4):
        for producers, requests in [(1, session.size(3_000, 100)), (MANY, session.size(10_000, 1_500))]:
            for name, broker in warm.items():
                with session.topic(broker, 1, CONFIGS) as topic, session.fsyncs(broker) as fsyncs:
                    result = session.tools.requests(broker, topic, requests=requests, producers=producers, depth=1, record_bytes=RECORD_BYTES)
                session.keep_load(name, f"{producers} producers", result, fsyncs=fsyncs.count)
                rate = result["requests"] / result["seconds"]
                session.add(name, f"durable.{producers}.records_s", rate)
                session.add(name, f"durable.{producers}.p99_ms", result["ack_latency_p99_us"] / 1000)
                if producers == MANY and fsyncs.count:
                    session.add(name, "durable.64.appends_per_fsync", result["requests"] / fsyncs.count)
                session.log(f"{name}: {producers} producers: {rate:.0f} records/s")
