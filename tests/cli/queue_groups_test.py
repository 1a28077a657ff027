"""brook share."""

import share_wire
from command_line import AgainstBroker

ACCEPT = 1


class ShareGroups(AgainstBroker):
    def filled(self, topic, partitions=2, records=5):
        """A topic with that many records in each partition."""
        self.create(topic, "-p", partitions)
        for partition in range(partitions):
            self.brook("produce", topic, "--partition", partition, input="".join(f"{i}\n" for i in range(records)))

    def described(self, group):
        return self.brook_json("share", "describe", group)[0]

    def starts(self, group):
        return {each["partition"]: (each["offset"], each["lag"]) for each in self.described(group)["offsets"]}

    def test_offsets_move_to_any_place_and_show_the_change(self):
        self.filled("moved")

        self.assertEqual(self.brook_json("share", "reset-offsets", "mover", "--to", "2", "--topic", "moved:1"),
                         [{"topic": "moved", "partition": 1, "before": None, "offset": 2, "changed": True}])

        self.assertEqual({1: (2, 3)}, self.starts("mover"))
        self.assertRegex(self.brook("share", "reset-offsets", "mover", "--to", "end", "--dry-run"), r"(?m)^moved +1 +2 +5 +\+3$")
        self.assertEqual({1: (2, 3)}, self.starts("mover"))
        self.brook("share", "reset-offsets", "mover", "--to", "-1h", "--topic", "moved")
        self.assertEqual({0: (0, 5), 1: (0, 5)}, self.starts("mover"))
        self.assertRegex(self.brook("share", "describe", "mover"), r"(?m)^  moved +1 +0 +5 +5 +\d+m?s$")

    def test_a_group_with_members_is_shown_and_left_alone(self):
        self.filled("lively")
        self.brook("share", "reset-offsets", "crowd", "--to", "beginning", "--topic", "lively")
        member = share_wire.ShareMember(self.broker.port, "crowd", "lively", "AAAAAAAAAAAAAAAAAAAAAQ")
        self.addCleanup(member.close)
        member.join()

        self.assertIn("crowd", self.brook("share", "list", "--names").splitlines())
        self.assertIn({"group": "crowd", "state": "Stable", "type": "share"},
                      [{name: each[name].lower() if name == "type" else each[name] for name in ("group", "state", "type")} for each in self.brook_json("share", "list")])
        self.assertEqual([[{"topic": "lively", "partition": 0}, {"topic": "lively", "partition": 1}]],
                         [each["assigned"] for each in self.described("crowd")["members"]])
        self.assertIn("lively:0,1", self.brook("share", "describe", "crowd", "--members"))
        self.assertIn("1 member", self.refused("share", "reset-offsets", "crowd", "--to", "end"))
        self.assertIn("NON_EMPTY_GROUP", self.refused("share", "delete", "crowd"))
        self.assertIn("NON_EMPTY_GROUP", self.refused("share", "delete-offsets", "crowd", "lively"))

        given = {}
        while len(given) < 10:
            given |= member.fetch()
        member.acknowledge({place: ACCEPT for place in given})
        # A broker may write down that records are done with before it moves the start.
        self.eventually(lambda: [(each["lag"], each["lag_seconds"]) for each in self.described("crowd")["offsets"]] == [(0, 0), (0, 0)])
        member.leave()
        self.eventually(lambda: self.described("crowd")["members"] == [])
        self.assertEqual("crowd knows nothing of lively any more\n", self.brook("share", "delete-offsets", "crowd", "lively"))
        self.assertEqual({}, self.starts("crowd"))
        self.assertEqual("deleted group crowd\n", self.brook("share", "delete", "crowd"))
        self.assertNotIn("crowd", self.brook("share", "list", "--names").splitlines())

    def test_only_share_groups_are_meant(self):
        self.filled("other", partitions=1)
        self.brook("group", "reset-offsets", "consumers", "--to", "1", "--topic", "other")

        self.assertIn("consumers is a classic group: `brook group describe consumers`", self.refused("share", "describe", "consumers"))
        for words in (("--dry-run",), ()):
            self.assertIn("consumers is a classic group: `brook group reset-offsets consumers`",
                          self.refused("share", "reset-offsets", "consumers", "--to", "end", "--topic", "other", *words))
        self.assertIn("there is no share group consumers", self.refused("share", "delete", "consumers"))
        self.assertIn("there is no share group nobody", self.refused("share", "delete", "nobody"))
        self.assertEqual("", self.brook("share", "delete", "nobody", "--if-exists"))
        self.assertIn("consumers", self.brook("group", "list", "--names").splitlines())
        self.assertNotIn("consumers", self.brook("share", "list", "--names").splitlines())
        self.assertIn("has no offsets", self.refused("share", "reset-offsets", "nobody", "--to", "end"))
        self.assertIn("GROUP_ID_NOT_FOUND", self.refused("share", "delete-offsets", "nobody", "other"))

    def test_a_share_group_is_not_a_group_of_consumers(self):
        self.filled("shared", partitions=1)
        self.brook("share", "reset-offsets", "sharers", "--to", "1", "--topic", "shared")

        self.assertIn("sharers is a share group: `brook share describe sharers`", self.refused("group", "describe", "sharers"))
        self.assertIn("sharers is a share group: `brook share reset-offsets sharers`", self.refused("group", "reset-offsets", "sharers", "--to", "end"))
        self.assertIn("there is no group nobody", self.refused("group", "describe", "nobody"))
