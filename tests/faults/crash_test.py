"""A broker that is killed at random moments under load has every acknowledged record when it starts again, with no gap and no duplicate
of an idempotent producer. faults_load says how this is seen."""

import random
import subprocess
import threading
import time
import unittest

import kafka_wire
import settings

TOPIC, PARTITIONS = "crash", 6
RECORDS_PER_SECOND = 6000
CONFIGS = {"segment.bytes": 1 << 20, "index.interval.bytes": 1024}  # so that kills meet rolls and index entries
PROGRESS_TIMEOUT_S = 30


class Producer:
    """faults_load produce, and what it said was acknowledged."""

    def __init__(self, bootstrap):
        self.acknowledged = [0] * PARTITIONS  # how many; numbers are acknowledged in order, which is checked
        self.problem = None
        self.sent = None
        self.progress = threading.Condition()
        self.process = subprocess.Popen([settings.load, "produce", bootstrap, TOPIC, str(PARTITIONS), str(RECORDS_PER_SECOND)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            word, *numbers = line.split()
            with self.progress:
                if word == "ack":
                    partition, offset, number = map(int, numbers)
                    if number != self.acknowledged[partition] or offset != number:
                        self.problem = self.problem or f"acknowledged out of order: {line.strip()}, after {self.acknowledged[partition]}"
                    self.acknowledged[partition] = number + 1
                elif word == "done":
                    self.sent = int(numbers[0])
                else:
                    self.problem = self.problem or line.strip()
                self.progress.notify_all()

    def snapshot(self):
        with self.progress:
            return list(self.acknowledged)

    def wait_for_more_than(self, before):
        """Until every partition has more acknowledged records than `before`; false when that takes too long or went wrong."""
        with self.progress:
            self.progress.wait_for(lambda: self.problem or all(now > then for now, then in zip(self.acknowledged, before)), PROGRESS_TIMEOUT_S)
            return self.problem is None and all(now > then for now, then in zip(self.acknowledged, before))

    def finish(self):
        self.process.terminate()
        self.process.wait(90)
        self.reader.join(10)

    def close(self):
        self.process.kill()
        self.process.wait()


class Crash(unittest.TestCase):
    def test_kill_loses_nothing_that_was_acknowledged(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        start_seconds = []
        with settings.broker() as broker:
            with kafka_wire.Connection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS, CONFIGS)[1])
                connection.wait_for_leader(TOPIC, PARTITIONS)
            producer = Producer(broker.bootstrap)
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
                self.check_ends(broker, acknowledged, where)
            self.assertTrue(producer.wait_for_more_than(acknowledged), f"no progress after the last kill: {producer.problem}")
            producer.finish()
            self.assertIsNone(producer.problem)
            ends = self.check_ends(broker, producer.snapshot(), "after the producer's end")
            self.assertEqual(producer.sent, sum(ends), "each record once")
        start_seconds.sort()
        print(f"        {settings.kills} kills, {sum(ends)} records; start to first answer: median {start_seconds[len(start_seconds) // 2]:.2f} s, "
              f"longest {start_seconds[-1]:.2f} s")

    def check_ends(self, broker, acknowledged, where):
        result = subprocess.run([settings.load, "verify", broker.bootstrap, TOPIC, str(PARTITIONS)], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=180)
        self.assertEqual(0, result.returncode, f"{where}: {result.stdout}{result.stderr}\n{broker.output()[-2000:]}")
        ends = [int(line.split()[2]) for line in result.stdout.splitlines()]
        for partition, (end, count) in enumerate(zip(ends, acknowledged, strict=True)):
            self.assertGreaterEqual(end, count, f"{where}: partition {partition} lost acknowledged records\n{broker.output()[-2000:]}")
        return ends
