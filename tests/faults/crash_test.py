"""A broker that is killed at random moments under load has every acknowledged record when it starts again, with no gap and no duplicate
of an idempotent producer. faults_load says how this is seen."""

import random
import time
import unittest

from counting_producer import CountingProducer, check_ends
import kafka_wire
import settings

TOPIC, PARTITIONS = "crash", 6
RECORDS_PER_SECOND = 6000
CONFIGS = {"segment.bytes": 1 << 20, "index.interval.bytes": 1024}  # so that kills meet rolls and index entries


class Crash(unittest.TestCase):
    def test_kill_loses_nothing_that_was_acknowledged(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        start_seconds = []
        with settings.broker() as broker:
            with kafka_wire.Connection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS, CONFIGS)[1])
                connection.wait_for_leader(TOPIC, PARTITIONS)
            producer = CountingProducer(broker.bootstrap, TOPIC, PARTITIONS, RECORDS_PER_SECOND)
            self.addCleanup(producer.close)
            acknowledged = [0] * PARTITIONS
            for kill in range(settings.kills):
                where = f"kill {kill + 1} of {settings.kills}, seed {seed}"
                self.assertTrue(producer.wait_for_more_than(acknowledged), f"{where}: no progress before it: {producer.problem}")
                time.sleep(moments.uniform(0, 0.4))  # the random moment itself
                self.assertTrue(broker.is_running(), f"{where}: the broker had ended by itself\n{broker.output()[-2000:]}")
                broker.kill()
                acknowledged = producer.snapshot()
                begin = time.monotonic()
                broker.start()
                start_seconds.append(time.monotonic() - begin)
                check_ends(self, broker, TOPIC, acknowledged, where)
            self.assertTrue(producer.wait_for_more_than(acknowledged), f"no progress after the last kill: {producer.problem}")
            producer.finish()
            self.assertIsNone(producer.problem)
            ends = check_ends(self, broker, TOPIC, producer.snapshot(), "after the producer's end")
            self.assertEqual(producer.sent, sum(ends), "each record once")
        start_seconds.sort()
        print(f"        {settings.kills} kills, {sum(ends)} records; start to first answer: median {start_seconds[len(start_seconds) // 2]:.2f} s, "
              f"longest {start_seconds[-1]:.2f} s")
