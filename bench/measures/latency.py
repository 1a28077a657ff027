"""From the moment that a record should have been sent until a consumer has it, at fixed rates; undisturbed, beside a consumer of a cold
backlog, and while segments roll and old ones are deleted. And with a bare client, below the floor of librdkafka."""

from figures import Figure

RATES = [1_000, 10_000, 50_000]
ROLLING_RATE = 10_000
# 10,000 records a second, each its own request, keep two processors busy by themselves: a reader beside them would take its share of the
# machine, whatever the broker does. So the producer leaves room here, and the reader costs little and reads as over a gigabit network.
# The bare client measures this, for it sees when the host took a processor away from the whole machine, as hosts do that read a disk for it:
# such pauses are no broker's, and make a p99 of milliseconds where nothing but a reader of a file runs.
READER_MB_PER_S = 125
BACKLOG_BATCH_BYTES = 1_000_000
BARE_RATE = 1_000
RECORD_BYTES = 100
PARTITIONS = 1
POINTS = ["p50", "p99", "p99_9", "max"]
# A segment a second at ROLLING_RATE, and four kept: the least that Kafka takes for segment.bytes.
ROLLING = {"segment.bytes": 1 << 20, "retention.bytes": 4 << 20}
DISTURBED = [
    ("backlog", BARE_RATE, f"while a cold backlog is read at {READER_MB_PER_S} MB/s"),
    ("rolling", ROLLING_RATE, "while segments roll and are deleted"),
]


def _name(point):
    return point.replace("_", ".")


def _figures():
    for rate in RATES:
        for point in POINTS:
            yield Figure(f"latency.{rate}.{point}_ms", f"end to end at {rate:,} records/s, {_name(point)}", "ms")
    for key, rate, what in DISTURBED:
        for point in POINTS:
            yield Figure(f"latency.{key}.{point}_ms", f"end to end at {rate:,} records/s {what}, {_name(point)}", "ms")
    for key, rate, what in [(str(BARE_RATE), BARE_RATE, ""), (str(ROLLING_RATE), ROLLING_RATE, ""), *DISTURBED]:
        yield Figure(f"latency.{key}.ack_p99_ms", f"producer's acknowledgement at {rate:,} records/s {what}".rstrip() + ", p99", "ms")
    for point in POINTS:
        yield Figure(f"latency.bare.{point}_ms", f"end to end at {BARE_RATE:,} records/s, bare client, {_name(point)}", "ms")
    for key, what in [("bare", ""), ("backlog", DISTURBED[0][2])]:
        where = f"at {BARE_RATE:,} records/s, bare client, {what}".rstrip(" ,")
        yield Figure(f"latency.{key}.ack_undisturbed_p99_ms", f"producer's acknowledgement {where}, while the machine went on, p99", "ms", always=False)
        yield Figure(f"latency.{key}.undisturbed_share", f"records {where}, during which the machine went on", "of 1", "more", always=False)


FIGURES = list(_figures())


def run(session):
    warm = session.warm()
    backlogs = {}
    for name, broker in warm.items():
        backlogs[name] = session.new_topic(broker)
        session.tools.saturate_produce(broker, backlogs[name], batches=_backlog_batches(session), record_bytes=1024, batch_bytes=BACKLOG_BATCH_BYTES)
    for index in session.rounds(pairs=1 if session.quick else 3):
        for rate in RATES:
            for name, broker in warm.items():
                _measure(session, name, broker, str(rate), rate)
        for name, broker in warm.items():
            session.drop_page_cache(broker, backlogs[name])
            wanted = _backlog_batches(session) * BACKLOG_BATCH_BYTES * 9 // 10
            with session.tools.fetch_beside(broker, backlogs[name], bytes_wanted=wanted, mb_per_s=READER_MB_PER_S):
                _measure_bare(session, name, broker, "backlog")
        for name, broker in warm.items():
            _measure(session, name, broker, "rolling", ROLLING_RATE, ROLLING)
        for name, broker in warm.items():
            _measure_bare(session, name, broker, "bare")
        session.log(f"round {index + 1} done")


def _seconds(session):
    return session.size(12, 2)


def _backlog_batches(session):
    """Enough for the whole measure beside which it is read, and some more."""
    return session.size(2_800, 600)


def _measure(session, name, broker, key, rate, configs=None):
    with session.topic(broker, PARTITIONS, configs) as topic:
        result = session.tools.latency(broker, topic, rate=rate, seconds=_seconds(session), warm_up=session.size(2, 1), record_bytes=RECORD_BYTES)
    _record(session, name, key, result)


def _measure_bare(session, name, broker, key):
    with session.topic(broker, PARTITIONS) as topic:
        result = session.tools.bare_latency(broker, topic, rate=BARE_RATE, seconds=_seconds(session), warm_up=1, record_bytes=RECORD_BYTES)
    _record(session, name, key, result)
    if "ack_latency_undisturbed_share" in result:
        session.add(name, f"latency.{key}.ack_undisturbed_p99_ms", result["ack_latency_undisturbed_p99_us"] / 1000)
        session.add(name, f"latency.{key}.undisturbed_share", result["ack_latency_undisturbed_share"])


def _record(session, name, key, result):
    session.keep_load(name, key, result)
    for point in POINTS:
        session.add(name, f"latency.{key}.{point}_ms", result[f"latency_{point}_us"] / 1000)
    if f"latency.{key}.ack_p99_ms" in {figure.key for figure in FIGURES}:
        session.add(name, f"latency.{key}.ack_p99_ms", result["ack_latency_p99_us"] / 1000)
