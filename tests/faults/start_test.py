"""A broker that cannot start says why in one line and ends with a status that is not 0; one that is asked to stop ends with 0."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import broker as brokers
import kafka_wire
from kafka_wire import Connection, batch
import settings


class Start(unittest.TestCase):
    def setUp(self):
        if settings.peer:
            self.skipTest("what Brook says is Brook's")
        self.broker = brokers.Brook(settings.brook)
        self.addCleanup(self.broker.close)

    def assert_refuses_to_start(self, *words, **replaced):
        status, output = self.broker.run_to_end(**replaced)
        self.assertGreater(status, 0, f"status {status}: {output}")
        self.assertTrue(output.strip(), "it says nothing")
        last = output.strip().splitlines()[-1]
        for word in words:
            self.assertIn(word, last, output)
        self.assertNotIn("terminate called", output)

    def test_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assert_refuses_to_start(str(port), listeners=f"PLAINTEXT://127.0.0.1:{port}")

    def test_directory_locked(self):
        self.broker.start()
        second = brokers.Brook(settings.brook, data_dir=self.broker.data_dir)
        self.addCleanup(second.close)
        status, output = second.run_to_end()
        self.assertGreater(status, 0, output)
        self.assertIn(str(self.broker.data_dir), output.strip().splitlines()[-1])
        self.assertTrue(self.broker.is_running())

    def test_data_directory_that_cannot_be_made(self):
        path = self.broker.directory / "a-file"
        path.write_text("not a folder")
        self.assert_refuses_to_start(str(path), log_dirs=str(path / "data"))

    def test_disk_that_cannot_be_written(self):
        folder = tempfile.mkdtemp(prefix="brook-read-only-")
        self.addCleanup(os.rmdir, folder)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "brook-faults", folder], capture_output=True).returncode != 0:
            self.skipTest("only root may mount the read-only disk")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        self.assert_refuses_to_start(folder, log_dirs=folder)

    def test_data_of_another_cluster(self):
        self.broker.start()
        self.assertEqual(0, self.broker.stop())
        path = self.broker.data_dir / "meta.properties"
        lines = ["cluster.id=MkU3OEVBNTcwNTJENDM2Qg" if line.startswith("cluster.id=") else line for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")
        self.assert_refuses_to_start("MkU3OEVBNTcwNTJENDM2Qg")

    def test_bad_value(self):
        for key, value in [("log.segment.bytes", "banana"), ("num.partitions", "0"), ("log.cleanup.policy", "shred"),
                           ("listeners", "PLAINTEXT//nowhere")]:
            with self.subTest(key):
                self.assert_refuses_to_start(key, "server.properties:", **{key.replace(".", "_"): value})

    def test_config_file_that_is_not_there(self):
        result = subprocess.run([settings.brook, "start", "--config", str(self.broker.directory / "absent.properties")], capture_output=True,
                                text=True, timeout=30)
        self.assertGreater(result.returncode, 0)
        self.assertIn("absent.properties", result.stdout + result.stderr)

    def test_unknown_key_is_a_warning_that_names_the_nearest(self):
        self.broker.properties["log.segment.byte"] = "1048576"
        self.broker.start()
        line = next((each for each in self.broker.output().splitlines() if "log.segment.byte" in each), "")
        self.assertRegex(line, r"log\.segment\.byte\b.*log\.segment\.bytes")

    def test_a_deleted_topic_stays_gone_over_a_restart_and_its_files_go(self):
        self.broker.start()
        with Connection(self.broker.port) as connection:
            connection.create_topic("gone")
            connection.wait_for_leader("gone", 1)
            connection.produce("gone", batch([b"value"]))
            connection.delete_topic("gone")
        self.assertEqual(0, self.broker.stop(), self.broker.output()[-2000:])
        self.assertTrue(list(self.broker.data_dir.glob("gone-0.*-delete")), "its files went before file.delete.delay.ms")

        self.broker.start()

        deadline = time.monotonic() + 20
        while list(self.broker.data_dir.glob("gone-*")):
            self.assertLess(time.monotonic(), deadline, "its files are still there")
        started = [line for line in self.broker.output().splitlines() if "event=broker_started" in line]
        self.assertIn("topics=0", started[-1])
        self.assertEqual(0, self.broker.stop())

    def test_partitions_that_the_cluster_does_not_have_are_set_aside(self):
        self.broker.start()
        with Connection(self.broker.port) as connection:
            connection.create_topic("kept")
            connection.wait_for_leader("kept", 1)
            connection.produce("kept", batch([b"value"]))
        self.assertEqual(0, self.broker.stop())
        data = self.broker.data_dir
        shutil.copytree(data / "kept-0", data / "ghost-0")
        shutil.copytree(data / "kept-0", data / "kept-1")

        self.broker.start()

        for name in ("ghost-0", "kept-1"):
            strays = list(data.glob(f"{name}.*-stray"))
            self.assertEqual([1, False], [len(strays), (data / name).exists()], self.broker.output()[-2000:])
            self.assertIn(strays[0].name, self.broker.output())
        with Connection(self.broker.port) as connection:
            self.assertIn(b"value", connection.fetch("kept", 0)[2])
            connection.create_topic("ghost")
            connection.wait_for_leader("ghost", 1)
            self.assertEqual(0, connection.fetch("ghost", 0, max_wait_ms=0)[1], "the new topic begins with the old one's records")
        self.assertEqual(0, self.broker.stop())
        self.broker.start()
        self.assertTrue(list(data.glob("ghost-0.*-stray")), "a start removed what was set aside")
        self.assertEqual(0, self.broker.stop())

    def test_a_partition_whose_topic_cannot_be_read_stays_closed_alone(self):
        self.broker.start()
        with Connection(self.broker.port) as connection:
            connection.create_topic("two", partitions=2)
            connection.wait_for_leader("two", 2)
            for partition in (0, 1):
                connection.produce("two", batch([b"value-%d" % partition]), partition=partition)
        self.assertEqual(0, self.broker.stop())
        hurt = self.broker.data_dir / "two-0" / "partition.metadata"
        hurt.write_bytes(b"\xff" * hurt.stat().st_size)

        self.broker.start()

        self.assertIn(str(hurt), self.broker.output(), "the log does not name the file")
        with Connection(self.broker.port) as connection:
            self.assertIn(b"value-1", connection.fetch("two", 0, partition=1)[2])
            self.assertNotEqual(kafka_wire.NONE, connection.fetch("two", 0, max_wait_ms=0)[0])
        self.assertEqual(0, self.broker.stop())
        hurt.unlink()  # what the log says to do
        self.broker.start()
        with Connection(self.broker.port) as connection:
            self.assertIn(b"value-0", connection.fetch("two", 0)[2])
        self.assertEqual(0, self.broker.stop())

    def test_sigterm_stops_cleanly_and_keeps_everything(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how.name):
                self.broker.start()
                with Connection(self.broker.port) as connection:
                    connection.create_topic("kept")
                    connection.wait_for_leader("kept", 1)
                    connection.produce("kept", batch([how.name.encode()]))
                    # a long poll and an idle connection do not hold it up
                    connection.send_fetch("kept", connection.fetch("kept", 0)[1], max_wait_ms=25_000)
                    process = self.broker.process
                    process.send_signal(how)
                    self.assertEqual(0, process.wait(10), self.broker.output()[-2000:])
                self.broker.start()
                with Connection(self.broker.port) as connection:
                    self.assertIn(how.name.encode(), connection.fetch("kept", 0)[2])
                self.assertEqual(0, self.broker.stop())
                self.assertTrue((self.broker.data_dir / ".kafka_cleanshutdown").exists())
