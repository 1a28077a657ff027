"""brook produce and brook consume."""

import base64
import json
import shutil
import signal
import subprocess
import unittest

from command_line import AgainstBroker

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class Records(AgainstBroker):
    properties = {"num.partitions": "1"}

    def consumed(self, topic, *words):
        return self.brook_json("consume", topic, "--from", "beginning", "--until", "end", *words)

    def test_keys_headers_and_values_survive_in_every_codec(self):
        lines = [f"key-{i % 7}:value {i} " + "x" * (i % 50) for i in range(2000)]
        for codec in CODECS:
            with self.subTest(codec):
                topic = f"codec-{codec}"
                self.create(topic)
                self.assertEqual(self.brook("produce", topic, "-K", ":", "-z", codec, "-H", "source=test", "-H", "n=1", input="\n".join(lines) + "\n"), "")
                written = self.brook("consume", topic, "--from", "beginning", "--until", "end", "--format", "%o %p %h %k:%v\\n")
                self.assertEqual(written.splitlines(), [f"{i} 0 source=test,n=1 {line}" for i, line in enumerate(lines)])

    def test_json_goes_both_ways(self):
        self.create("json", "-p", 2)
        sent = [
            {"partition": 1, "timestamp": 1700000000123, "key": "k", "value": "v\n\u20ac", "headers": [{"key": "h", "value": "1"}, {"key": "h", "value": None}]},
            {"partition": 1, "timestamp": 1700000000124, "key": None, "value": {"base64": base64.b64encode(b"\x00\xff").decode()}, "headers": []},
            {"partition": 1, "timestamp": 1700000000125, "key": "tombstone", "value": None, "headers": []},
        ]
        self.brook("produce", "json", "--from-json", input="".join(json.dumps(each) + "\n" for each in sent))

        first = self.consumed("json")

        self.assertEqual(first, [{"topic": "json", "offset": i, "timestamp_type": "CreateTime", **each} for i, each in enumerate(sent)])
        self.create("json-copy", "-p", 2)
        self.brook("produce", "json-copy", "--from-json", input="".join(json.dumps(each) + "\n" for each in first))
        self.assertEqual(self.consumed("json-copy"), [{**each, "topic": "json-copy"} for each in first])

    def test_what_was_delivered_is_told_as_json(self):
        self.create("told", "-p", 3)

        report = self.brook_json("produce", "told", "--partition", 2, "--acks", "1", input="a\nbc\n")[0]

        self.assertEqual((report["topic"], report["records"], report["bytes"]), ("told", 2, 3))
        self.assertEqual(report["partitions"], [{"partition": 2, "records": 2, "first_offset": 0, "last_offset": 1}])

    def test_equal_keys_meet_in_one_partition(self):
        self.create("keyed", "-p", 5)
        self.brook("produce", "keyed", "-K", "=", input="".join(f"k{i % 20}={i}\n" for i in range(200)))
        partitions = {}
        for record in self.consumed("keyed"):
            partitions.setdefault(record["key"], set()).add(record["partition"])
        self.assertEqual(len(partitions), 20)
        self.assertTrue(all(len(each) == 1 for each in partitions.values()), partitions)
        self.assertGreater(len(set.union(*partitions.values())), 1)

    def test_files_are_read_line_by_line_and_the_last_line_may_lack_its_end(self):
        self.create("files")
        first, second = self.broker.directory / "first.txt", self.broker.directory / "second.txt"
        first.write_text("a\n\nb")
        second.write_text("c\n")
        self.brook("produce", "files", first, "-", second, input="typed\n")
        with open(first) as file:
            self.brook("produce", "files", stdin=file)
        self.assertEqual([each["value"] for each in self.consumed("files")], ["a", "", "b", "typed", "c", "a", "", "b"])

    def test_places_in_a_topic(self):
        self.create("places")
        self.brook("produce", "places", "--from-json", input="".join(json.dumps({"value": str(i), "timestamp": 1700000000000 + i * 1000}) + "\n" for i in range(10)))

        def read(*words):
            return "".join(self.brook("consume", "places", *words, "--format", "%v").splitlines())

        self.assertEqual(read("--from", "beginning", "--until", "end"), "0123456789")
        self.assertEqual(read("--from", "7", "--until", "end"), "789")
        self.assertEqual(read("--from", "-2", "--until", "end"), "89")
        self.assertEqual(read("--from", "-99", "--until", "3"), "012")
        self.assertEqual(read("--from", "beginning", "--count", "4"), "0123")
        self.assertEqual(read("--from", "@1700000004000", "--until", "2023-11-14T22:13:27Z"), "456")
        self.assertEqual(read("--from", "end", "--until", "end"), "")
        self.assertEqual(read("--from", "-1h", "--until", "end"), "")
        self.assertIn("offset 11 is not in partition 0, which has 0 up to 10", self.refused("consume", "places", "--from", "11"))
        self.assertIn("topic places has partitions 0 to 0, and no 4", self.refused("consume", "places", "-p", 4))

    def test_it_follows_until_ctrl_c(self):
        self.create("followed")
        process = self.start_brook("consume", "followed", "--from", "beginning", stdout=subprocess.PIPE)
        for value in ("one", "two"):
            self.brook("produce", "followed", input=value + "\n")
            self.assertEqual(process.stdout.readline(), value + "\n")

        process.send_signal(signal.SIGINT)

        rest, complaint = process.communicate(timeout=20)
        self.assertEqual((process.returncode, rest, complaint), (0, "", ""))

    def test_a_closed_pipe_ends_it_quietly(self):
        self.create("piped")
        self.brook("produce", "piped", input="x" * 1000 + "\n" + "y\n" * 50000)
        process = self.start_brook("consume", "piped", "--from", "beginning", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "x" * 1000 + "\n")
        process.stdout.close()
        self.assertEqual((process.wait(20), process.stderr.read()), (0, ""))

    def test_what_was_typed_is_sent_at_once_and_kept_over_ctrl_c(self):
        self.create("typed")
        process = self.start_brook("produce", "typed", stdin=subprocess.PIPE)
        process.stdin.write("before\n")
        process.stdin.flush()
        self.eventually(lambda: [each["value"] for each in self.consumed("typed")] == ["before"])

        process.send_signal(signal.SIGINT)

        self.assertEqual(process.wait(20), 130)
        self.assertEqual([each["value"] for each in self.consumed("typed")], ["before"])

    def test_it_stops_at_a_line_that_cannot_be_read_and_says_which(self):
        self.create("stops")
        complaint = self.refused("produce", "stops", "--from-json", input='{"value":"good"}\n{"vlaue":"bad"}\n{"value":"never sent"}\n')
        self.assertIn('line 2: "vlaue" is not known', complaint)
        self.assertIn("(1 of 1 records were delivered)", complaint)
        self.assertEqual([each["value"] for each in self.consumed("stops")], ["good"])

    def test_a_record_that_the_broker_refuses_is_named(self):
        self.create("small", "--set", "max.message.bytes=1000")
        self.brook("produce", "small", input="fits\n")
        complaint = self.refused("produce", "small", input="x" * 5000 + "\n")
        self.assertIn("line 1: ", complaint)
        self.assertIn("MESSAGE_TOO_LARGE", complaint)

    def test_topics_and_partitions_that_are_not_there(self):
        self.assertIn("there is no topic nowhere", self.refused("consume", "nowhere", "--until", "end"))
        self.create("narrow")
        self.assertIn("line 1: ", self.refused("produce", "narrow", "-p", 7, "--timeout", "3s", input="x\n"))
        self.refused("produce", "never-made", "--no-create", "--timeout", "2s", input="x\n")
        self.assertNotIn("never-made", self.brook("topic", "list", "--names").splitlines())

    @unittest.skipIf(shutil.which("kcat") is None, "kcat is not there")
    def test_kcat_reads_what_it_wrote_and_the_other_way_round(self):
        lines = [f"k{i}|value {i}" for i in range(500)]
        for codec in CODECS:
            with self.subTest(codec):
                topic = f"kcat-{codec}"
                self.create(topic)
                self.brook("produce", topic, "-K", "|", "-z", codec, "-H", "by=brook", input="\n".join(lines) + "\n")
                read = subprocess.run(["kcat", "-b", self.broker.bootstrap, "-C", "-t", topic, "-e", "-q", "-f", "%h %k|%s\n"], capture_output=True, text=True, timeout=60)
                self.assertEqual(read.stdout.splitlines(), [f"by=brook {line}" for line in lines], read.stderr)
                subprocess.run(["kcat", "-b", self.broker.bootstrap, "-P", "-t", topic, "-K", "|", "-z", codec, "-H", "by=kcat"], input="\n".join(lines) + "\n",
                               text=True, check=True, timeout=60)
                written = self.brook("consume", topic, "--from", "500", "--until", "end", "--format", "%h %k|%v\\n")
                self.assertEqual(written.splitlines(), [f"by=kcat {line}" for line in lines])
