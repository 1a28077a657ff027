"""What a member of a share group has accepted, and heard that it has, nobody is given again, however often the broker is killed; and
everything else comes, in the end."""

import random
import threading
import unittest

import kafka_wire
import settings
import share_wire

TOPIC, GROUP, PARTITIONS = "shared", "workers", 2
RECORDS_PER_ROUND = 400  # by partition
LAST_FETCHES = 400


class ShareGroups(unittest.TestCase):
    def test_what_was_accepted_is_over_and_the_rest_comes(self):
        seed = random.randrange(1 << 32)
        self.moments = random.Random(seed)
        self.accepted, self.maybe, self.written = set(), set(), 0
        kills = max(3, settings.kills // 10)
        with settings.broker({}) as broker:
            with share_wire.ShareConnection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS, {})[1])
                connection.wait_for_leader(TOPIC, PARTITIONS)
                # A record that a crash always meets must not be given up on.
                configs = {"share.auto.offset.reset": "earliest", "share.delivery.count.limit": "10"}
                self.assertEqual(kafka_wire.NONE, connection.configure_group(GROUP, configs)[0])
            for _ in range(kills):
                self.produce(broker)
                killer = threading.Timer(self.moments.uniform(0.1, 0.7), broker.kill)
                killer.start()
                try:
                    self.work(broker)
                except (kafka_wire.Closed, ConnectionError):
                    pass
                killer.join()
                broker.start()
            self.drain(broker, f"seed {seed}, {kills} kills")
        print(f"        {kills} kills, {self.written * PARTITIONS} records, {len(self.maybe)} unanswered")

    def produce(self, broker):
        with kafka_wire.Connection(broker.port) as connection:
            for partition in range(PARTITIONS):
                for _ in range(RECORDS_PER_ROUND // 20):
                    error = connection.produce(TOPIC, kafka_wire.batch([b"value"] * 20), partition=partition)[0]
                    self.assertEqual(kafka_wire.NONE, error)
        self.written += RECORDS_PER_ROUND

    def member(self, broker):
        # One member that comes back: others would have partitions until their sessions time out.
        member = share_wire.ShareMember(broker.port, GROUP, TOPIC, "worker")
        self.addCleanup(member.close)
        member.join()
        return member

    def see(self, given):
        again = set(given) & self.accepted
        self.assertFalse(again, f"accepted, and given out again: {sorted(again)[:5]}")

    def work(self, broker):
        """Until the broker dies: accepts half, gives back some, says nothing of the rest."""
        member = self.member(broker)
        while True:
            given = member.fetch()
            self.see(given)
            said = {}
            for place in given:
                if (lot := self.moments.random()) < 0.6:
                    said[place] = share_wire.ACCEPT if lot < 0.5 else share_wire.RELEASE
            if not said:
                continue
            asked = {place for place, how in said.items() if how == share_wire.ACCEPT}
            self.maybe |= asked
            done = member.acknowledge(said) & asked
            self.maybe -= asked
            self.accepted |= done

    def drain(self, broker, where):
        member = self.member(broker)
        missing = {(partition, offset) for partition in range(PARTITIONS) for offset in range(self.written)} - self.accepted
        for _ in range(LAST_FETCHES):
            given = member.fetch(max_records=500)
            self.see(given)
            if given:
                self.accepted |= member.acknowledge(dict.fromkeys(given, share_wire.ACCEPT))
            missing -= set(given) | self.accepted
            if not given and missing <= self.maybe:
                break
        self.assertLessEqual(missing, self.maybe, f"{where}: never given out again\n{broker.output()[-2000:]}")
        self.assertEqual({}, member.fetch(), where)
