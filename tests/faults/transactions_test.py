"""A pipeline that reads, writes and commits its offsets in transactions writes each record exactly once, however often the broker is
killed under it."""

import random
import shutil
import time
import unittest

import kafka_wire
from pipeline import Pipeline
import settings

FROM, TO, PARTITIONS = "pipeline-in", "pipeline-out", 4
RECORDS_PER_KILL = 1500


@unittest.skipUnless(shutil.which("kcat"), "needs kcat")
class Transactions(unittest.TestCase):
    def test_each_record_once_through_kills(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kills = max(3, settings.kills // 10)
        with settings.broker({"group.initial.rebalance.delay.ms": "0"}) as broker:
            with kafka_wire.Connection(broker.port) as connection:
                for topic in (FROM, TO):
                    self.assertEqual(kafka_wire.NONE, connection.create_topic(topic, PARTITIONS, {})[1])
                    connection.wait_for_leader(topic, PARTITIONS)
            pipeline = Pipeline(broker.bootstrap, FROM, TO, PARTITIONS, RECORDS_PER_KILL * kills)
            self.addCleanup(pipeline.close)
            killed = 0
            while killed < kills and pipeline.is_running():
                time.sleep(moments.uniform(0.3, 1.5))  # the random moment itself
                self.assertTrue(broker.is_running(), f"seed {seed}: the broker had ended by itself\n{broker.output()[-2000:]}")
                broker.kill()
                broker.start()
                killed += 1
            said = pipeline.check_end(self, broker, f"seed {seed}, {killed} kills")
        print(f"        {killed} kills, {pipeline.records} records, {said}")
