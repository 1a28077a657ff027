"""brook transaction."""

import threading

import kafka_wire
import transaction_wire
from command_line import AgainstBroker


class Transactions(AgainstBroker):
    # A hanging transaction can only be made where a partition takes records that no coordinator knows of.
    properties = {"transaction.partition.verification.enable": "false"}

    def producer(self, transactional_id):
        producer = transaction_wire.TransactionalProducer(self.broker.port, transactional_id)
        self.addCleanup(producer.close)
        return producer

    def opened(self, transactional_id, topic, partition=0):
        """A producer with three records in an open transaction."""
        producer = self.producer(transactional_id)
        producer.add_partition(topic, partition)
        self.assertEqual(kafka_wire.NONE, producer.write(topic, [b"a", b"b", b"c"], partition))
        return producer

    def committed(self, topic):
        return self.brook("consume", topic, "--committed", "--from", "beginning", "--until", "end").splitlines()

    def test_an_open_transaction_is_listed_and_described(self):
        self.create("shown", "-p", "2")
        producer = self.opened("shown-1", "shown", 1)

        listed = {each["transactional_id"]: each for each in self.brook_json("transaction", "list")}
        self.assertEqual((listed["shown-1"]["state"], listed["shown-1"]["producer_id"]), ("Ongoing", producer.producer_id))
        self.assertIsNotNone(listed["shown-1"]["started"])
        self.assertRegex(self.brook("transaction", "list", "--state", "Ongoing"), r"(?m)^shown-1 +Ongoing +\d+ +\d+m?s +\d+$")
        self.assertNotIn("shown-1", self.brook("transaction", "list", "--open-for", "1h"))
        self.assertNotIn("shown-1", self.brook("transaction", "list", "--state", "Empty"))
        described, = self.brook_json("transaction", "describe", "shown-1")
        self.assertEqual((described["state"], described["producer_id"], described["producer_epoch"], described["timeout_ms"], described["partitions"]),
                         ("Ongoing", producer.producer_id, producer.epoch, 60000, [{"topic": "shown", "partition": 1}]))
        self.assertIn("  shown-1\n", self.brook("transaction", "describe", "shown-1"))

    def test_who_writes_to_a_partition_and_since_when_is_shown(self):
        self.create("written", "-p", "2")
        producer = self.opened("written-1", "written", 1)

        self.assertEqual([(each["partition"], each["producer_id"], each["last_sequence"], each["open_since_offset"], each["transactional_id"], each["hanging"])
                          for each in self.brook_json("transaction", "producers", "written")], [(1, producer.producer_id, 2, 0, "written-1", False)])
        self.assertEqual([], self.brook_json("transaction", "producers", "written:0"))
        self.assertEqual([], self.brook_json("transaction", "producers", "written", "--hanging"))
        producer.end(commit=True)
        self.eventually(lambda: self.brook_json("transaction", "producers", "written", "--open") == [])
        self.assertEqual(1, len(self.brook_json("transaction", "producers", "written")))

    def test_an_aborted_transaction_lets_readers_go_on(self):
        self.create("held")
        producer = self.opened("held-1", "held")
        self.brook("produce", "held", input="behind\n")
        self.assertEqual([], self.committed("held"))

        self.assertEqual(self.brook("transaction", "abort", "held-1"), "aborted the transaction of held-1; its producer is fenced\n")

        self.assertEqual(["behind"], self.committed("held"))
        self.assertNotEqual(kafka_wire.NONE, producer.write("held", [b"d"]))
        self.assertIn("had no open transaction", self.brook("transaction", "abort", "held-1"))

    def test_a_hanging_transaction_is_found_and_ended(self):
        self.create("hung")
        producer = self.producer("hung-1")
        self.assertEqual(kafka_wire.NONE, producer.write("hung", [b"a", b"b"]))  # its coordinator does not know
        self.brook("produce", "hung", input="behind\n")
        self.assertEqual([], self.committed("hung"))
        self.assertEqual([(each["producer_id"], each["hanging"]) for each in self.brook_json("transaction", "producers", "hung", "--hanging")],
                         [(producer.producer_id, True)])

        aborted = self.brook("transaction", "abort", "--partition", "hung:0", "--producer", producer.producer_id)

        self.assertEqual(aborted, f"aborted what producer {producer.producer_id} had open in hung-0 since offset 0\n")
        self.assertEqual(["behind"], self.committed("hung"))
        self.assertEqual([], self.brook_json("transaction", "producers", "hung", "--open"))

    def test_a_transaction_that_will_end_is_not_ended_as_hanging(self):
        self.create("safe")
        producer = self.opened("safe-1", "safe")

        complaint = self.refused("transaction", "abort", "--partition", "safe:0", "--producer", producer.producer_id)

        self.assertIn("brook transaction abort safe-1", complaint)
        producer.end(commit=True)
        self.eventually(lambda: self.committed("safe") == ["a", "b", "c"])
        self.assertIn("has no open transaction", self.refused("transaction", "abort", "--partition", "safe:0", "--producer", producer.producer_id))

    def test_a_transaction_that_ends_meanwhile_does_not_hang(self):
        self.create("busy")
        producers = [self.producer(f"busy-{each}") for each in range(4)]
        committed, done = [], threading.Event()

        def work(producer):
            while not done.is_set():
                producer.add_partition("busy")
                if [producer.write("busy", [b"a"]) for _ in range(3)] != 3 * [kafka_wire.NONE]:
                    return
                producer.end(commit=True)
                committed.append(producer.producer_id)

        threads = [threading.Thread(target=work, args=(producer,)) for producer in producers]
        for thread in threads:
            thread.start()
        try:
            for turn in range(50):
                self.assertEqual([], self.brook_json("transaction", "producers", "busy", "--hanging"))
                self.refused("transaction", "abort", "--partition", "busy:0", "--producer", producers[turn % 4].producer_id)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertGreater(len(committed), 50)
        self.eventually(lambda: self.brook_json("transaction", "producers", "busy", "--open") == [])
        self.assertEqual(3 * len(committed), len(self.committed("busy")))

    def test_what_is_not_there_is_said(self):
        self.create("there")
        self.producer("anybody")
        self.assertIn("there is no transactional id nobody", self.refused("transaction", "describe", "nobody"))
        self.assertIn("there is no transactional id nobody", self.refused("transaction", "abort", "nobody"))
        self.assertNotIn("nobody", self.brook("transaction", "list"))
        self.assertIn("there is no topic nowhere", self.refused("transaction", "producers", "nowhere"))
        self.assertIn("TOPIC:N", self.refused("transaction", "abort", "--partition", "there:0", status=2))
        self.assertIn("takes one", self.refused("transaction", "abort", "--partition", "there", "--producer", 1, status=2))
        self.assertIn("'Going'", self.refused("transaction", "list", "--state", "Going", status=2))
