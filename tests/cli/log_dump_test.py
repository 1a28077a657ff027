"""brook log dump, on the data directory that a broker has written."""

import json
import re
import shutil
import tempfile

import broker as brokers
from command_line import AgainstBroker, run
import settings
import transaction_wire

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class LogDump(AgainstBroker):
    properties = {"log.index.interval.bytes": "100"}

    @classmethod
    def make_broker(cls):
        if settings.peer is None:
            return super().make_broker()
        return brokers.Kafka(cls.properties, directory=tempfile.mkdtemp(prefix="brook-cli-"))  # else its data would go when it stops

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sent = []
        for codec in CODECS:
            records = [{"key": f"{codec}-{i}", "value": None if i == 3 else "x" * 40 * i, "timestamp": 1700000000000 + i, "headers": [{"key": "h", "value": codec}]}
                       for i in range(10)]
            cls.sent += records
            done = run("produce", "dumped", "--from-json", "-z", codec, bootstrap=cls.broker.bootstrap, input="".join(json.dumps(each) + "\n" for each in records))
            assert done.returncode == 0, done.stderr
        cls.partition = cls.broker.data_dir / "dumped-0"
        done = run("group", "reset-offsets", "reader", "--to", "7", "--topic", "dumped", bootstrap=cls.broker.bootstrap)
        assert done.returncode == 0, done.stderr
        producer = transaction_wire.TransactionalProducer(cls.broker.port, "payments")
        producer.close()
        cls.broker.stop()

    def dumped(self, *words, status=0):
        done = run("log", "dump", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def dumped_json(self, *words):
        return [json.loads(line) for line in self.dumped("--json", *words).stdout.splitlines()]

    def test_batches_and_records_agree_with_what_was_sent(self):
        batches = self.dumped_json("--records", self.partition)

        records = [record for batch in batches for record in batch["records"]]
        self.assertEqual([record.pop("offset") for record in records], list(range(50)))
        self.assertEqual(records, self.sent)
        self.assertEqual({batch["codec"] for batch in batches}, set(CODECS))
        self.assertTrue(all(batch["crc_valid"] and not batch["control"] and not batch["transactional"] for batch in batches))
        self.assertTrue(all(batch["producer_id"] is not None and batch["base_sequence"] is not None for batch in batches))
        self.assertEqual(batches[0]["position"], 0)
        for before, after in zip(batches, batches[1:]):
            self.assertEqual(after["position"], before["position"] + before["size"])
            self.assertEqual(after["base_offset"], before["last_offset"] + 1)

    def test_the_table_says_the_same(self):
        text = self.dumped(self.partition / "00000000000000000000.log").stdout
        self.assertRegex(text, r"(?m)^ +POSITION +SIZE +FIRST +LAST +RECORDS +EPOCH +PRODUCER +LAST TIME +CODEC +CRC$")
        self.assertRegex(text, r"(?m)^\d+ batches, 50 records, offsets 0 to 49, ")

    def test_indexes_point_at_batches(self):
        positions = {batch["position"] for batch in self.dumped_json(self.partition)}
        entries = self.dumped_json(self.partition / "00000000000000000000.index")
        self.assertTrue(entries)
        self.assertLessEqual({entry["position"] for entry in entries}, positions)
        times = self.dumped_json(self.partition / "00000000000000000000.timeindex")
        self.assertEqual(times[-1]["timestamp"], 1700000000009)

    def internal(self, topic):
        """The partition of an internal topic that something was written to."""
        found = [path.parent for path in self.broker.data_dir.glob(f"{topic}-*/*.log") if path.stat().st_size > 0]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_committed_offsets_are_decoded(self):
        partition = self.internal("__consumer_offsets")
        commits = [record for batch in self.dumped_json("--records", partition) for record in batch["records"] if record["key"]["name"] == "OffsetCommit"]

        commit, = commits
        self.assertEqual(commit["key"], {"type": 1, "name": "OffsetCommit", "data": {"group": "reader", "topic": "dumped", "partition": 0}})
        self.assertEqual(commit["value"]["data"]["offset"], 7)
        self.assertNotIn("note", commit)
        self.assertRegex(self.dumped("--records", partition).stdout,
                         r'  key OffsetCommit \{"group":"reader","topic":"dumped","partition":0\}  value v\d \{"offset":7,')
        self.assertNotIn("OffsetCommit", self.dumped("--records", "--raw", partition).stdout)

    def test_a_decoder_can_be_chosen(self):
        partition = self.internal("__transaction_state")
        elsewhere = self.broker.directory / "00000000000000000000.log"
        shutil.copy(partition / "00000000000000000000.log", elsewhere)

        records = [record for batch in self.dumped_json("--transaction-log-decoder", elsewhere) for record in batch["records"]]

        self.assertEqual({record["key"]["data"]["transactional_id"] for record in records}, {"payments"})
        self.assertGreaterEqual(records[0]["value"]["data"]["producer_id"], 0)
        self.assertNotIn("name", str(self.dumped_json("--records", elsewhere)[0]["records"][0]["key"]))
        self.assertIn("not decoded", self.dumped("--share-group-state-decoder", elsewhere).stdout)
        self.assertIn("exclude each other", self.dumped("--raw", "--offsets-decoder", elsewhere, status=2).stderr)

    def test_what_lies_beside_the_segment_can_be_read(self):
        snapshots = sorted(self.partition.glob("*.snapshot"))
        self.assertTrue(snapshots, "a clean stop leaves a snapshot")
        self.assertEqual({entry["last_sequence"] for entry in self.dumped_json(snapshots[-1])}, {9})
        self.assertEqual(self.dumped_json(self.partition / "leader-epoch-checkpoint")[0]["start_offset"], 0)
        self.assertIn({"topic": "dumped", "partition": 0, "offset": 50}, self.dumped_json(self.broker.data_dir / "recovery-point-offset-checkpoint"))
        self.assertIn("cluster.id", self.dumped_json(self.broker.data_dir / "meta.properties")[0])
        self.assertEqual(self.dumped_json(self.partition / "partition.metadata")[0]["version"], "0")

    def test_a_torn_tail_is_told_with_its_position(self):
        whole = self.dumped_json(self.partition)
        torn = self.broker.directory / "00000000000000000000.log"
        shutil.copy(self.partition / "00000000000000000000.log", torn)
        with open(torn, "r+b") as file:
            file.truncate(whole[-1]["position"] + 30)

        done = self.dumped(torn, status=1)

        self.assertRegex(done.stderr, rf"at position {whole[-1]['position']}: torn tail: the last 30 bytes")
        self.assertIn(f"{len(whole) - 1} batches", done.stdout)

    def test_a_flipped_bit_is_told_and_the_rest_is_read(self):
        whole = self.dumped_json(self.partition)
        damaged = self.broker.directory / "00000000000000000000.log"
        shutil.copy(self.partition / "00000000000000000000.log", damaged)
        with open(damaged, "r+b") as file:
            file.seek(whole[0]["size"] - 1)
            last = file.read(1)
            file.seek(whole[0]["size"] - 1)
            file.write(bytes([last[0] ^ 1]))

        done = self.dumped(damaged, status=1)

        self.assertEqual(len(re.findall(r"BAD$", done.stdout, re.M)), 1)
        self.assertIn(f"1 of {len(whole)} batches are damaged", done.stderr)

    def test_files_that_are_none_of_a_log(self):
        self.assertIn("No such file", self.dumped(self.partition / "00000000000000000099.log", status=1).stderr)
        self.assertIn("there is no such file", self.dumped(self.broker.data_dir / "absent-0", status=1).stderr)
        self.assertIn("has no segment", self.dumped(self.broker.data_dir, status=1).stderr)
        self.assertIn("is not called as a file of a data directory", self.dumped(__file__, status=1).stderr)
