"""Apache Kafka 3.9 on ZooKeeper, the last that runs so: for the data directories that clusters of that kind leave."""

import contextlib
import socket
import subprocess
import time

import apache_kafka
import readiness

ZOOKEEPER_TIMEOUT_S = 60


class ZooKeeperModeKafka(apache_kafka.ApacheKafka):
    """One broker and one ZooKeeper, each in its own process, on free ports of 127.0.0.1; else as ApacheKafka."""

    def __init__(self, properties=None, directory=None, heap="512M"):
        super().__init__(properties, directory, heap)
        self.zookeeper = None
        self.zookeeper_port = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.zookeeper_port = readiness.free_ports(1)[0]
        config = self.directory / "zookeeper.properties"
        config.write_text(f"dataDir={self.directory / 'zookeeper'}\nclientPort={self.zookeeper_port}\nclientPortAddress=127.0.0.1\n"
                          "admin.enableServer=false\n")
        with open(self.directory / "zookeeper.log", "ab") as output:
            self.zookeeper = subprocess.Popen(["java", "-Xmx256M", "-cp", self._classpath(), "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                               str(config)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.directory,
                                              start_new_session=True)
        try:
            self._wait_for_zookeeper()
            return super().start()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        status = self._end_process()
        if self.zookeeper is not None:
            self.zookeeper.kill()
            self.zookeeper.wait()
            self.zookeeper = None
        super().stop()
        return status

    def _wait_for_zookeeper(self):
        end = time.monotonic() + ZOOKEEPER_TIMEOUT_S
        while time.monotonic() < end and self.zookeeper.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.zookeeper_port), timeout=5) as connection:
                connection.sendall(b"srvr")
                if b"Mode:" in connection.recv(4096):
                    return
            time.sleep(0.05)  # between two tries: nothing announces that a port is open
        raise apache_kafka.PeerFailed(f"ZooKeeper does not answer\n{(self.directory / 'zookeeper.log').read_text()[-2000:]}")

    def _classpath(self):
        return str(apache_kafka.resolve("pom-zookeeper-mode.xml", "apache-kafka-zookeeper-mode-libs") / "*")

    def _place(self, port, controller_port):
        return {
            "broker.id": "1",
            "zookeeper.connect": f"127.0.0.1:{self.zookeeper_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port}",
        }

    def _format(self):
        """It makes its directory when it first starts."""
