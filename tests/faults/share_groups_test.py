"""What a member of a share group has accepted, and heard that it has, nobody is given again, however often the broker is killed; and
everything else comes, in the end."""

import random
import struct
import threading
import time
import unittest

import kafka_wire
import settings
import share_wire
from share_worker import ShareWorker

TOPIC, GROUP, PARTITIONS = "shared", "workers", 2
RECORDS_PER_ROUND = 400  # by partition
TIMEOUT_S = 30


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

    @unittest.skipIf(settings.peer, "Apache Kafka hands the bytes out, and clients reject them")
    def test_a_damaged_batch_stops_no_queue(self):
        batches, records, damaged = 60, 20, (10, 33)  # in the first of two segments
        letters = "dlq.workers"
        with settings.broker({"log.segment.bytes": 1 << 20}) as broker:
            with share_wire.ShareConnection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, 1, {})[1])
                self.assertEqual(kafka_wire.NONE, connection.create_topic(letters, 1, {"errors.deadletterqueue.group.enable": "true"})[1])
                connection.wait_for_leader(TOPIC, 1)
                configs = {"share.auto.offset.reset": "earliest", "errors.deadletterqueue.topic.name": letters}
                self.assertEqual(kafka_wire.NONE, connection.configure_group(GROUP, configs)[0])
                for _ in range(batches):
                    self.assertEqual(kafka_wire.NONE, connection.produce(TOPIC, kafka_wire.batch([b"x" * 1000] * records))[0])
            broker.stop()
            segment = broker.data_dir / f"{TOPIC}-0" / f"{0:020}.log"
            self.assertEqual(2, len(list(segment.parent.glob("*.log"))))
            damage(segment, {number * records for number in damaged})
            broker.start()
            with share_wire.ShareMember(broker.port, GROUP, TOPIC, "worker") as member:
                member.join()
                lost = {number * records + i for number in damaged for i in range(records)}
                wanted, end = set(range(batches * records)) - lost, time.monotonic() + TIMEOUT_S
                while wanted and time.monotonic() < end:
                    given = member.fetch(max_records=500)
                    self.assertFalse(lost & {offset for _, offset in given})
                    wanted -= {offset for _, offset in given}
                    if given:
                        self.assertEqual(set(given), member.acknowledge(dict.fromkeys(given, share_wire.ACCEPT)))
                self.assertFalse(wanted, broker.output()[-2000:])
            self.assertEqual(sorted(lost), sorted(self.dead_letters(broker, letters, len(lost))))
            self.assertIn("event=share_records_damaged", broker.output())
            self.assertIn("first_offset=200 last_offset=219", broker.output())

    def dead_letters(self, broker, topic, count):
        """The offsets that so many dead letters name, each of which says why."""
        name, why = b"__dlq.errors.offset", b"Offset is damaged in the log."
        end = time.monotonic() + TIMEOUT_S
        with kafka_wire.Connection(broker.port) as connection:
            while True:
                stored = connection.fetch(topic, 0)[-1]
                if stored.count(why) >= count or time.monotonic() > end:
                    break
        self.assertEqual(count, stored.count(why))
        offsets = []
        for part in stored.split(name)[1:]:
            size = part[0] >> 1  # a varint of one byte
            offsets.append(int(part[1:1 + size]))
        return offsets


def damage(segment, base_offsets):
    """Makes the magic of these batches of a segment's file one that nobody knows."""
    with open(segment, "r+b") as file:
        stored, at = file.read(), 0
        while at < len(stored):
            base, size = struct.unpack_from(">qi", stored, at)
            if base in base_offsets:
                file.seek(at + 16)
                file.write(b"\x7f")
            at += 12 + size
