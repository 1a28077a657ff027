"""A disk that fills: writes are refused with an error that a client retries, the rest goes on, and writes resume when there is room."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import broker as brokers
from counting_producer import CountingProducer, check_ends
import kafka_wire
from kafka_wire import Connection, batch
import settings

DISK_MIB = 256
FREE_MIB_MIN = 32  # below it Brook refuses writes
RETRIABLE = {kafka_wire.KAFKA_STORAGE_ERROR, 6, 7, 19}  # NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS
RESUME_TIMEOUT_S = 30
LOADED, PARTITIONS, RECORDS_PER_SECOND = "loaded", 3, 1000
EXT4_MIB, EXT4_FREE_MIB_MIN = 64, 8
RESERVE_MIB = 4  # given up it is not room for records
ROUNDS = 3


class Disk(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("Apache Kafka exits when its disk is full")
        if os.geteuid() != 0:
            self.skipTest("only root may mount the small disk that this fills")
        self.directory = tempfile.mkdtemp(prefix="brook-disk-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.mount_point = pathlib.Path(self.directory) / "disk"
        self.mount_point.mkdir()

    def mount(self, *arguments):
        mounted = subprocess.run(["mount", *arguments, self.mount_point], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"the small disk cannot be mounted: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.mount_point], check=True)

    def start_broker(self, free_mib_min, **properties):
        broker = brokers.Brook(settings.brook, {"brook.log.min.free.bytes": free_mib_min << 20, **properties}, data_dir=self.mount_point / "data")
        self.addCleanup(broker.close)
        return broker.start()

    def test_full_disk_refuses_writes_and_recovers(self):
        self.mount("-t", "tmpfs", "-o", f"size={DISK_MIB}m", "brook-faults")
        broker = self.start_broker(FREE_MIB_MIN)
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

        self.free_disk()
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

    def mount_ext4(self):
        if shutil.which("mkfs.ext4") is None:
            self.skipTest("mkfs.ext4 is not there")
        image = pathlib.Path(self.directory) / "image"
        with open(image, "wb") as file:
            file.truncate(EXT4_MIB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
        self.mount("-t", "ext4", "-o", "loop", str(image))

    def test_a_broker_starts_on_a_disk_that_is_full_to_the_last_byte(self):
        self.mount_ext4()
        broker = self.start_broker(EXT4_FREE_MIB_MIN, **{"brook.log.reserve.bytes": RESERVE_MIB << 20})
        with Connection(broker.port) as connection:
            self.assertEqual(kafka_wire.NONE, connection.create_topic("kept")[1])
            connection.wait_for_leader("kept", 1)
            self.assertEqual((kafka_wire.NONE, 0), connection.produce("kept", batch([b"before"]))[:2])
        reserve = self.mount_point / "data" / ".brook_reserve"
        self.wait_until(lambda: reserve.exists() and reserve.stat().st_size > 0, broker, "a reserve")
        for how in (broker.stop, broker.kill):  # after a kill there is something to recover, too
            how()
            self.fill_disk()
            with self.assertRaises(OSError), open(self.mount_point / "one-more", "wb", buffering=0) as file:
                file.write(b"x" * 65536)
            broker.start()
            with Connection(broker.port) as connection:
                self.assertIn(b"before", connection.fetch("kept", 0)[2], "reads are served")
                error, _, message = connection.produce("kept", batch([b"refused"]))
                self.assertIn(error, RETRIABLE, f"error {error}: {message}")
            self.assertIn("event=disk_reserve_released", broker.output())

            self.free_disk()
            (self.mount_point / "one-more").unlink(missing_ok=True)
            with Connection(broker.port) as connection:
                self.wait_until(lambda: connection.produce("kept", batch([b"after"]))[0] == kafka_wire.NONE, broker, "room again")
            self.wait_until(lambda: reserve.exists() and reserve.stat().st_size > 0, broker, "the reserve again")

    def test_ext4_that_fills_and_is_freed_under_load_loses_nothing(self):
        self.mount_ext4()
        broker = self.start_broker(EXT4_FREE_MIB_MIN)
        with Connection(broker.port) as connection:
            # Each append is synced: where ext4 finds no room only as it writes the page, the sync tells.
            configs = {"segment.bytes": 1 << 20, "flush.messages": 1}
            self.assertEqual(kafka_wire.NONE, connection.create_topic(LOADED, PARTITIONS, configs)[1])
            connection.wait_for_leader(LOADED, PARTITIONS)
        producer = CountingProducer(broker.bootstrap, LOADED, PARTITIONS, RECORDS_PER_SECOND)
        self.addCleanup(producer.close)
        acknowledged = [0] * PARTITIONS
        for round_number in range(1, ROUNDS + 1):
            self.assertTrue(producer.wait_for_more_than(acknowledged), f"round {round_number}: {producer.problem}\n{broker.output()[-2000:]}")
            full, has_room = (self.told(broker, event) for event in ("disk_full", "disk_has_room"))
            self.fill_disk()
            self.wait_for_more(broker, "disk_full", full)
            with Connection(broker.port) as connection:
                self.assertTrue(connection.fetch(LOADED, 0)[2], "reads go on")
            self.free_disk()
            self.wait_for_more(broker, "disk_has_room", has_room)
            acknowledged = producer.snapshot()
        self.assertTrue(producer.wait_for_more_than(acknowledged), f"after the last: {producer.problem}\n{broker.output()[-2000:]}")
        producer.finish()
        self.assertIsNone(producer.problem, broker.output()[-2000:])
        for how in (broker.stop, broker.kill):
            how()
            broker.start()
            ends = check_ends(self, broker, LOADED, producer.snapshot(), f"after {how.__name__}")
            self.assertEqual(producer.sent, sum(ends), "each record once")

    @staticmethod
    def told(broker, event):
        return broker.output().count(f"event={event} ")

    def wait_for_more(self, broker, event, before):
        self.wait_until(lambda: self.told(broker, event) > before, broker, event)

    def wait_until(self, holds, broker, what):
        deadline = time.monotonic() + RESUME_TIMEOUT_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"no {what}\n{broker.output()[-2000:]}")
            self.assertTrue(broker.is_running(), broker.output()[-2000:])
            time.sleep(0.05)  # neither a log nor a disk tells that it changes

    def fill_disk(self):
        with open(self.mount_point / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 65536)
            except OSError:
                pass

    def free_disk(self):
        (self.mount_point / "ballast").unlink()
