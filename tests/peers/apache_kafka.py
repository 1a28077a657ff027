"""Apache Kafka from its Maven jars: the broker that the tests compare with, and its own command-line tools.

    with ApacheKafka({"num.partitions": "3"}) as kafka:
        run_tool(TOPICS, ["--bootstrap-server", kafka.bootstrap, "--list"])

As a program: `apache_kafka.py libs` resolves the jars and prints the class path; `apache_kafka.py run [KEY=VALUE]...` runs a broker until
it is interrupted and prints its address first.
"""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
import readiness

# The main classes behind Kafka's bin/*.sh, for run_tool.
TOPICS = "org.apache.kafka.tools.TopicCommand"
CONFIGS = "kafka.admin.ConfigCommand"
CONSOLE_PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
CONSOLE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
CONSOLE_SHARE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleShareConsumer"
GET_OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
DELETE_RECORDS = "org.apache.kafka.tools.DeleteRecordsCommand"
LOG_DIRS = "org.apache.kafka.tools.LogDirsCommand"
PRODUCER_PERFORMANCE = "org.apache.kafka.tools.ProducerPerformance"
CONSUMER_PERFORMANCE = "org.apache.kafka.tools.ConsumerPerformance"
BROKER_API_VERSIONS = "org.apache.kafka.tools.BrokerApiVersionsCommand"
CONSUMER_GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
SHARE_GROUPS = "org.apache.kafka.tools.consumer.group.ShareGroupCommand"
TRANSACTIONS = "org.apache.kafka.tools.TransactionsCommand"
CLUSTER = "org.apache.kafka.tools.ClusterTool"
FEATURES = "org.apache.kafka.tools.FeatureCommand"
DUMP_LOG = "org.apache.kafka.tools.DumpLogSegments"
STORAGE = "kafka.tools.StorageTool"

TOOL_CLASS_ARCHIVE = "tools.jsa"
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 30
START_TRIES = 3  # another process can take a port between choosing and using it

# Tools live for a second: the C1 compiler alone, and an archive of loaded classes, each halve the processor time that they take to start.
# A JVM that cannot use the archive goes without; -Xlog:disable keeps it from saying so on standard output.
TOOL_JVM_OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256M", "-Xlog:disable"]


class PeerFailed(Exception):
    """The jars could not be resolved, or the broker did not start; the message has the end of its output."""


def libs_dir():
    """The folder of the jars; resolved through Maven at the first call. BROOK_PEERS_DIR overrides build/peers."""
    return resolve("pom.xml", "apache-kafka-libs", _archive_tool_classes)


