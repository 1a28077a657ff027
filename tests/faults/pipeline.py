"""faults_pipeline in the background: it reads, writes and commits its offsets in transactions. kcat writes what it reads and reads what is committed."""

import subprocess

import settings

TIMEOUT_S = 300


class Pipeline:
    """Moves the numbers below `records` from one topic to another."""

    def __init__(self, bootstrap, source, target, partitions, records):
        self.bootstrap, self.target, self.records = bootstrap, target, records
        subprocess.run(["kcat", "-b", bootstrap, "-P", "-t", source, "-X", "partitioner=random"], timeout=TIMEOUT_S, check=True,
                       input="".join(f"{number}\n" for number in range(records)), text=True)
        self.process = subprocess.Popen([settings.load.parent / "faults_pipeline", bootstrap, source, target, str(partitions), str(records)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def is_running(self):
        return self.process.poll() is None

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def check_end(self, test, broker, where):
        """Each record once. Waits until it has moved all; what it says then."""
        said, _ = self.process.communicate(timeout=TIMEOUT_S)
        test.assertEqual(0, self.process.returncode, f"{where}: {said}\n{broker.output()[-3000:]}")
        test.assertEqual(sorted(self._read()), list(range(self.records)), f"{where}: lost or written twice")
        return said.strip()

    def _read(self):
        result = subprocess.run(["kcat", "-b", self.bootstrap, "-C", "-e", "-q", "-t", self.target, "-o", "beginning", "-X", "isolation.level=read_committed"],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        return [int(line) for line in result.stdout.split()]
