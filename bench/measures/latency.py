"""From the moment that a record should have been sent until a consumer has it, at fixed rates; undisturbed, beside a consumer of a cold
backlog, and while segments roll and old ones are deleted. And with a bare client, below the floor of librdkafka."""

import contextlib
import threading

from figures import Figure

RATES = [1_000, 10_000, 50_000]
DISTURBED_RATE = 10_000
BARE_RATE = 1_000
RECORD_BYTES = 100
PARTITIONS = 1
POINTS = ["p50", "p99", "p99_9", "max"]
# A segment a second at DISTURBED_RATE, and four kept: the least that Kafka takes for segment.bytes.
ROLLING = {"segment.bytes": 1 << 20, "retention.bytes": 4 << 20}


def _name(point):
    return point.replace("_", ".")


def _figures():
    for rate in RATES:
        for point in POINTS:
            yield Figure(f"latency.{rate}.{point}_ms", f"end to end at {rate:,} records/s, {_name(point)}", "ms")
    for key, what in [("backlog", "while a cold backlog is read"), ("rolling", "while segments roll and are deleted")]:
        for point in POINTS:
            yield Figure(f"latency.{key}.{point}_ms", f"end to end at {DISTURBED_RATE:,} records/s {what}, {_name(point)}", "ms")
    for key, what in [(str(DISTURBED_RATE), ""), ("backlog", " while a cold backlog is read"), ("rolling", " while segments roll and are deleted")]:
        yield Figure(f"latency.{key}.ack_p99_ms", f"producer's acknowledgement at {DISTURBED_RATE:,} records/s{what}, p99", "ms")
    for point in POINTS:
        yield Figure(f"latency.bare.{point}_ms", f"end to end at {BARE_RATE:,} records/s, bare client, {_name(point)}", "ms")


FIGURES = list(_figures())


def run(session):
    warm = session.warm()
    backlogs = {}
    for name, broker in warm.items():
        backlogs[name] = session.new_topic(broker, partitions=4)
        session.tools.produce(broker, backlogs[name], records=session.size(2_000_000, 100_000), record_bytes=1024)
    for index in session.rounds(pairs=1 if session.quick else 3):
        for rate in RATES:
            for name, broker in warm.items():
                _measure(session, name, broker, str(rate), rate)
        for name, broker in warm.items():
            with _cold_reader(session, name, broker, backlogs[name]):
                _measure(session, name, broker, "backlog", DISTURBED_RATE)
        for name, broker in warm.items():
            _measure(session, name, broker, "rolling", DISTURBED_RATE, ROLLING)
        for name, broker in warm.items():
            with session.topic(broker, PARTITIONS) as topic:
                result = session.tools.bare_latency(broker, topic, rate=BARE_RATE, seconds=_seconds(session), warm_up=1, record_bytes=RECORD_BYTES)
            _record(session, name, "bare", result)
        session.log(f"round {index + 1} done")


def _seconds(session):
    return session.size(12, 2)


def _measure(session, name, broker, key, rate, configs=None):
    with session.topic(broker, PARTITIONS, configs) as topic:
        result = session.tools.latency(broker, topic, rate=rate, seconds=_seconds(session), warm_up=session.size(2, 1), record_bytes=RECORD_BYTES)
    _record(session, name, key, result)


@contextlib.contextmanager
def _cold_reader(session, name, broker, topic):
    """Drops the backlog from memory and consumes it, again and again while the body runs; the reader's own processor time gives way."""
    is_over = threading.Event()
    failures = []

    def read():
        try:
            while not is_over.is_set():
                session.drop_page_cache(broker, topic)
                session.keep_load(name, "the backlog's consumer", session.tools.consume_in_the_background(broker, topic))
        except Exception as failure:  # told by the thread that waits
            failures.append(failure)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        is_over.set()
        reader.join()
    if failures:
        raise failures[0]


def _record(session, name, key, result):
    session.keep_load(name, key, result)
    for point in POINTS:
        session.add(name, f"latency.{key}.{point}_ms", result[f"latency_{point}_us"] / 1000)
    if f"latency.{key}.ack_p99_ms" in {figure.key for figure in FIGURES}:
        session.add(name, f"latency.{key}.ack_p99_ms", result["ack_latency_p99_us"] / 1000)
