"""A disk that fills: writes are refused with an error that a client retries, the rest goes on, and writes resume when there is room."""

import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import broker as brokers
import kafka_wire
from kafka_wire import Connection, batch
import settings

DISK_MIB = 256
FREE_MIB_MIN = 32  # below it Brook refuses writes
RETRIABLE = {kafka_wire.KAFKA_STORAGE_ERROR, 6, 7, 19}  # NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS
RESUME_TIMEOUT_S = 30


class Disk(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("Apache Kafka exits when its disk is full")
        self.mount_point = tempfile.mkdtemp(prefix="brook-disk-")
        self.addCleanup(os.rmdir, self.mount_point)
        mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "brook-faults", self.mount_point],
                                                       capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("only root may mount the small disk that this fills")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.mount_point], check=True)

    def test_full_disk_refuses_writes_and_recovers(self):
        broker = brokers.Brook(settings.brook, {"brook.log.min.free.bytes": FREE_MIB_MIN << 20}, data_dir=f"{self.mount_point}/data")
        self.addCleanup(broker.close)
        broker.start()
        connection = self.enterContext(Connection(broker.port))
        self.assertEqual(kafka_wire.NONE, connection.create_topic("full")[1])
        connection.wait_for_leader("full", 1)
        self.assertEqual(kafka_wire.NONE, connection.create_topic("other")[1])
        self.assertEqual((kafka_wire.NONE, 0), connection.produce("full", batch([b"first"]))[:2])

        self.fill_disk()
        records = batch([b"x" * 100_000])
        end = 1
        for _ in range(100):  # what the kernel still finds room for may succeed
            error, offset, message = connection.produce("full", records)
            if error != kafka_wire.NONE:
                break
            end = offset + 1
        self.assertIn(error, RETRIABLE, f"error {error}: {message}")
        self.assertIn("full", message or "", "the message names the topic, or says that the disk is full")

        self.assertIn(b"first", connection.fetch("full", 0)[2], "reads go on")
        self.assertTrue(broker.is_running(), broker.output()[-3000:])
        self.assertEqual(kafka_wire.NONE, connection.delete_topic("other"), "deletes go on")

        (pathlib.Path(self.mount_point) / "ballast").unlink()
        deadline = time.monotonic() + RESUME_TIMEOUT_S
        while (answer := connection.produce("full", batch([b"room again"])))[0] != kafka_wire.NONE and time.monotonic() < deadline:
            self.assertIn(answer[0], RETRIABLE)
            time.sleep(0.1)  # as a client backs off
        self.assertEqual((kafka_wire.NONE, end), answer[:2], "writes resume by themselves, without a gap")
        self.assertIn(b"room again", connection.fetch("full", end)[2])

        self.assertEqual(0, broker.stop())
        broker.start()
        with Connection(broker.port) as again:
            self.assertEqual(end + 1, again.fetch("full", 0)[1])

    def fill_disk(self):
        with open(f"{self.mount_point}/ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 65536)
            except OSError:
                pass
