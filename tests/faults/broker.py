"""Starts and stops the broker that a fault test hurts: Brook, or Apache Kafka where the test is of what both answer.

    with settings.broker({"connections.max.idle.ms": "2000"}) as broker:
        with kafka_wire.Connection(broker.port) as connection: ...
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "peers"))
import apache_kafka
import readiness

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30


class StartFailed(Exception):
    pass


class Brook:
    """One broker on a free port of 127.0.0.1, with configuration, log and data in a folder of its own.

    start() after kill() or stop() goes on with the same port and data. close(), or the end of a with block, removes the folder.
    """

    is_brook = True

    def __init__(self, binary, properties=None, data_dir=None, environment=None):
        self.binary = str(binary)
        self.properties = dict(properties or {})
        self.environment = {**os.environ, **(environment or {})}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="brook-faults-"))
        self.data_dir = pathlib.Path(data_dir) if data_dir else self.directory / "data"
        self.output_path = self.directory / "output.log"
        self.port = readiness.free_ports(1)[0]
        self.process = None

    def command(self, **replaced):
        """The command that starts it, after the configuration file was written. `replaced` has properties with _ for the dots."""
        # without its admin listener, which has a fixed port
        properties = {"listeners": f"PLAINTEXT://127.0.0.1:{self.port}", "log.dirs": str(self.data_dir), "brook.admin.listener": "",
                      **self.properties, **{key.replace("_", "."): value for key, value in replaced.items()}}
        config = self.directory / "server.properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return [self.binary, "start", "--config", str(config)]

    def start(self):
        with open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                                            env=self.environment)
        try:
            readiness.wait_until_answers("127.0.0.1", self.port, START_TIMEOUT_S, self.process)
        except readiness.NotReady as error:
            self.kill()
            raise StartFailed(f"brook: {error}\n{self.output()[-3000:]}") from error
        return self

    def run_to_end(self, timeout_s=START_TIMEOUT_S, **replaced):
        """Starts a broker that shall not come up. Returns its exit status and what it printed."""
        result = subprocess.run(self.command(**replaced), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
                                env=self.environment)
        return result.returncode, result.stdout + result.stderr

    def stop(self):
        """SIGTERM; the exit status. SIGKILL after STOP_TIMEOUT_S, which then is the status (-9)."""
        return self._end(signal.SIGTERM)

    def kill(self):
        return self._end(signal.SIGKILL)

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def output(self):
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""

    def complaints(self):
        """The warnings and errors of its log, a list of lines."""
        return [line for line in self.output().splitlines() if re.match(r"\S+Z (warn|warning|error) +event=", line, re.IGNORECASE)]

    def rss_kib(self):
        return resident_kib(self.process.pid)

    def peak_rss_kib(self):
        """The most since its start."""
        return resident_kib(self.process.pid, "VmHWM")

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def _end(self, how):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None  # only now: where an interrupt ends the wait, close() still knows what to kill
        return status


class Kafka(apache_kafka.ApacheKafka):
    """Apache Kafka with the same face; it keeps its ports over a restart."""

    is_brook = False
    _ports = None

    def _configure(self, port, controller_port):
        self._ports = self._ports or (port, controller_port)
        super()._configure(*self._ports)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def rss_kib(self):
        return resident_kib(self.process.pid)

    def __exit__(self, *_):
        self.close()


def resident_kib(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise OSError(f"process {pid} has no {field}")
