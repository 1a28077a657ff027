"""faults_load in the background: an idempotent producer that writes 0, 1, 2, ... to each partition, and the reader that checks them."""

import subprocess
import threading

import settings

PROGRESS_TIMEOUT_S = 30


class CountingProducer:
    """faults_load produce, and what it said was acknowledged."""

    def __init__(self, bootstrap, topic, partitions, records_per_second):
        self.acknowledged = [0] * partitions  # how many; numbers are acknowledged in order, which is checked
        self.problem = None
        self.sent = None
        self.progress = threading.Condition()
        self.process = subprocess.Popen([settings.load, "produce", bootstrap, topic, str(partitions), str(records_per_second)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            word, *numbers = line.split()
            with self.progress:
                if word == "ack":
                    partition, offset, number = map(int, numbers)
                    if number != self.acknowledged[partition] or offset != number:
                        self.problem = self.problem or f"acknowledged out of order: {line.strip()}, after {self.acknowledged[partition]}"
                    self.acknowledged[partition] = number + 1
                elif word == "done":
                    self.sent = int(numbers[0])
                else:
                    self.problem = self.problem or line.strip()
                self.progress.notify_all()

    def snapshot(self):
        with self.progress:
            return list(self.acknowledged)

    def wait_for_more_than(self, before):
        """Until every partition has more acknowledged records than `before`; false when that takes too long or went wrong."""
        with self.progress:
            self.progress.wait_for(lambda: self.problem or all(now > then for now, then in zip(self.acknowledged, before)), PROGRESS_TIMEOUT_S)
            return self.problem is None and all(now > then for now, then in zip(self.acknowledged, before))

    def finish(self):
        self.process.terminate()
        self.process.wait(90)
        self.reader.join(10)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()


def check_ends(test, broker, topic, acknowledged, where):
    """faults_load verify: no gap, no duplicate, nothing that was not written, and all that was acknowledged. The partitions' ends."""
    result = subprocess.run([settings.load, "verify", broker.bootstrap, topic, str(len(acknowledged))], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=180)
    test.assertEqual(0, result.returncode, f"{where}: {result.stdout}{result.stderr}\n{broker.output()[-2000:]}")
    ends = [int(line.split()[2]) for line in result.stdout.splitlines()]
    for partition, (end, count) in enumerate(zip(ends, acknowledged, strict=True)):
        test.assertGreaterEqual(end, count, f"{where}: partition {partition} lost acknowledged records\n{broker.output()[-2000:]}")
    return ends
