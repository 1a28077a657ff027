"""What a member of a share group has accepted, and heard that it has, nobody is given again, however often the broker is killed; and
everything else comes, in the end."""

import random
import threading
import unittest

import kafka_wire
import settings
import share_wire
from share_worker import ShareWorker

TOPIC, GROUP, PARTITIONS = "shared", "workers", 2
RECORDS_PER_ROUND = 400  # by partition


class ShareGroups(unittest.TestCase):
    def test_what_was_accepted_is_over_and_the_rest_comes(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        worker = ShareWorker(moments, GROUP, TOPIC, PARTITIONS)
        kills = max(3, settings.kills // 10)
        with settings.broker({}) as broker:
            with share_wire.ShareConnection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS, {})[1])
                connection.wait_for_leader(TOPIC, PARTITIONS)
                # A record that a crash always meets must not be given up on.
                configs = {"share.auto.offset.reset": "earliest", "share.delivery.count.limit": "10"}
                self.assertEqual(kafka_wire.NONE, connection.configure_group(GROUP, configs)[0])
            for _ in range(kills):
                worker.produce(broker, RECORDS_PER_ROUND)
                killer = threading.Timer(moments.uniform(0.1, 0.7), broker.kill)
                killer.start()
                try:
                    worker.work(broker)
                except (kafka_wire.Closed, ConnectionError):
                    pass
                killer.join()
                broker.start()
            worker.drain(broker, f"seed {seed}, {kills} kills")
        print(f"        {kills} kills, {worker.written * PARTITIONS} records, {len(worker.maybe)} unanswered")
