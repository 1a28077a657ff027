"""brook log verify, on the data directory that a broker has written."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

import broker as brokers
from command_line import AgainstBroker, run
import settings

SEGMENT = "00000000000000000000.log"


def tree_of(directory):
    """Every file below `directory` with its content and time of change."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(directory.rglob("*")) if path.is_file()}


@unittest.skipIf(settings.peer, "it is of a directory, not of a broker")
class LogVerify(AgainstBroker):
    properties = {"log.index.interval.bytes": "100", "log.segment.bytes": "1048576"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for _ in range(3):
            lines = "".join(f"key-{i} {'x' * 2000}\n" for i in range(300))
            done = run("produce", "checked", bootstrap=cls.broker.bootstrap, input=lines)
            assert done.returncode == 0, done.stderr
        cls.locked = run("log", "verify", cls.broker.data_dir)
        cls.broker.stop()

    def setUp(self):
        """Each test has a copy of its own to damage."""
        copy = pathlib.Path(tempfile.mkdtemp(prefix="brook-verify-"))
        self.addCleanup(shutil.rmtree, copy)
        self.data = copy / "data"
        shutil.copytree(self.broker.data_dir, self.data)
        self.partition = self.data / "checked-0"

    def verified(self, *words, status=0):
        before = tree_of(self.data)
        done = run("log", "verify", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(tree_of(self.data), before, "it changed something")
        return done

    def findings(self, *words, status=0):
        lines = [json.loads(line) for line in self.verified("--json", *words, status=status).stdout.splitlines()]
        self.assertEqual(lines[-1]["kind"], "summary")
        return lines[:-1], lines[-1]

    def batches(self, file=None):
        return [json.loads(line) for line in run("log", "dump", "--json", file or self.partition / SEGMENT).stdout.splitlines()]

    def flip(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)
            file.seek(position)
            file.write(bytes([byte[0] ^ 0x20]))

    def crash(self, recovery_point, whole_machine=True):
        """As if machine or broker had ended when only this much was known to be on the disk."""
        (self.data / ".kafka_cleanshutdown").unlink()
        if whole_machine:
            (self.data / ".brook_page_cache").unlink()
        (self.data / "recovery-point-offset-checkpoint").write_text(f"0\n1\nchecked 0 {recovery_point}\n")

    def test_a_sound_directory(self):
        self.assertRegex(self.verified(self.data).stdout, r"^1 partition, \d+ segments, \d+ batches, \d+ bytes: sound\n$")
        found, summary = self.findings(self.partition)
        self.assertEqual(found, [])
        self.assertEqual((summary["partitions"], summary["flaws"], summary["notes"]), (1, 0, 0))
        self.assertEqual(summary["bytes"], sum(path.stat().st_size for path in self.partition.glob("*.log")))
        self.assertGreater(summary["segments"], 1)

    def test_a_flipped_byte_is_told_with_its_batch(self):
        batch = self.batches()[1]
        self.flip(self.partition / SEGMENT, batch["position"] + batch["size"] // 2)

        (flaw,), summary = self.findings(self.data, status=1)

        self.assertEqual((flaw["kind"], flaw["file"], flaw["position"]), ("flaw", str(self.partition / SEGMENT), batch["position"]))
        self.assertEqual((flaw["first_offset"], flaw["last_offset"]), (batch["base_offset"], batch["last_offset"]))
        self.assertIn("CRC-32C", flaw["reason"])
        self.assertIn("CORRUPT_MESSAGE", flaw["at_start"])
        self.assertEqual(summary["flaws"], 1)
        self.assertIn(f"FLAW  {self.partition / SEGMENT} at position {batch['position']}\n", self.verified(self.data, status=1).stdout)

    def test_a_torn_tail_is_a_note_after_a_crash_and_a_flaw_after_a_clean_stop(self):
        last = sorted(self.partition.glob("*.log"))[-1]
        os.truncate(last, last.stat().st_size - 7)
        found, _ = self.findings(self.partition, status=1)
        self.assertIn("torn tail", found[0]["reason"])

        self.crash(0)
        found, summary = self.findings(self.partition)

        self.assertEqual({each["kind"] for each in found}, {"note"})
        self.assertIn("torn tail", found[0]["reason"])
        self.assertIn("the log is cut at position", found[0]["at_start"])
        self.assertEqual(summary["flaws"], 0)

    def test_the_start_does_what_was_said(self):
        batch = self.batches()[1]
        self.flip(self.partition / SEGMENT, batch["position"] + batch["size"] // 2)
        self.crash(0)
        found, _ = self.findings(self.partition, status=1)
        self.assertIn(f"the log is cut at position {batch['position']}", found[0]["at_start"])
        behind = (self.partition / SEGMENT).read_bytes()[batch["position"]:]

        with brokers.Brook(settings.brook, self.properties, data_dir=self.data) as broker:
            broker.stop()

        self.assertEqual((self.partition / SEGMENT).stat().st_size, batch["position"])
        kept = sorted(self.partition.glob("*.cut"))
        self.assertEqual(kept[0].name, f"{SEGMENT.removesuffix('.log')}.{batch['position']}.log.cut")
        self.assertEqual(kept[0].read_bytes(), behind)
        self.assertEqual([(each["kind"], each["file"]) for each in self.findings(self.partition)[0]], [("note", str(each)) for each in kept])
        dumped = self.batches(kept[0])
        self.assertEqual([each["base_offset"] for each in dumped][:2], [batch["base_offset"], batch["last_offset"] + 1])

    def test_what_was_written_down_is_not_read_again_where_the_broker_alone_ended(self):
        batch = self.batches()[1]
        self.flip(self.partition / SEGMENT, batch["position"] + batch["size"] // 2)
        size = (self.partition / SEGMENT).stat().st_size
        self.crash(0, whole_machine=False)
        found, _ = self.findings(self.partition, status=1)
        self.assertIn("it does not look there", found[0]["at_start"])

        with brokers.Brook(settings.brook, self.properties, data_dir=self.data) as broker:
            broker.stop()

        self.assertEqual((self.partition / SEGMENT).stat().st_size, size)

    def test_a_missing_index_is_built_anew(self):
        index = self.partition / SEGMENT.replace(".log", ".index")
        index.unlink()

        found, _ = self.findings(self.data)

        self.assertEqual([(each["kind"], each["file"], each["reason"]) for each in found], [("note", str(index), "it is missing")])

    def test_a_directory_that_a_broker_holds_is_left_alone(self):
        self.assertEqual(self.locked.returncode, 2, self.locked.stdout)
        self.assertIn("cannot lock", self.locked.stderr)
        self.assertIn("is checked while it is stopped", self.locked.stderr)
        self.assertEqual(self.locked.stdout, "")

    def test_what_is_no_data_directory(self):
        self.assertIn("Not a directory", self.verified(__file__, status=2).stderr)
        self.assertIn("No such file", self.verified(self.data / "absent", status=2).stderr)
        empty = self.data.parent / "empty"
        empty.mkdir()
        self.assertIn("is neither a log directory", self.verified(empty, status=2).stderr)
        self.assertIn("DIR is missing", self.verified(status=2).stderr)
