"""The programs that put brokers under load: `brook bench`, and the clients that cost next to nothing. Each prints one JSON object."""

import contextlib
import json
import os
import subprocess
import tempfile

TIMEOUT_S = 600
STOP_TIMEOUT_S = 30


class LoadFailed(Exception):
    """A load program ended with another status than 0, or printed no JSON; the message has its command and its last words."""


class Tools:
    """`brook` is the program with `brook bench`; `folder` has bench_saturate and bench_ceilings.

    The keys of results are those of the programs: records, bytes, seconds, requests, ack_latency_p99_us, latency_p99_9_us and so on.
    """

    def __init__(self, brook, folder):
        self.brook = str(brook)
        self.saturate = str(folder / "bench_saturate")
        self.ceilings_program = str(folder / "bench_ceilings")

    def missing(self):
        return [path for path in (self.brook, self.saturate, self.ceilings_program) if not os.access(path, os.X_OK)]

    # on librdkafka

    def produce(self, broker, topic, **options):
        return _run(self._bench("produce", broker, topic, options))

    def consume(self, broker, topic, **options):
        return _run(self._bench("consume", broker, topic, options))

    def latency(self, broker, topic, **options):
        return _run(self._bench("latency", broker, topic, options))

    @contextlib.contextmanager
    def consumer_beside(self, broker, topic, begin="end", **options):
        """A consumer that runs while the body does; result() waits for its end."""
        with _Beside(self._bench("consume", broker, topic, {"from": begin, **options})) as consumer:
            yield consumer

    @contextlib.contextmanager
    def producer_beside(self, broker, topic, **options):
        """A producer that runs until the body's end, which may be its broker's end too; check() says whether it has failed by now."""
        with _Beside(self._bench("produce", broker, topic, {"seconds": f"{TIMEOUT_S}s", **options})) as producer:
            yield producer

    def _bench(self, what, broker, topic, options):
        return [self.brook, "bench", what, "--bootstrap", broker.bootstrap, "--topic", topic, "--json", *_options(options)]

    # without librdkafka, below its floor

    def saturate_produce(self, broker, topic, *, batches, record_bytes, batch_bytes, partitions=1, acks=-1):
        """The same batch to each partition in turn."""
        return _run([self.saturate, "produce", broker.port, topic, partitions, batches, record_bytes, batch_bytes, acks])

    def saturate_fetch(self, broker, topic, *, bytes_wanted):
        return _run([self.saturate, "fetch", broker.port, topic, bytes_wanted, 0])

    @contextlib.contextmanager
    def fetch_beside(self, broker, topic, *, bytes_wanted, mb_per_s):
        """A reader that runs while the body does, and is stopped with it; what it says where it came to its end."""
        with _Beside([self.saturate, "fetch", broker.port, topic, bytes_wanted, mb_per_s]) as reader:
            yield
            reader.check()

    def requests(self, broker, topic, *, requests, producers, depth, record_bytes, acks=-1):
        """Requests of one record each, to partition 0."""
        return _run([self.saturate, "requests", broker.port, topic, requests, producers, depth, record_bytes, acks])

    def groups(self, broker, prefix, *, groups, members):
        """Groups with members that each have a connection; all have left at the end."""
        return _run([self.saturate, "groups", broker.port, prefix, groups, members])

    def commits(self, broker, topic, prefix, *, groups, commits):
        """Commits for groups without members, one of each in flight."""
        return _run([self.saturate, "commits", broker.port, topic, prefix, groups, commits])

    @contextlib.contextmanager
    def group_memory(self, broker, topic, prefix, *, simple_groups, groups, members):
        """Groups with an offset alone, then such with members, made in steps: an iterator over their names, which bench/saturate/loads.h says."""
        with _Beside([self.saturate, "group_memory", broker.port, topic, prefix, simple_groups, groups, members], asks=True) as steps:
            yield steps.each()

    def transactions(self, broker, topic, prefix, *, partitions, producers, transactions, record_bytes, abort_percent=0):
        """Transactions of a record in one or two partitions, one in flight of each producer."""
        return _run([self.saturate, "transactions", broker.port, topic, partitions, prefix, producers, transactions, record_bytes, abort_percent])

    def preload(self, broker, topic, *, partitions, records, record_bytes, batch_records, has_times=0):
        """Records with keys, and where wanted with the header of a delay that is over."""
        return _run([self.saturate, "preload", broker.port, topic, partitions, records, record_bytes, batch_records, has_times])

    def share(self, broker, topic, group, *, partitions, members, rejected_per_thousand=0, released_per_thousand=0):
        """All of a topic through a new share group that begins at the earliest."""
        return _run([self.saturate, "share", broker.port, topic, partitions, group, members, rejected_per_thousand, released_per_thousand])

    def spread(self, broker, topics, *, record_bytes):
        """One record to each partition of `topics` in turn, which are pairs of a name and its partitions."""
        return _run([self.saturate, "spread", broker.port, record_bytes, *(word for topic in topics for word in topic)])

    def bare_latency(self, broker, topic, *, rate, seconds, warm_up, record_bytes, acks=-1):
        return _run([self.saturate, "latency", broker.port, topic, rate, seconds, warm_up, record_bytes, acks])

    def keyed(self, broker, topic, partition, *, records, keys, record_bytes, batch_bytes):
        """The same records with keys each time, to a new partition."""
        return _run([self.saturate, "keyed", broker.port, topic, partition, records, keys, record_bytes, batch_bytes])

    def survivors(self, broker, topic, partition, *, records, keys, record_bytes, clean_end):
        """Reads what compaction up to `clean_end` has left of keyed(), and checks it: records, survivors, missing, left_over, crc."""
        return _run([self.saturate, "survivors", broker.port, topic, partition, records, keys, record_bytes, clean_end])

    def ceilings(self, directory, seconds, *which):
        return _run([self.ceilings_program, directory, seconds, *which])


