"""Everything at once, and the broker is killed under it: idempotent producers, a pipeline of transactions, members of a group, committed
offsets and a share group. Each is held to what it is promised alone."""

import random
import shutil
import subprocess
import threading
import time
import unittest

import admin_wire
from committing_reader import CommittingReader
from counting_producer import CountingProducer, check_ends
import kafka_wire
from pipeline import Pipeline
import settings
import share_wire
from share_worker import ShareWorker

COUNTED, FROM, TO, SHARED = TOPICS = ("counted", "pipeline-in", "pipeline-out", "shared")
PARTITIONS, GROUP = 2, "workers"
RECORDS_PER_SECOND = 1000
MOVED_PER_KILL = 300
SHARED_PER_ROUND, SHARED_MOST = 200, 4000  # by partition
CHECK_EVERY = 10  # kills; the end of each checks all
KILLS_PER_KILL = 0.5
TIMEOUT_S = 60


class GroupMembers:
    """kcat as two members of a group that commits what it was given; each record comes at least once, through whatever happens."""

    def __init__(self, broker, topic):
        self.paths = [broker.directory / f"member-{number}" for number in range(2)]
        self.processes = []
        for path in self.paths:
            with open(path, "wb") as output:
                self.processes.append(subprocess.Popen(
                    ["kcat", "-b", broker.bootstrap, "-G", "members", "-E", "-q", "-u", "-f", "%p %o\n", "-X", "auto.offset.reset=earliest",
                     "-X", "auto.commit.interval.ms=100", "-X", "session.timeout.ms=6000", "-X", "reconnect.backoff.max.ms=200", topic],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL))

    def wait_until_read(self, ends):
        """What of it did not come in time."""
        missing = {(partition, offset) for partition, end in enumerate(ends) for offset in range(end)}
        deadline = time.monotonic() + TIMEOUT_S
        while missing and time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            for path in self.paths:
                missing -= {tuple(map(int, line.split())) for line in path.read_text().splitlines() if line.count(" ") == 1}
            time.sleep(0.1)  # files do not tell that they grow
        return missing

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


class SharingThread:
    """Writes and works on what is shared until it is stopped; it comes back whenever the broker does."""

    def __init__(self, broker, worker):
        self.broker, self.worker = broker, worker
        self.problem = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set() and self.problem is None:
            try:
                if self.worker.written < SHARED_MOST:
                    self.worker.produce(self.broker, SHARED_PER_ROUND)
                self.worker.work(self.broker, self.stopping.is_set)
            except (kafka_wire.Closed, OSError):
                self.stopping.wait(0.02)  # as a client backs off
            except AssertionError as error:
                self.problem = str(error)

    def stop(self):
        self.stopping.set()
        self.thread.join(TIMEOUT_S)


@unittest.skipUnless(shutil.which("kcat"), "needs kcat")
class Everything(unittest.TestCase):
    def test_killed_under_everything_it_keeps_every_promise(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kills = max(2, round(settings.kills * KILLS_PER_KILL))
        with settings.broker({"group.initial.rebalance.delay.ms": "0"}) as broker:
            self.make_topics(broker)
            worker = ShareWorker(random.Random(seed), GROUP, SHARED, PARTITIONS)
            producer = CountingProducer(broker.bootstrap, COUNTED, PARTITIONS, RECORDS_PER_SECOND)
            self.addCleanup(producer.close)
            pipeline = Pipeline(broker.bootstrap, FROM, TO, PARTITIONS, MOVED_PER_KILL * kills)
            self.addCleanup(pipeline.close)
            members = GroupMembers(broker, COUNTED)
            self.addCleanup(members.close)
            reader = CommittingReader(broker.port, "readers", COUNTED)
            self.addCleanup(reader.stop)
            sharing = SharingThread(broker, worker)
            self.addCleanup(sharing.stop)
            acknowledged = [0] * PARTITIONS
            for kill in range(kills):
                where = f"kill {kill + 1} of {kills}, seed {seed}"
                self.assertTrue(producer.wait_for_more_than(acknowledged), f"{where}: no progress before it: {producer.problem}\n{broker.output()[-2000:]}")
                time.sleep(moments.uniform(0, 0.6))  # the random moment itself
                self.assertTrue(broker.is_running(), f"{where}: the broker had ended by itself\n{broker.output()[-2000:]}")
                self.assertEqual((None, None), (reader.problem, sharing.problem), where)
                broker.kill()
                acknowledged = producer.snapshot()
                broker.start()
                if kill % CHECK_EVERY == 0:
                    check_ends(self, broker, COUNTED, acknowledged, where)
            where = f"after {kills} kills, seed {seed}"
            self.assertTrue(producer.wait_for_more_than(acknowledged), f"{where}: no progress: {producer.problem}\n{broker.output()[-2000:]}")
            producer.finish()
            self.assertIsNone(producer.problem, where)
            ends = check_ends(self, broker, COUNTED, producer.snapshot(), where)
            self.assertEqual(producer.sent, sum(ends), f"{where}: each record once")
            reader.stop()
            with admin_wire.AdminConnection(broker.port) as connection:
                reader.check(connection)
            self.assertIsNone(reader.problem, where)
            missing = members.wait_until_read(ends)
            self.assertFalse(missing, f"{where}: the group's members never read {sorted(missing)[:5]}\n{broker.output()[-2000:]}")
            sharing.stop()
            self.assertIsNone(sharing.problem, where)
            worker.drain(broker, where)
            said = pipeline.check_end(self, broker, where)
        print(f"        {kills} kills; {sum(ends)} counted, {reader.commits} commits, {worker.written * PARTITIONS} shared, {pipeline.records} moved, {said}")

    def make_topics(self, broker):
        with share_wire.ShareConnection(broker.port) as connection:
            for topic in TOPICS:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(topic, PARTITIONS, {})[1])
                connection.wait_for_leader(topic, PARTITIONS)
            # A record that a crash always meets must not be given up on.
            configs = {"share.auto.offset.reset": "earliest", "share.delivery.count.limit": "10"}
            self.assertEqual(kafka_wire.NONE, connection.configure_group(GROUP, configs)[0])
