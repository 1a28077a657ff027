"""Compaction of the same keyed records by both brokers: what it costs, whether the same records survive, and what a producer beside it notices.

Nothing is compacted while it is written, for nothing is as dirty as min.cleanable.dirty.ratio=1 asks; then that becomes almost 0. What a broker does
while it writes, to have less to do then, is a figure of its own. The dirty pages are written back in between, so that no broker pays for what the load
has left. What must survive is known of each broker from the input and from where its
active segment begins: of what is before, each key's newest record, and all behind it. Nothing else may differ between the two; neither needs a second
pass, for all keys fit the map.
"""

import contextlib
import os
import pathlib
import time

import admin
import kafka_wire
from figures import Figure
from session import REQUEST_TIMEOUT_S, BrokerFailed

# More than one for each of Brook's shards, so that the producer beside them meets compaction on its own shard too.
PARTITIONS = 4
RECORD_BYTES, BATCH_BYTES = 1024, 16_384  # of the value; of a batch, a client's default
RECORDS_PER_KEY = 5
# Apache Kafka's default of 15 s would be most of each figure: it is how long a cleaner sleeps that has found nothing to do.
CLEANER = {"log.cleaner.backoff.ms": 100}
PRODUCER_RATE, PRODUCER_BYTES = 1_000, 100
POLL_S = 0.02
SETTLE_S, QUICK_SETTLE_S = 3, 1  # without a change; segments of a log that is compacted change several times a second
TIMEOUT_S = 300
POINTS = [("ack_p99_ms", "ack_latency_p99_us", 1000), ("ack_undisturbed_p99_ms", "ack_latency_undisturbed_p99_us", 1000),
          ("undisturbed_share", "ack_latency_undisturbed_share", 1)]


def _figures():
    yield Figure("compaction.cpu_s_per_gb", "broker's processor time for each GB compacted, keyed 1 KiB records, four of five replaced", "s/GB")
    yield Figure("compaction.written_cpu_s_per_gb", "broker's processor time for each GB of them before, to write it in batches of 16 KiB, one producer", "s/GB")
    yield Figure("compaction.mb_s", "compaction, 1 cleaner thread", "MB/s", "more", 0)
    yield Figure("compaction.seconds", "time until all is compacted", "s")
    yield Figure("compaction.kept_share", "records that compaction keeps, the same of both brokers", "of 1", digits=4)
    for key, what in [("alone", ""), ("beside", " while compaction runs")]:
        where = f"producer's acknowledgement at {PRODUCER_RATE:,} records/s, bare client{what}"
        yield Figure(f"compaction.{key}.ack_p99_ms", f"{where}, p99", "ms")
        yield Figure(f"compaction.{key}.ack_undisturbed_p99_ms", f"{where}, while the machine went on, p99", "ms", always=False)
        yield Figure(f"compaction.{key}.undisturbed_share", f"records of the producer{what}, during which the machine went on", "of 1", "more", always=False)


FIGURES = list(_figures())


