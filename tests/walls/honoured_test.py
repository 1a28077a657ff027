"""tools/checks/honoured.py fails where a table and the code disagree on what is obeyed."""

import unittest

import tree


def row(key, honoured, synonyms=""):
    return "\t".join([key, "INT", "1", "", "LOW", "read-only", honoured, "", synonyms, "A text."]) + "\n"


class Honoured(unittest.TestCase):
    def check(self, code, broker="", topic="", group="", path="src/app/server.cc"):
        return tree.check("honoured.py", {path: code, "schemas/config/broker.tsv": broker, "schemas/config/topic.tsv": topic,
                                          "schemas/config/group.tsv": group})

    def test_refuses_a_key_that_no_code_names(self):
        status, output = self.check("// num.partitions\n", broker=row("num.partitions", "yes"))
        self.assertEqual((1, True), (status, "num.partitions is honoured" in output))

    def test_takes_a_key_that_code_names(self):
        self.assertEqual(0, self.check('number("num.partitions");\n', broker=row("num.partitions", "yes"))[0])

    def test_does_not_take_a_tests_word_for_it(self):
        status, _ = self.check('number("num.partitions");\n', broker=row("num.partitions", "yes"), path="src/app/server_test.cc")
        self.assertEqual(1, status)

    def test_takes_what_a_topics_setting_comes_from(self):
        status, output = self.check('number("retention.ms");\n', broker=row("log.retention.hours", "yes"),
                                    topic=row("retention.ms", "yes", "log.retention.hours*3600000"))
        self.assertEqual(0, status, output)

    def test_takes_what_a_groups_setting_comes_from(self):
        status, output = self.check('number("consumer.session.timeout.ms");\n', broker=row("group.consumer.session.timeout.ms", "yes"),
                                    group=row("consumer.session.timeout.ms", "yes", "group.consumer.session.timeout.ms"))
        self.assertEqual(0, status, output)

    def test_refuses_a_key_that_code_obeys_and_the_table_denies(self):
        status, output = self.check('number("group.max.size");\n', broker=row("group.max.size", "no"))
        self.assertEqual((1, True), (status, "group.max.size is not honoured" in output))


if __name__ == "__main__":
    unittest.main()
