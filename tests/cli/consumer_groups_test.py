"""brook group."""

import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import kafka_wire
import settings
import transaction_wire
from command_line import AgainstBroker
from deaf_proxy import DeafProxy


class Groups(AgainstBroker):
    # the first rebalance waits for nobody
    properties = {"group.initial.rebalance.delay.ms": "0"}

    def described(self, group):
        return self.brook_json("group", "describe", group)[0]

    def offsets(self, group):
        return {(each["topic"], each["partition"]): each["offset"] for each in self.described(group)["offsets"]}

    def filled(self, topic, partitions=2, records=5):
        """A topic with that many records in each partition."""
        self.create(topic, "-p", partitions)
        for partition in range(partitions):
            self.brook("produce", topic, "--partition", partition, input="".join(f"{i}\n" for i in range(records)))

    @contextlib.contextmanager
    def member(self, group, topic):
        """A member of the group, of another client, which leaves it at the end."""
        with tempfile.TemporaryDirectory() as folder:  # where it may keep what it likes
            process = subprocess.Popen(["kcat", "-b", self.broker.bootstrap, "-G", group, topic], cwd=folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
            try:
                yield
            finally:
                process.terminate()
                process.wait(60)

    def test_a_group_is_listed_and_described_with_its_lag(self):
        self.filled("read")
        self.brook("group", "reset-offsets", "reader", "--to", "-2", "--topic", "read")

        self.assertIn("reader", self.brook("group", "list", "--names").splitlines())
        self.assertIn({"group": "reader", "state": "Empty"}, [{name: each[name] for name in ("group", "state")} for each in self.brook_json("group", "list")])
        self.assertNotIn("reader", self.brook("group", "list", "--state", "stable", "--names").splitlines())
        described = self.described("reader")
        self.assertEqual((described["group"], described["state"], described["members"]), ("reader", "Empty", []))
        self.assertEqual([(each["partition"], each["offset"], each["end_offset"], each["lag"]) for each in described["offsets"]], [(0, 3, 5, 2), (1, 3, 5, 2)])
        self.assertRegex(self.brook("group", "describe", "reader"), r"(?m)^  read +1 +3 +5 +2 +\d+m?s +- +-$")

    def test_how_far_a_group_is_behind_is_told_in_time(self):
        self.create("late", "-p", "2")
        hour_ago = int(time.time() * 1000) - 3_600_000
        records = [{"partition": 0, "value": "a", "timestamp": hour_ago - 3_600_000}, {"partition": 0, "value": "b", "timestamp": hour_ago},
                   {"partition": 1, "value": "c", "timestamp": hour_ago}]
        self.brook("produce", "late", "--from-json", input="".join(json.dumps(each) + "\n" for each in records))
        self.brook("group", "reset-offsets", "late-reader", "--to", "1", "--topic", "late")  # the second of the batch, and the end

        behind = {each["partition"]: each["lag_seconds"] for each in self.described("late-reader")["offsets"]}

        self.assertAlmostEqual(behind[0], 3600, delta=120)
        self.assertEqual(behind[1], 0)
        self.assertRegex(self.brook("group", "describe", "late-reader"), r"(?m)^  late +0 +1 +2 +1 +1h \dm ")

    def test_an_open_transaction_is_no_lag_for_readers_of_committed_records(self):
        self.create("waiting")
        self.brook("group", "reset-offsets", "waiter", "--to", "0", "--topic", "waiting")
        producer = transaction_wire.TransactionalProducer(self.broker.port, "waiting-1")
        self.addCleanup(producer.close)
        producer.add_partition("waiting")
        self.assertEqual(kafka_wire.NONE, producer.write("waiting", [b"a", b"b"]))

        def lag(*words):
            described, = self.brook_json("group", "describe", "waiter", *words)
            return [(each["end_offset"], each["lag"], each["lag_seconds"] == 0) for each in described["offsets"]]

        self.assertEqual((lag("--committed"), lag()), ([(0, 0, True)], [(2, 2, False)]))
        producer.end(commit=False)
        # Nothing that was aborted is ever read, though it has offsets, and neither is the marker.
        self.eventually(lambda: lag("--committed") == [(3, 3, True)])

    def test_offsets_move_to_any_place_and_show_the_change(self):
        self.filled("moved")

        self.assertEqual(self.brook_json("group", "reset-offsets", "mover", "--to", "4", "--topic", "moved:1"),
                         [{"topic": "moved", "partition": 1, "before": None, "offset": 4, "changed": True}])
        self.assertRegex(self.brook("group", "reset-offsets", "mover", "--to", "beginning"), r"(?m)^moved +1 +4 +0 +-4$")
        self.assertEqual(self.offsets("mover"), {("moved", 1): 0})
        self.brook("group", "reset-offsets", "mover", "--to", "99", "--topic", "moved:0,1")
        self.assertEqual(self.offsets("mover"), {("moved", 0): 5, ("moved", 1): 5})
        self.brook("group", "reset-offsets", "mover", "--to", "-1h")
        self.assertEqual(self.offsets("mover"), {("moved", 0): 0, ("moved", 1): 0})

    def dead_letter(self, topic, group, offset, value, *headers):
        """As the broker writes it, of partition 1 of "origin"."""
        said = {"topic": "origin", "partition": 1, "offset": offset, "group": group, "delivery.count": 5, "message": "Offset rejected by client."}
        words = [word for name, text in said.items() for word in ("-H", f"__dlq.errors.{name}={text}")]
        words += [word for header in headers for word in ("-H", header)]
        self.brook("produce", topic, "-p", 0, "-k", "key", *words, input=value + "\n")

    def redriven(self, *words):
        """(origin's partition, records, outcome) of a run."""
        return [(each["partition"], each["records"], each["outcome"]) for each in self.brook_json("group", "redrive", *words)]

    def origin(self):
        return self.brook_json("consume", "origin", "--from", "beginning", "--until", "end")

    def test_dead_letters_go_back_to_their_partition_once(self):
        self.create("origin", "-p", 2)
        self.create("dlq.letters")
        self.dead_letter("dlq.letters", "workers", 7, "first", "trace=1")
        self.dead_letter("dlq.letters", "others", 8, "another group's")
        self.dead_letter("dlq.letters", "workers", 9, "second", "__dlq.redrive.count=2")
        self.dead_letter("dlq.letters", "workers", 10, "often", "__dlq.redrive.count=3")
        self.brook("produce", "dlq.letters", "-p", 0, input="no dead letter\n")

        self.assertEqual(self.redriven("workers", "--topic", "dlq.letters", "--dry-run"), [(1, 1, "sent back too often"), (1, 2, "would be sent back")])
        self.assertEqual(self.origin(), [])
        self.assertEqual(self.redriven("workers", "--topic", "dlq.letters", "--limit", 1), [(1, 1, "sent back")])
        self.assertEqual(self.redriven("workers", "--topic", "dlq.letters"), [(1, 1, "sent back"), (1, 1, "sent back too often")])
        self.assertEqual(self.redriven("workers", "--topic", "dlq.letters"), [])

        self.assertEqual([(each["partition"], each["key"], each["value"], each["headers"]) for each in self.origin()],
                         [(1, "key", "first", [{"key": "trace", "value": "1"}, {"key": "__dlq.redrive.count", "value": "1"}]),
                          (1, "key", "second", [{"key": "__dlq.redrive.count", "value": "3"}])])

    def letters(self, topic, group, *letters):
        """Dead letters, (origin, partition, offset) without a copy or (origin, partition, offset, value)."""
        lines = []
        for origin, partition, offset, *value in letters:
            said = {"topic": origin, "partition": partition, "offset": offset, "group": group}
            headers = [{"key": f"__dlq.errors.{name}", "value": str(text)} for name, text in said.items()]
            lines.append(json.dumps({"partition": 0, "key": None, "value": value[0] if value else None, "headers": headers}) + "\n")
        self.brook("produce", topic, "--from-json", input="".join(lines))

    def values(self, topic):
        return [each["value"] for each in self.brook_json("consume", topic, "--from", "beginning", "--until", "end")]

    def test_a_dead_letter_whose_record_is_gone_holds_nothing_back(self):
        self.filled("bare", partitions=1)
        self.create("dlq.bare")
        self.letters("dlq.bare", "cleaners", ("nowhere", 0, 3), ("bare", 0, 99), ("bare", 7, 0), ("bare", 0, 2))

        self.assertEqual(self.redriven("cleaners", "-t", "dlq.bare"),
                         [(0, 1, "gone from its topic"), (0, 1, "sent back"), (7, 1, "gone from its topic"), (0, 1, "gone from its topic")])

        self.assertEqual(["0", "1", "2", "3", "4", "2"], self.values("bare"))
        self.assertEqual(self.redriven("cleaners", "-t", "dlq.bare"), [])

    def test_a_dead_letter_that_cannot_be_sent_is_named_and_passed_over(self):
        self.create("narrow", "--set", "max.message.bytes=1000")
        self.create("dlq.narrow")
        self.letters("dlq.narrow", "senders", ("narrow", 0, 0, "a"), ("nowhere", 0, 0, "b"), ("narrow", 0, 1, "c" * 2000), ("narrow", 7, 0, "d"), ("narrow", 0, 2, "e"))

        done = self.run_brook("group", "redrive", "senders", "-t", "dlq.narrow", "--json")

        self.assertEqual([(each["topic"], each["partition"], each["records"], each["outcome"]) for each in map(json.loads, done.stdout.splitlines())],
                         [("narrow", 0, 1, "cannot be sent back: too large for its topic"), ("narrow", 0, 2, "sent back"),
                          ("narrow", 7, 1, "cannot be sent back: no such partition"), ("nowhere", 0, 1, "cannot be sent back: no such partition")])
        self.assertEqual((done.returncode, done.stderr.count("cannot be sent back: 3;")), (1, 1), done.stderr)
        self.assertEqual(["a", "e"], self.values("narrow"))
        self.assertEqual(self.redriven("senders", "-t", "dlq.narrow"), [])
        self.assertEqual(["a", "e"], self.values("narrow"))

    def scattered(self, topic, letters, records, group):
        """So many dead letters without a copy, none of a record that follows on the one before."""
        self.filled(topic, partitions=2, records=records)
        self.create(f"dlq.{topic}")
        self.letters(f"dlq.{topic}", group, *((topic, each % 2, records - 1 - each // 2) for each in range(letters)))

    def test_records_are_read_where_they_were_without_waiting(self):
        self.scattered("scattered", letters=20, records=10, group="readers")
        began = time.monotonic()

        self.assertEqual(self.redriven("readers", "-t", "dlq.scattered"), [(0, 10, "sent back"), (1, 10, "sent back")])

        self.assertLess(time.monotonic() - began, 15)  # a long poll for each would take half a minute
        self.assertEqual(40, len(self.values("scattered")))

    def test_a_run_that_is_interrupted_keeps_what_was_sent(self):
        self.scattered("halved", letters=2000, records=1000, group="hasty")
        process = self.start_brook("group", "redrive", "hasty", "-t", "dlq.halved", stdout=subprocess.PIPE)
        self.eventually(lambda: len(self.values("halved")) > 2010)

        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=10)

        sent = len(self.values("halved")) - 2000
        self.assertEqual(130, process.returncode, complaint)
        self.assertIn(f"interrupted; {2000 - sent} records of dlq.halved are left", complaint)
        self.assertEqual({("dlq.halved", 0): sent}, self.offsets("hasty.redrive"))

    def test_a_group_that_no_dead_letter_is_of_gets_no_offsets(self):
        self.create("dlq.spelt")
        self.letters("dlq.spelt", "workers", ("nowhere", 0, 0))

        self.assertEqual("dlq.spelt has no dead letters of wrokers that were not sent back\n", self.brook("group", "redrive", "wrokers", "-t", "dlq.spelt"))

        self.assertNotIn("wrokers.redrive", self.brook("group", "list", "--names").splitlines())
        self.assertIn("GROUP is empty", self.refused("group", "redrive", "", "-t", "dlq.spelt", status=2))

    def test_redrive_says_what_is_missing(self):
        self.assertIn("there is no topic dlq.missing", self.refused("group", "redrive", "nobody", "--topic", "dlq.missing"))
        self.refused("group", "redrive", "nobody", "--limit", "0", status=2)

    def test_a_dry_run_changes_nothing(self):
        self.filled("imagined", partitions=1)
        self.brook("group", "reset-offsets", "dreamer", "--to", "2", "--topic", "imagined")

        self.assertRegex(self.brook("group", "reset-offsets", "dreamer", "--to", "end", "--dry-run"), r"(?m)^TOPIC .*WOULD BE.*\n^imagined +0 +2 +5 +\+3$")
        self.assertEqual(self.offsets("dreamer"), {("imagined", 0): 2})

    def test_offsets_are_kept_in_a_file_and_brought_back(self):
        self.filled("kept")
        self.brook("group", "reset-offsets", "keeper", "--to", "3", "--topic", "kept")
        kept = "".join(json.dumps(each) + "\n" for each in self.described("keeper")["offsets"])
        self.brook("group", "reset-offsets", "keeper", "--to", "end")

        self.brook("group", "reset-offsets", "keeper", "--from-file", "-", input=kept)

        self.assertEqual(self.offsets("keeper"), {("kept", 0): 3, ("kept", 1): 3})
        complaint = self.refused("group", "reset-offsets", "keeper", "--from-file", "-", input=kept + '{"topic":"kept","partition":-1,"offset":0}\n')
        self.assertIn("line 3: ", complaint)
        self.assertIn("names no partitions; nothing was changed", self.refused("group", "reset-offsets", "keeper", "--from-file", "-", input=""))
        self.assertIn("stands here twice", self.refused("group", "reset-offsets", "keeper", "--from-file", "-", input=kept + kept))

    @unittest.skipIf(shutil.which("kcat") is None, "kcat is not there")
    def test_a_group_with_members_is_shown_and_left_alone(self):
        self.filled("lively", partitions=2)
        with self.member("crowd", "lively"):
            self.eventually(lambda: self.run_brook("group", "describe", "crowd").returncode == 0)
            self.eventually(lambda: [len(each["assigned"]) for each in self.described("crowd")["members"]] == [2])

            member = self.described("crowd")["members"][0]
            self.assertEqual(member["assigned"], [{"topic": "lively", "partition": 0}, {"topic": "lively", "partition": 1}])
            self.assertIn("lively:0,1", self.brook("group", "describe", "crowd", "--members"))
            self.assertIn("1 member", self.refused("group", "reset-offsets", "crowd", "--to", "end", "--topic", "lively"))
            self.assertIn("NON_EMPTY_GROUP", self.refused("group", "delete", "crowd"))
        self.eventually(lambda: self.described("crowd")["members"] == [])
        self.assertEqual(self.brook("group", "delete", "crowd"), "deleted group crowd\n")
        self.assertEqual(self.brook("group", "delete", "crowd", "--if-exists"), "there is no group crowd\n")

    def test_what_is_not_there_is_said(self):
        self.assertIn("there is no group nobody", self.refused("group", "describe", "nobody"))
        self.assertIn("GROUP_ID_NOT_FOUND", self.refused("group", "delete", "nobody"))
        self.assertIn("'stabel'", self.refused("group", "list", "--state", "stabel", status=2))
        self.assertIn("'foo'", self.refused("group", "list", "--type", "foo", status=2))
        self.brook("group", "list", "--state", "sTABLE", "--type", "Classic")
        self.assertIn("has no offsets", self.refused("group", "reset-offsets", "nobody", "--to", "end"))
        self.assertIn("there is no topic nowhere", self.refused("group", "reset-offsets", "nobody", "--to", "end", "--topic", "nowhere"))
        self.assertIn("--to PLACE", self.refused("group", "reset-offsets", "nobody", status=2))
        self.assertIn("TOPIC:0,3", self.refused("group", "reset-offsets", "nobody", "--to", "end", "--topic", "a:b", status=2))


class RedriveOfHurtBrokers(AgainstBroker):
    """Each test has a broker of its own, which the class starts behind a proxy."""

    @classmethod
    def make_broker(cls):
        cls.proxy = DeafProxy()
        cls.addClassCleanup(cls.proxy.close)
        broker = settings.broker({"log.segment.bytes": 1 << 20, "advertised.listeners": f"PLAINTEXT://127.0.0.1:{cls.proxy.port}"})
        cls.proxy.broker_port = broker.port
        return broker

    letters = Groups.letters

    def test_a_broker_that_does_not_answer_is_given_up(self):
        self.create("dlq.deaf")
        self.letters("dlq.deaf", "waiters", ("nowhere", 0, 0))
        self.proxy.is_deaf = True
        self.addCleanup(setattr, self.proxy, "is_deaf", False)
        began = time.monotonic()

        complaint = self.refused("group", "redrive", "waiters", "-t", "dlq.deaf", "--dry-run", "--timeout", "2s")

        self.assertIn("dlq.deaf-0 did not answer since offset 0; run it again", complaint)
        self.assertLess(time.monotonic() - began, 20)

    @unittest.skipIf(settings.peer, "Apache Kafka hands the bytes out")
    def test_a_dead_letter_of_a_damaged_record_holds_nothing_back(self):
        self.create("hurt")
        self.create("dlq.hurt")
        with kafka_wire.Connection(self.broker.port) as connection:
            for _ in range(60):  # more than a segment
                self.assertEqual(kafka_wire.NONE, connection.produce("hurt", kafka_wire.batch([b"x" * 1000] * 20))[0])
        self.letters("dlq.hurt", "menders", ("hurt", 0, 39), ("hurt", 0, 45), ("hurt", 0, 100))
        self.broker.stop()
        with open(self.broker.data_dir / "hurt-0" / f"{0:020}.log", "r+b") as file:
            for _ in range(2):  # to the batch of offset 40
                file.seek(struct.unpack(">8xi", file.read(12))[0], 1)
            file.seek(16, 1)
            file.write(b"\x7f")
        self.broker.start()

        done = self.brook_json("group", "redrive", "menders", "-t", "dlq.hurt")

        self.assertEqual([("damaged in its topic", 1), ("sent back", 2)], [(each["outcome"], each["records"]) for each in done])