def resolve(pom, folder, then=lambda libs: None):
    """The folder with the jars of a pom.xml beside this file; `then` is called with it when they have just come."""
    root = pathlib.Path(os.environ.get("BROOK_PEERS_DIR") or HERE.parent.parent / "build" / "peers").resolve()
    libs = root / folder
    complete = libs / ".complete"
    wanted = (HERE / pom).read_text()
    if complete.exists() and complete.read_text() == wanted:
        return libs
    root.mkdir(parents=True, exist_ok=True)
    with open(root / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (complete.exists() and complete.read_text() == wanted):
            shutil.rmtree(libs, ignore_errors=True)
            result = subprocess.run(
                ["mvn", "-q", "-B", "-f", str(HERE / pom), "dependency:copy-dependencies", f"-DoutputDirectory={libs}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if result.returncode != 0:
                raise PeerFailed(f"mvn could not resolve Apache Kafka's jars:\n{result.stdout[-4000:]}")
            then(libs)
            complete.write_text(wanted)
    return libs


def _archive_tool_classes(libs):
    """Runs a tool that finds no broker, and keeps the classes that it has loaded. Nothing depends on its success but speed."""
    with tempfile.NamedTemporaryFile("w", suffix=".properties") as impatient:
        impatient.write("default.api.timeout.ms=500\nrequest.timeout.ms=400\n")
        impatient.flush()
        port = readiness.free_ports(1)[0]
        subprocess.run(["java", *TOOL_JVM_OPTIONS, f"-XX:ArchiveClassesAtExit={libs / TOOL_CLASS_ARCHIVE}", "-cp", str(libs / "*"), TOPICS,
                        "--bootstrap-server", f"127.0.0.1:{port}", "--command-config", impatient.name, "--list"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def libs():
    """The class path of Apache Kafka: broker, clients, tools, Connect and Streams."""
    return str(libs_dir() / "*")


def tool_command(main_class, args, jvm_options=()):
    """The argument list that runs one of Kafka's main classes."""
    return ["java", *TOOL_JVM_OPTIONS, f"-XX:SharedArchiveFile={libs_dir() / TOOL_CLASS_ARCHIVE}", f"-Dlog4j2.configurationFile={HERE / 'tools-log4j2.xml'}", *jvm_options,
            "-cp", libs(), main_class, *map(str, args)]


def run_tool(main_class, args, *, input=None, timeout_s=60, jvm_options=()):
    """Runs a tool to its end. Returns subprocess.CompletedProcess with text in stdout and stderr; does not judge the exit status."""
    source = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
    return subprocess.run(tool_command(main_class, args, jvm_options), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout_s, **source)


class ApacheKafka:
    """One combined broker and controller on free ports of 127.0.0.1, in its own process.

    `properties` are added to, or replace, those below. `directory` keeps configuration, log and data, also after stop() (start() again
    goes on with the data); without it a temporary folder is used and removed by stop().
    """

    def __init__(self, properties=None, directory=None, heap="1G"):
        self.properties = dict(properties or {})
        self.heap = heap
        self.process = None
        self.port = None
        self._temporary = directory is None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="apache-kafka-") if directory is None else directory).resolve()
        self.data_dir = self.directory / "data"
        self.output_path = self.directory / "output.log"

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Returns when the broker answers; raises PeerFailed otherwise."""
        classpath = self._classpath()
        self.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(START_TRIES):
            self._configure(*readiness.free_ports(2))
            if not (self.data_dir / "meta.properties").exists():
                self._format()
            self._launch(classpath)
            try:
                readiness.wait_until_answers("127.0.0.1", self.port, START_TIMEOUT_S, self.process)
                return self
            except readiness.NotReady as error:
                self._end_process()
                output = self.output()
                if "Address already in use" not in output or attempt == START_TRIES - 1:
                    raise PeerFailed(f"Apache Kafka: {error}\n{output[-4000:]}") from error
            except BaseException:
                self.stop()
                raise

    def stop(self):
        """SIGTERM, then SIGKILL after STOP_TIMEOUT_S. Returns the exit status: 143 after a clean stop, None when it did not run."""
        status = self._end_process()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        return status

    def output(self):
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _configure(self, port, controller_port):
        self.port = port
        properties = {
            "log.dirs": str(self.data_dir),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            **self._place(port, controller_port),
            **self.properties,
        }
        self._config_path = self.directory / "server.properties"
        self._config_path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))

    def _place(self, port, controller_port):
        """The properties by which it is found, and finds its controller."""
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
        }

    def _classpath(self):
        return libs()

    def _format(self):
        result = run_tool(STORAGE, ["format", "-t", CLUSTER_ID, "-c", self._config_path])
        if result.returncode != 0:
            raise PeerFailed(f"formatting Apache Kafka's storage: {result.stdout}{result.stderr}")

    def _launch(self, classpath):
        # Kafka's own default server flags
        command = ["java", f"-Xmx{self.heap}", f"-Xms{self.heap}", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                   "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
                   f"-Dlog4j2.configurationFile={HERE / 'broker-log4j2.xml'}", "-cp", classpath, "kafka.Kafka", str(self._config_path)]
        with open(self.output_path, "ab") as output:
            # in a session of its own: an interrupt at the terminal must not stop it before its clients
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.directory,
                                            start_new_session=True)

    def _end_process(self):
        if self.process is None:
            return None
        self.process.terminate()
        try:
            status = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None  # only now: where an interrupt ends the wait, close() still knows what to kill
        return status


def main(arguments):
    if arguments[:1] == ["libs"]:
        print(libs())
    elif arguments[:1] == ["run"]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with ApacheKafka(dict(each.split("=", 1) for each in arguments[1:])) as kafka:
            print(kafka.bootstrap, flush=True)
            try:
                kafka.process.wait()
            except KeyboardInterrupt:
                pass
    else:
        sys.exit("usage: apache_kafka.py libs | run [KEY=VALUE]...")


if __name__ == "__main__":
    main(sys.argv[1:])
