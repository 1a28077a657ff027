"""One run of the bench: the brokers in turns, where their files are, what time is left."""

import contextlib
import pathlib
import resource
import signal
import sys
import tempfile
import time

import figures
import page_cache
import process

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "faults"))
import broker as brokers
import kafka_wire

sys.path.append(str(ROOT / "tests" / "peers"))
import apache_kafka
import readiness

# Starts are timed: between two tries to a broker that starts passes no more than this.
READY_PAUSE_S = 0.002
# Ten thousand partitions take a while to start and to stop.
START_TIMEOUT_S = STOP_TIMEOUT_S = 240
OPEN_FILES_WANTED = 400_000  # of 100,000 partitions, and 10,000 connections at both ends
REQUEST_TIMEOUT_S = 240
IDLE_TIMEOUT_S = 30
# Of both warm brokers: so that a run of seconds sees retention at work, members that join one after the other form one group, and ten thousand connections
# come at once (where 50 may wait, whoever is one too many tries again after a second). Everything else is each one's default.
WARM_PROPERTIES = {"log.retention.check.interval.ms": "1000", "group.initial.rebalance.delay.ms": "3000", "socket.listen.backlog.size": "4096"}
# Of every topic that the bench writes to: what was deleted leaves the disk soon.
TOPIC_CONFIGS = {"file.delete.delay.ms": "1000"}


class BrokerFailed(Exception):
    """A broker refused what the bench asked of it."""


class Session:
    """`names` in their turn (A B A B …), `pairs` rounds each. Its end ends every broker and removes every file, whatever happened."""

    def __init__(self, names, pairs, quick, brook, tools, directory=None):
        self.names, self.pairs, self.quick, self.brook, self.tools = names, pairs, quick, brook, tools
        self.samples = figures.Samples()
        self.begin = time.monotonic()
        self.family = ""
        self._stack = contextlib.ExitStack()
        self.scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="brook-bench-", dir=directory, ignore_cleanup_errors=True))
        tempfile.tempdir = self.scratch  # the brokers' own folders too
        self._warm = None
        self._deadline = None
        self._topics = 0
        readiness.FIRST_PAUSE_S = readiness.LONGEST_PAUSE_S = READY_PAUSE_S
        for module in (brokers, apache_kafka):
            module.START_TIMEOUT_S, module.STOP_TIMEOUT_S = START_TIMEOUT_S, STOP_TIMEOUT_S
        self.open_files = _raise_open_files()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("the bench was asked to stop"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave brokers behind
        tempfile.tempdir = None
        self._stack.close()

    # time

    def enter_family(self, name, budget_s):
        self.family = name
        self._deadline = time.monotonic() + budget_s

    def is_over(self):
        """The family's time is used up."""
        return time.monotonic() > self._deadline

    def size(self, whole, quick):
        return quick if self.quick else whole

    def log(self, text):
        print(f"{time.monotonic() - self.begin:6.0f} s  {self.family}: {text}", flush=True)

    def rounds(self, least=1, pairs=None):
        """Indices of the rounds: all of them, but no further one after `least` when the family's time is over."""
        for index in range(pairs or self.pairs):
            if index >= least and self.is_over():
                self.samples.note(f"{self.family}: time was over after {index} of {pairs or self.pairs} rounds")
                return
            yield index

    # brokers

    def make(self, name, properties=None):
        """A broker that was not started yet; the caller closes it."""
        if name == "kafka":
            return brokers.Kafka(properties, directory=tempfile.mkdtemp(prefix="kafka-"))
        return brokers.Brook(self.brook, {"brook.admin.listener": f"127.0.0.1:{readiness.free_ports(1)[0]}", **(properties or {})})

    @contextlib.contextmanager
    def fresh(self, name, properties=None):
        """A broker in an empty folder, started."""
        broker = self.make(name, properties)
        try:
            yield broker.start()
        finally:
            broker.close()

    def warm(self):
        """Both brokers by name, one process each for the whole run, after loads long enough for the compiler of Kafka's JVM. They run side by
        side, and only one is under load at a time."""
        if self._warm is None:
            self._warm = {name: self._stack.enter_context(self.fresh(name, WARM_PROPERTIES)) for name in self.names}
            for name, broker in self._warm.items():
                self._warm_up(name, broker)
        return self._warm

    def _warm_up(self, name, broker):
        seconds = 5 if self.quick else 45
        if name == "brook":
            seconds = min(seconds, 5)  # nothing is compiled in it
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            with self.topic(broker, partitions=8) as topic:
                self.tools.produce(broker, topic, records=150_000, record_bytes=1024)
                self.tools.consume(broker, topic, records=150_000)
                self.tools.requests(broker, topic, requests=20_000, producers=16, depth=8, record_bytes=100)
        self.log(f"{figures.BROKERS[name]} is warm after {time.monotonic() - begin:.0f} s")

    def new_topic(self, broker, partitions=1, configs=None):
        """The name of a new topic, whose partitions have leaders; the page cache is full again then."""
        if not self.quick:
            page_cache.fill(self.scratch)
        self._topics += 1
        topic = f"bench-{self._topics}"
        with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            create_topic(connection, topic, partitions, configs)
            for partition in range(partitions):
                wait_until_served(connection, topic, partition)
        return topic

    @contextlib.contextmanager
    def topic(self, broker, partitions=1, configs=None):
        """new_topic(), deleted at the end."""
        topic = self.new_topic(broker, partitions, configs)
        yield topic
        with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            connection.delete_topic(topic)

    # measuring

    def wait_until_others_idle(self, broker):
        """Until the other warm brokers have done what their last load left behind, such as ten thousand connections that closed; for each of
        them IDLE_TIMEOUT_S at most."""
        for other in self.warm().values():
            if other is not broker:
                process.wait_until_idle(other.process.pid, IDLE_TIMEOUT_S)

    def cpu(self, broker):
        return process.CpuMeter(broker.process.pid)

    def fsyncs(self, broker):
        return process.FsyncMeter(broker.process.pid)

    def add(self, name, key, value):
        self.samples.add(name, key, value)

    def keep_load(self, name, scenario, result, **more):
        """Keeps what a load program printed in the raw results."""
        self.samples.loads.append({"family": self.family, "scenario": scenario, "broker": name, **more, **result})

    def drop_page_cache(self, broker, topic):
        share = process.drop_page_cache(broker.data_dir, topic)
        if share > process.RESIDENT_SHARE_MAX:
            self.samples.note(f"{self.family}: the backlog was not wholly cold: {share:.0%} of its pages stayed in memory")


def create_topic(connection, topic, partitions, configs=None):
    error = connection.create_topic(topic, partitions, {**TOPIC_CONFIGS, **(configs or {})})[1:]
    if error[0] != kafka_wire.NONE:
        raise BrokerFailed(f"topic {topic} of {partitions} partitions was not created: error {error[0]}, {error[1]}")
    connection.wait_for_leader(topic, partitions, timeout_s=REQUEST_TIMEOUT_S)


def wait_until_served(connection, topic, partition):
    """Apache Kafka names a partition's leader a moment before that leader serves it."""
    end = time.monotonic() + REQUEST_TIMEOUT_S
    while (error := connection.fetch(topic, 0, partition=partition, max_wait_ms=0, min_bytes=0)[0]) != kafka_wire.NONE:
        if time.monotonic() > end:
            raise BrokerFailed(f"partition {topic}-{partition} is not served: error {error}")
        time.sleep(0.02)


def _raise_open_files():
    """As many open files as are wanted and allowed; brokers and loads inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (OPEN_FILES_WANTED, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
            return wanted
        except (ValueError, OSError):
            continue
    return soft