def _options(options):
    """record_bytes=100 as --record-bytes 100."""
    words = []
    for key, value in options.items():
        words += [f"--{key.replace('_', '-')}", value]
    return words


def _run(command):
    command = [str(word) for word in command]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"{' '.join(command)}: still running after {TIMEOUT_S} s") from error
    return _judge(command, result.returncode, result.stdout, result.stderr)


def _judge(command, status, output, errors):
    text = " ".join([os.path.basename(command[0]), *command[1:]])
    if status != 0:
        raise LoadFailed(f"{text}: status {status}: {(errors or output).strip()[-2000:]}")
    try:
        return json.loads(output)
    except ValueError as error:
        raise LoadFailed(f"{text}: no JSON: {output[-500:]}") from error


class _Beside:
    """A load program beside another one. One that `asks` is given a line whenever it may go on."""

    def __init__(self, command, asks=False):
        self.command = [str(word) for word in command]
        self._source = subprocess.PIPE if asks else subprocess.DEVNULL

    def __enter__(self):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self.command, stdin=self._source, stdout=subprocess.PIPE, stderr=self._errors, text=True)
        return self

    def each(self):
        """The steps of a program that asks, each when it is done; the next one begins when it is asked for."""
        while line := self._process.stdout.readline():
            yield json.loads(line)["step"]
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        if self._process.wait(STOP_TIMEOUT_S) != 0:
            self.result()

    def result(self):
        try:
            output, _ = self._process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise LoadFailed(f"{' '.join(self.command)}: still running after {TIMEOUT_S} s") from error
        self._errors.seek(0)
        return _judge(self.command, self._process.returncode, output, self._errors.read())

    def check(self):
        """Raises where it has failed by now."""
        if self._process.poll() is not None:
            self.result()

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()
        if self._process.stdin:
            self._process.stdin.close()
        self._errors.close()
