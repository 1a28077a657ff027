"""A pipeline that reads, writes and commits its offsets in transactions writes each record exactly once, however often the broker is
killed under it. faults_pipeline is the client; kcat writes what it reads and reads what is committed."""

import random
import shutil
import subprocess
import time
import unittest

import kafka_wire
import settings

FROM, TO, PARTITIONS = "pipeline-in", "pipeline-out", 4
RECORDS_PER_KILL = 1500
TIMEOUT_S = 300


@unittest.skipUnless(shutil.which("kcat"), "needs kcat")
class Transactions(unittest.TestCase):
    def test_each_record_once_through_kills(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kills = max(3, settings.kills // 10)
        records = RECORDS_PER_KILL * kills
        with settings.broker({"group.initial.rebalance.delay.ms": "0"}) as broker:
            with kafka_wire.Connection(broker.port) as connection:
                for topic in (FROM, TO):
                    self.assertEqual(kafka_wire.NONE, connection.create_topic(topic, PARTITIONS, {})[1])
                    connection.wait_for_leader(topic, PARTITIONS)
            subprocess.run(["kcat", "-b", broker.bootstrap, "-P", "-t", FROM, "-X", "partitioner=random"], timeout=TIMEOUT_S, check=True,
                           input="".join(f"{number}\n" for number in range(records)), text=True)
            pipeline = subprocess.Popen([settings.load.parent / "faults_pipeline", broker.bootstrap, FROM, TO, str(PARTITIONS), str(records)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.addCleanup(pipeline.stdout.close)
            self.addCleanup(pipeline.wait)
            self.addCleanup(pipeline.kill)
            killed = 0
            while killed < kills and pipeline.poll() is None:
                time.sleep(moments.uniform(0.3, 1.5))  # the random moment itself
                self.assertTrue(broker.is_running(), f"seed {seed}: the broker had ended by itself\n{broker.output()[-2000:]}")
                broker.kill()
                broker.start()
                killed += 1
            said, _ = pipeline.communicate(timeout=TIMEOUT_S)
            self.assertEqual(0, pipeline.returncode, f"seed {seed}, {killed} kills: {said}\n{broker.output()[-3000:]}")
            read = self.read(broker)
            self.assertEqual(sorted(read), list(range(records)), f"seed {seed}, {killed} kills: lost or written twice")
        print(f"        {killed} kills, {records} records, {said.strip()}")

    def read(self, broker):
        result = subprocess.run(["kcat", "-b", broker.bootstrap, "-C", "-e", "-q", "-t", TO, "-o", "beginning", "-X", "isolation.level=read_committed"],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(0, result.returncode, result.stderr)
        return [int(line) for line in result.stdout.split()]