def run(session):
    warm = session.warm()
    with contextlib.ExitStack() as stack:
        for broker in warm.values():
            stack.enter_context(_cleaner(broker))
        for broker in warm.values():  # once before it counts
            _Compacted(session, broker, _records(session) // 4).remove()
        for index in session.rounds(pairs=1 if session.quick else 3):
            _round(session, warm)
            session.log(f"round {index + 1} done")


@contextlib.contextmanager
def _cleaner(broker):
    with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
        admin.alter_configs(connection, admin.BROKER, "", CLEANER)
    yield
    with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
        admin.alter_configs(connection, admin.BROKER, "", dict.fromkeys(CLEANER))


def _records(session):
    """Of each partition."""
    return session.size(500_000, 50_000)


def _round(session, warm):
    left, seconds = {}, {}
    for name, broker in warm.items():
        compacted = _Compacted(session, broker, _records(session))
        seconds[name] = compacted.seconds
        left[name] = compacted.survivors
        session.keep_load(name, "compaction", {"bytes": compacted.bytes, "seconds": compacted.seconds, "broker_cpu_s": compacted.cpu_s, "written_cpu_s": compacted.written_cpu_s,
                                               "clean_ends": compacted.clean_ends, "survivors": compacted.survivors})
        session.add(name, "compaction.cpu_s_per_gb", compacted.cpu_s / (compacted.bytes / 1e9))
        session.add(name, "compaction.written_cpu_s_per_gb", compacted.written_cpu_s / (compacted.bytes / 1e9))
        session.add(name, "compaction.mb_s", compacted.bytes / 1e6 / compacted.seconds)
        session.add(name, "compaction.seconds", compacted.seconds)
        session.add(name, "compaction.kept_share", sum(each["records"] for each in compacted.survivors) / (PARTITIONS * _records(session)))
        compacted.remove()
    _compare(session, left)
    for name, broker in warm.items():
        with session.topic(broker) as topic:
            _record(session, name, "alone", _producer(session, broker, topic, seconds[name]))
    for name, broker in warm.items():
        with session.topic(broker) as topic:
            compacted = _Compacted(session, broker, _records(session), lambda: _producer(session, broker, topic, seconds[name]))
            _record(session, name, "beside", compacted.beside)
            if not compacted.outlived:
                session.samples.note(f"compaction: {name}'s was done before the producer beside it was")
            compacted.remove()


def _compare(session, left):
    """`left`: of each broker and partition what bench_saturate found, each right by itself."""
    if len(left) < 2:
        return
    for partition, (one, other) in enumerate(zip(*left.values(), strict=True)):
        if one["clean_end"] != other["clean_end"]:
            session.samples.note("compaction: the active segments begin at different offsets, so that what was compacted differs by that")
        elif one["crc"] != other["crc"]:
            raise BrokerFailed(f"partition {partition}: the brokers kept different records of the same input: {one} and {other}")


def _producer(session, broker, topic, compaction_seconds):
    """For a part of the time that compaction takes alone, so that it takes longer than this beside it."""
    seconds = max(1, min(12, int(compaction_seconds * 0.8) - 1))
    return session.tools.bare_latency(broker, topic, rate=PRODUCER_RATE, seconds=seconds, warm_up=0, record_bytes=PRODUCER_BYTES)


def _record(session, name, key, result):
    session.keep_load(name, f"producer {key}", result)
    for figure, source, unit in POINTS:
        if source in result:
            session.add(name, f"compaction.{key}.{figure}", result[source] / unit)


class _Compacted:
    """A topic that was written, compacted and checked; `beside` is what `load` returned, which ran meanwhile."""

    def __init__(self, session, broker, records, load=None):
        self._session, self._broker, self._records = session, broker, records
        self._topic = session.new_topic(broker, PARTITIONS, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": 1,
                                                            "segment.bytes": session.size(16 << 20, 2 << 20)})
        self._write()
        self._watch(load)
        self.survivors = [self._check(partition) for partition in range(PARTITIONS)]

    def remove(self):
        with kafka_wire.Connection(self._broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            connection.delete_topic(self._topic)

    @property
    def _keys(self):
        return self._records // RECORDS_PER_KEY

    def _write(self):
        with self._session.cpu(self._broker) as meter:
            for partition in range(PARTITIONS):
                self._session.tools.keyed(self._broker, self._topic, partition, records=self._records, keys=self._keys, record_bytes=RECORD_BYTES,
                                          batch_bytes=BATCH_BYTES)
        self.written_cpu_s = meter.cpu_s
        os.sync()
        before = self._logs()
        self.clean_ends = [max(base for index, base in before if index == partition) for partition in range(PARTITIONS)]
        self.bytes = sum(size for (partition, base), size in before.items() if base < self.clean_ends[partition])

    def _watch(self, load):
        """Until nothing changes any more. Time counts until the last change, processor time until the replaced files are gone too."""
        before = last = self._logs()
        with self._session.cpu(self._broker) as meter, kafka_wire.Connection(self._broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            begin = changed = time.monotonic()
            admin.alter_configs(connection, admin.TOPIC, self._topic, {"min.cleanable.dirty.ratio": 0.01})
            self.beside = load() if load else None
            load_end = time.monotonic()
            gone = None
            settle_s = self._session.size(SETTLE_S, QUICK_SETTLE_S)
            while (now := time.monotonic()) < changed + settle_s or gone is None or not self._all_differ(before, last):
                if now > begin + TIMEOUT_S:
                    raise BrokerFailed(f"topic {self._topic} was not compacted after {TIMEOUT_S} s")
                logs = self._logs()
                if logs != last:
                    last, changed, gone = logs, now, None
                if gone is None and not self._leftovers():
                    gone = meter.so_far()
                time.sleep(POLL_S)
            self.seconds, self.cpu_s, self.outlived = changed - begin, gone, changed > load_end + POLL_S
            told = admin.log_sizes(connection, self._topic, PARTITIONS)
        found = {partition: sum(size for (index, _), size in last.items() if index == partition) for partition in range(PARTITIONS)}
        if told != found:
            raise BrokerFailed(f"DescribeLogDirs of {self._topic} says {told}, its files have {found} bytes")

    def _check(self, partition):
        clean_end = self.clean_ends[partition]
        result = self._session.tools.survivors(self._broker, self._topic, partition, records=self._records, keys=self._keys, record_bytes=RECORD_BYTES,
                                               clean_end=clean_end)
        if result["missing"] or result["left_over"]:
            raise BrokerFailed(f"{self._topic}-{partition} was not compacted as it must be up to offset {clean_end}: {result}")
        return {"clean_end": clean_end, **result}

    # files

    def _logs(self):
        """Sizes by partition and base offset."""
        found = {}
        for partition in range(PARTITIONS):
            for path in self._directory(partition).glob("*.log"):
                with contextlib.suppress(FileNotFoundError):  # it was just replaced
                    found[partition, int(path.stem)] = path.stat().st_size
        return found

    def _leftovers(self):
        return any(path.suffix in (".deleted", ".cleaned", ".swap") for partition in range(PARTITIONS) for path in self._directory(partition).iterdir())

    def _directory(self, partition):
        return pathlib.Path(self._broker.data_dir) / f"{self._topic}-{partition}"

    def _all_differ(self, before, after):
        return all({key: size for key, size in before.items() if key[0] == partition} != {key: size for key, size in after.items() if key[0] == partition}
                   for partition in range(PARTITIONS))
