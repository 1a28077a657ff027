"""A group goes on where it was, whatever happened to the broker: what it has committed it never reads again. kcat is the member."""

import re
import shutil
import subprocess
import unittest

import kafka_wire
import settings

TOPIC, PARTITIONS = "groups", 4
RECORDS = 2000  # in each round
MEMBER_TIMEOUT_S = 60


@unittest.skipUnless(shutil.which("kcat"), "needs kcat")
class Groups(unittest.TestCase):
    def test_committed_offsets_outlive_stops_and_kills(self):
        with settings.broker({"group.initial.rebalance.delay.ms": "0"}) as broker:
            with kafka_wire.Connection(broker.port) as connection:
                self.assertEqual(kafka_wire.NONE, connection.create_topic(TOPIC, PARTITIONS, {})[1])
                connection.wait_for_leader(TOPIC, PARTITIONS)
            written, read = [], []
            for round_number, end in enumerate((broker.stop, broker.kill, broker.kill, None)):
                numbers = range(round_number * RECORDS, (round_number + 1) * RECORDS)
                self.produce(broker, numbers)
                written.extend(numbers)
                read.extend(self.run_member(broker))
                self.assertEqual(sorted(read), written, f"round {round_number}: lost or read twice\n{broker.output()[-2000:]}")
                if end is not None:
                    end()
                    broker.start()

    def produce(self, broker, numbers):
        subprocess.run(["kcat", "-b", broker.bootstrap, "-P", "-t", TOPIC, "-X", "partitioner=random"], timeout=MEMBER_TIMEOUT_S, check=True,
                       input="".join(f"{number}\n" for number in numbers), text=True)

    def run_member(self, broker):
        """The numbers that a member of the group reads until it has come to the end of every partition; it commits as it leaves."""
        result = subprocess.run(["kcat", "-b", broker.bootstrap, "-G", "readers", "-e", "-X", "auto.offset.reset=earliest", TOPIC],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MEMBER_TIMEOUT_S)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(PARTITIONS, len(re.findall("Reached end of topic", result.stderr)), result.stderr)
        return [int(line) for line in result.stdout.split()]
