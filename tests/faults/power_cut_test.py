"""A power cut takes what was not synced: what a topic that flushes each record has acknowledged is there again, and of another topic
what is there is a beginning of what was written. power_cut.c and power_cut_disk.py make the cut."""

import random
import threading
import time
import unittest

import admin_wire
import broker as brokers
from committing_reader import CommittingReader
from counting_producer import CountingProducer, check_ends
import kafka_wire
from power_cut_disk import Disk
import settings
from share_wire import values

DURABLE, PARTITIONS, LOOSE = "durable", 3, "loose"
RECORDS_PER_SECOND = 1500
CONFIGS = {"segment.bytes": 1 << 20, "index.interval.bytes": 1024}  # so that cuts meet rolls and index entries
CUTS_PER_KILL = 0.1
NEVER = 1 << 62


class LooseWriter:
    """Writes 0, 1, 2, ... in batches until the broker ends."""

    def __init__(self, port, written):
        self.written = written  # numbers whose batch was sent, in order
        self.port = port
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with kafka_wire.Connection(self.port) as connection:
                connection.wait_for_leader(LOOSE, 1)
                while True:
                    batch = [b"%d" % (len(self.written) + number) + b"." * 200 for number in range(20)]
                    self.written.extend(batch)
                    if connection.produce(LOOSE, kafka_wire.batch(batch))[0] != kafka_wire.NONE:
                        return
        except (kafka_wire.Closed, OSError):
            return

    def join(self):
        self.thread.join(30)


class PowerCut(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("Apache Kafka's file calls are the JVM's")

    def test_what_was_flushed_and_acknowledged_survives(self):
        seed = random.randrange(1 << 32)
        self.chance = random.Random(seed)
        cuts = max(3, round(settings.kills * CUTS_PER_KILL))
        broker = brokers.Brook(settings.brook, {"log.flush.interval.messages": "1", "offsets.topic.num.partitions": "2",
                                                "log.flush.offset.checkpoint.interval.ms": "300",
                                                "brook.log.reserve.bytes": "0"})
        self.addCleanup(broker.close)
        self.journal = broker.directory / "journal"
        broker.environment |= settings.preloaded("power_cut", BROOK_JOURNAL_PREFIX=broker.data_dir, BROOK_JOURNAL=self.journal)
        disk = Disk(broker.data_dir)
        broker.start()
        with kafka_wire.Connection(broker.port) as connection:
            self.assertEqual(kafka_wire.NONE, connection.create_topic(DURABLE, PARTITIONS, CONFIGS)[1])
            self.assertEqual(kafka_wire.NONE, connection.create_topic(LOOSE, 1, {**CONFIGS, "flush.messages": NEVER})[1])
            connection.wait_for_leader(DURABLE, PARTITIONS)
        producer = CountingProducer(broker.bootstrap, DURABLE, PARTITIONS, RECORDS_PER_SECOND)
        self.addCleanup(producer.close)
        reader = CommittingReader(broker.port, "readers", DURABLE)
        self.addCleanup(reader.stop)
        acknowledged, loose = [0] * PARTITIONS, []
        told = {"entries": 0, "synced": 0}
        for cut in range(cuts):
            where = f"power cut {cut + 1} of {cuts}, seed {seed}"
            writer = LooseWriter(broker.port, loose)
            self.assertTrue(producer.wait_for_more_than(acknowledged), f"{where}: no progress before it: {producer.problem}\n{broker.output()[-2000:]}")
            time.sleep(self.chance.uniform(0, 0.4))  # the random moment itself
            self.assertTrue(broker.is_running(), f"{where}: the broker had ended by itself\n{broker.output()[-2000:]}")
            broker.kill()
            acknowledged = producer.snapshot()
            writer.join()
            disk.replay(self.journal)
            told = {what: count + disk.told[what] for what, count in told.items()}
            disk.told = dict.fromkeys(told, 0)
            disk.cut_power(self.chance)
            self.journal.unlink()
            durable = self.recovery_point(broker)
            try:
                broker.start()
            except brokers.StartFailed as error:
                self.fail(f"{where}: {error}")
            check_ends(self, broker, DURABLE, acknowledged, where)
            self.check_loose(broker, loose, durable, where)
            with admin_wire.AdminConnection(broker.port) as connection:
                reader.check(connection)
            self.assertIsNone(reader.problem, f"{where}\n{broker.output()[-2000:]}")
        self.assertTrue(producer.wait_for_more_than(acknowledged), f"no progress after the last cut, seed {seed}: {producer.problem}")
        producer.finish()
        self.assertIsNone(producer.problem, f"seed {seed}")
        ends = check_ends(self, broker, DURABLE, producer.snapshot(), f"after the producer's end, seed {seed}")
        self.assertEqual(producer.sent, sum(ends), f"each record once, seed {seed}")
        print(f"        {cuts} power cuts, {sum(ends)} durable records, {reader.commits} commits, {told['entries']} file operations, {told['synced']} syncs")

    def check_loose(self, broker, written, durable, where):
        """What is served is what was written there. Of what was not synced a power cut may take the end of a segment and leave the next: a
        gap, as in Apache Kafka. Below the recovery point there is none, and what was lost does not come back."""
        with kafka_wire.Connection(broker.port) as connection:
            connection.wait_for_leader(LOOSE, 1)
            served, offset, high_watermark = {}, 0, None
            while offset != high_watermark:
                error, high_watermark, records = connection.fetch(LOOSE, offset, max_wait_ms=0)
                self.assertEqual(kafka_wire.NONE, error, where)
                if offset == high_watermark:
                    break
                found = values(records)
                self.assertTrue(found, f"{where}: {LOOSE} ends at {high_watermark} and serves nothing at {offset}")
                self.assertGreaterEqual(min(found), offset, where)
                served.update(found)
                offset = max(found) + 1
        wrong = [number for number, value in served.items() if written[number] != value]
        self.assertEqual([], wrong[:5], f"{where}: {LOOSE} serves at these offsets what was not written there")
        lost = [number for number in range(high_watermark) if number not in served and written[number] is not None]
        self.assertEqual([], [number for number in lost if number < durable][:5], f"{where}: lost below the recovery point {durable}")
        for number in lost:
            written[number] = None
        del written[high_watermark:]

    def recovery_point(self, broker):
        """Of the loose partition, as the cut has left it."""
        path = broker.data_dir / "recovery-point-offset-checkpoint"
        lines = path.read_text().splitlines() if path.exists() else []
        return next((int(line.split()[2]) for line in lines if line.startswith(f"{LOOSE} 0 ")), 0)
