"""brook topic and brook config."""

from command_line import AgainstBroker


class Topics(AgainstBroker):
    def described(self, topic):
        return self.brook_json("topic", "describe", topic)[0]

    def test_a_created_topic_is_listed_and_described(self):
        written = self.brook("topic", "create", "made", "-p", "3", "--set", "retention.ms=86400000")
        self.assertEqual(written, "created topic made: 3 partitions, 1 replica\n")
        self.eventually(lambda: self.run_brook("topic", "describe", "made").returncode == 0)

        described = self.described("made")
        self.assertEqual([each["partition"] for each in described["partitions"]], [0, 1, 2])
        self.assertEqual({(each["first_offset"], each["end_offset"], each["size_bytes"]) for each in described["partitions"]}, {(0, 0, 0)})
        self.assertEqual(described["settings"]["retention.ms"], "86400000")
        listed = {each["topic"]: each for each in self.brook_json("topic", "list")}
        self.assertEqual((listed["made"]["partitions"], listed["made"]["replicas"], listed["made"]["id"]), (3, 1, described["id"]))
        self.assertIn("made", self.brook("topic", "list", "--names").splitlines())
        self.assertRegex(self.brook("topic", "list"), r"(?m)^TOPIC +PARTITIONS +REPLICAS\n(.*\n)*made +3 +1$")
        table = self.brook("topic", "describe", "made")
        self.assertRegex(table, r"(?m)^ +PARTITION +LEADER +REPLICAS +IN SYNC +FIRST +END +SIZE$")
        self.assertRegex(table, r"(?m)^  retention\.ms +86400000 +DYNAMIC_TOPIC_CONFIG$")

    def test_offsets_and_sizes_grow_with_what_is_written(self):
        self.create("grown")
        self.brook("produce", "grown", input="one\ntwo\n")

        partition = self.described("grown")["partitions"][0]

        self.assertEqual((partition["first_offset"], partition["end_offset"]), (0, 2))
        self.assertGreater(partition["size_bytes"], 60)

    def test_alter_adds_partitions_and_changes_settings(self):
        self.create("altered", "--set", "segment.bytes=2097152")

        self.assertEqual(self.brook("topic", "alter", "altered", "-p", 4, "--set", "retention.ms=1000", "--unset", "segment.bytes"), "changed topic altered\n")

        self.eventually(lambda: len(self.described("altered")["partitions"]) == 4)
        self.eventually(lambda: self.described("altered")["settings"].get("retention.ms") == "1000")
        self.assertNotEqual(self.described("altered")["settings"].get("segment.bytes"), "2097152")
        self.assertIn("INVALID_PARTITIONS", self.refused("topic", "alter", "altered", "-p", 2))
        self.assertIn("INVALID_CONFIG", self.refused("topic", "alter", "altered", "--set", "no.such.setting=1"))
        self.assertIn("say what to change", self.refused("topic", "alter", "altered", status=2))

    def test_several_topics_are_deleted_at_once(self):
        self.create("gone-a")
        self.create("gone-b")

        complaint = self.refused("topic", "delete", "gone-a", "not-there", "gone-b")

        self.assertIn("not-there: ", complaint)
        self.assertIn("UNKNOWN_TOPIC_OR_PARTITION", complaint)
        self.eventually(lambda: not {"gone-a", "gone-b"} & set(self.brook("topic", "list", "--names").splitlines()))
        self.assertEqual(self.brook("topic", "delete", "--if-exists", "gone-a"), "there is no topic gone-a\n")
        self.assertIn("there is no topic gone-a", self.refused("topic", "describe", "gone-a"))

    def test_creating_again_fails_unless_it_is_allowed(self):
        self.create("twice")
        self.assertIn("TOPIC_ALREADY_EXISTS", self.refused("topic", "create", "twice"))
        self.assertEqual(self.brook_json("topic", "create", "twice", "--if-not-exists"), [{"topic": "twice", "created": False}])

    def test_a_dry_run_changes_nothing(self):
        self.assertEqual(self.brook_json("topic", "create", "imagined", "--dry-run")[0]["created"], False)
        self.assertIn("INVALID_REPLICATION_FACTOR", self.refused("topic", "create", "imagined", "-r", 9, "--dry-run"))
        self.assertNotIn("imagined", self.brook("topic", "list", "--names").splitlines())

    def test_settings_of_a_topic_are_described_and_altered(self):
        self.create("tuned")
        self.brook("config", "alter", "topic", "tuned", "--set", "retention.ms=5000", "--append", "cleanup.policy=compact")

        def settings():
            return {each["key"]: each for each in self.brook_json("config", "describe", "topic", "tuned")}

        self.eventually(lambda: "cleanup.policy" in settings())
        self.assertEqual((settings()["retention.ms"]["value"], settings()["retention.ms"]["source"]), ("5000", "DYNAMIC_TOPIC_CONFIG"))
        self.assertEqual(settings()["cleanup.policy"]["value"], "delete,compact")
        self.assertIn("compression.type", {each["key"] for each in self.brook_json("config", "describe", "topic", "tuned", "--all")})
        self.assertEqual(["min.insync.replicas"], [each["key"] for each in self.brook_json("config", "describe", "topic", "tuned", "-k", "min.insync.replicas")])
        self.assertRegex(self.brook("config", "describe", "topic", "tuned", "-k", "retention.ms", "--docs"), r"^retention\.ms = 5000  \(DYNAMIC_TOPIC_CONFIG\)\n    \S")
        self.brook("config", "alter", "topic", "tuned", "--unset", "retention.ms", "--subtract", "cleanup.policy=compact")
        self.eventually(lambda: "retention.ms" not in settings())

    def test_settings_of_brokers(self):
        broker = next(each["name"] for each in self.brook_json("config", "list") if each["type"] == "broker" and each["name"])
        self.brook("config", "alter", "broker", "--set", "log.retention.ms=123456789")
        self.eventually(lambda: "123456789" in self.brook("config", "describe", "broker"))
        self.brook("config", "alter", "broker", broker, "--set", "log.retention.ms=987654321")
        self.eventually(lambda: "987654321" in self.brook("config", "describe", "broker", broker, "-k", "log.retention.ms"))
        self.assertIn("which topic?", self.refused("config", "describe", "topic", status=2))
        self.assertIn("a number, not 'x'", self.refused("config", "describe", "broker", "x", status=2))
