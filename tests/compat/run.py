#!/usr/bin/env python3
"""Runs other people's Kafka clients against a broker; README.md says how, and how to add a client."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "peers"))
sys.dont_write_bytecode = True
import apache_kafka
import readiness

SETUP_TIMEOUT_S = 1200
DEFAULT_TIMEOUT_S = 300
FEWEST_RECORDS = 100  # below it a program's "the middle of a partition" and "the last batch" are no different places
OUTPUT_LINES_SHOWN = 150
BROOK_START_TIMEOUT_S = 30
BROOK_STOP_TIMEOUT_S = 30
BROOK_START_TRIES = 3  # another process can take the port between choosing and using it


class ConfigurationError(Exception):
    """A client.toml, or the command line, is wrong."""


class BrokerFailed(Exception):
    """The broker under test did not start, or did not end as it should."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A program of a client: one line of the report."""
    name: str
    run: list
    records: int
    timeout_s: float
    beyond_kafka: bool = False  # Apache Kafka 4.3.1 does not do it


@dataclasses.dataclass(frozen=True)
class Client:
    folder: pathlib.Path
    name: str
    requires: list
    setup: list  # of argument lists
    cases: list

    def missing_programs(self):
        return [program for program in self.requires if shutil.which(program) is None]


def read_client(path):
    table = tomllib.loads(path.read_text())

    def take(source, key, kind, default=None):
        value = source.pop(key, default)
        if not isinstance(value, kind):
            raise ConfigurationError(f"{path}: {key} must be a {kind.__name__}, is {value!r}")
        return value

    name = take(table, "name", str)
    requires = take(table, "requires", list, [])
    setup = take(table, "setup", list, [])
    if setup and all(isinstance(word, str) for word in setup):
        setup = [setup]
    records = take(table, "records", int, 100_000)
    timeout_s = take(table, "timeout_s", int, DEFAULT_TIMEOUT_S)
    rows = [{"name": "", "run": table.pop("run")}] if "run" in table else take(table, "case", list, [])
    cases = []
    for row in rows:
        cases.append(Case(name=take(row, "name", str), run=take(row, "run", list),
                          records=take(row, "records", int, records), timeout_s=take(row, "timeout_s", int, timeout_s),
                          beyond_kafka=take(row, "beyond_kafka", bool, False)))
        if row:
            raise ConfigurationError(f"{path}: unknown keys of a case: {', '.join(row)}")
    if table:
        raise ConfigurationError(f"{path}: unknown keys: {', '.join(table)}")
    if not cases:
        raise ConfigurationError(f"{path}: neither run nor [[case]]")
    return Client(path.parent, name, requires, setup, cases)


def find_clients(wanted):
    """All clients in the order of their folders, or those whose folder or name is in `wanted`."""
    clients = [read_client(path) for path in sorted(HERE.glob("*/client.toml"))]
    unknown = set(wanted) - {client.name for client in clients} - {client.folder.name for client in clients}
    if unknown:
        known = ", ".join(client.folder.name for client in clients)
        raise ConfigurationError(f"no client {', '.join(sorted(unknown))}; there are: {known}")
    return [client for client in clients if not wanted or {client.name, client.folder.name} & set(wanted)]


def fill(words, values):
    """Replaces {placeholders}; braces around anything else stay."""
    return [re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), word) for word in words]


@dataclasses.dataclass(frozen=True)
class Outcome:
    problem: str  # empty when the program succeeded
    output: str
    seconds: float


def run_program(command, cwd, timeout_s):
    """Runs a program in a process group of its own and ends the whole group, whatever happens."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        except OSError as error:
            return Outcome(f"cannot run {command[0]}: {error}", "", 0.0)
        try:
            status = process.wait(timeout_s)
            problem = "" if status == 0 else f"exit status {status}" if status > 0 else f"ended by {signal.Signals(-status).name}"
        except subprocess.TimeoutExpired:
            problem = f"not done within {timeout_s:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return Outcome(problem, output.read().decode(errors="replace"), time.monotonic() - began)


class Report:
    """Prints one line per program, the output of those that failed, and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def passes(self, name, outcome):
        self.passed += 1
        lines = [line for line in outcome.output.splitlines() if line.strip()]
        self._line("PASS", name, outcome.seconds, lines[-1].strip() if lines else "")

    def fails(self, name, problem, seconds=0.0, output=""):
        self.failed += 1
        self._line("FAIL", name, seconds, problem)
        lines = output.splitlines()
        if len(lines) > OUTPUT_LINES_SHOWN:
            print(f"    | … {len(lines) - OUTPUT_LINES_SHOWN} lines before")
        for line in lines[-OUTPUT_LINES_SHOWN:]:
            print(f"    | {line}")
        sys.stdout.flush()

    def skips(self, name, reason):
        self.skipped += 1
        self._line("SKIPPED", name, 0.0, reason)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)

    @staticmethod
    def _line(verdict, name, seconds, text):
        print(f"{verdict:<7} {name:<32} {seconds:7.1f} s  {text}", flush=True)


def set_up(client, build, report):
    """Whether the client can be run; reports when it cannot."""
    missing = client.missing_programs()
    if missing:
        report.skips(client.name, f"not on PATH: {', '.join(missing)}")
        return False
    build.mkdir(parents=True, exist_ok=True)
    for command in client.setup:
        command = fill(command, {"src": client.folder, "build": build})
        outcome = run_program(command, build, SETUP_TIMEOUT_S)
        if outcome.problem:
            report.fails(client.name, f"setup {' '.join(command)}: {outcome.problem}", outcome.seconds, outcome.output)
            return False
    return True


def run_cases(client, build, bootstrap, options, report):
    for case in client.cases:
        name = f"{client.name}: {case.name}" if case.name else client.name
        if case.beyond_kafka and options.peer:
            print(f"{name}: only Brook does this")
            continue
        records = max(FEWEST_RECORDS, round(case.records * options.scale))
        words = [client.folder.name, case.name] if case.name else [client.folder.name]
        prefix = re.sub(r"[^A-Za-z0-9-]", "-", "-".join(["compat", *words, secrets.token_hex(4)]))
        command = fill(case.run, {"bootstrap": bootstrap, "records": records, "topic_prefix": prefix, "build": build,
                                  "src": client.folder})
        outcome = run_program(command, build, case.timeout_s)
        if outcome.problem:
            report.fails(name, outcome.problem, outcome.seconds, outcome.output)
            if not options.keep_going:
                return
        else:
            report.passes(name, outcome)


@contextlib.contextmanager
def apache_kafka_broker():
    try:
        with apache_kafka.ApacheKafka() as kafka:
            yield kafka.bootstrap
    except apache_kafka.PeerFailed as error:
        raise BrokerFailed(str(error)) from error


@contextlib.contextmanager
def brook_broker(binary, report):
    """Brook in a temporary folder; that it ends with status 0 after SIGTERM is one of the things tested."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="brook-compat-"))
    output_path = directory / "output.log"
    process = None

    def output():
        return output_path.read_text(errors="replace")

    try:
        for attempt in range(1, BROOK_START_TRIES + 1):
            port = readiness.free_ports(1)[0]
            config = directory / "server.properties"
            config.write_text(f"listeners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={directory / 'data'}\n"
                              "group.initial.rebalance.delay.ms=0\n")
            with open(output_path, "wb") as log:
                process = subprocess.Popen([binary, "start", "--config", str(config)], cwd=directory, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, start_new_session=True)
            try:
                readiness.wait_until_answers("127.0.0.1", port, BROOK_START_TIMEOUT_S, process)
                break
            except readiness.NotReady as error:
                if attempt == BROOK_START_TRIES or "in use" not in output():
                    raise BrokerFailed(f"Brook: {error}\n{output()[-8000:]}") from error
                process.kill()
                process.wait()
        yield f"127.0.0.1:{port}"
        began = time.monotonic()
        ended_early = process.poll() is not None
        process.terminate()
        try:
            status = process.wait(BROOK_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            report.fails("broker", f"still running {BROOK_STOP_TIMEOUT_S} s after SIGTERM", output=output())
            return
        if ended_early:
            report.fails("broker", f"ended during the tests with status {status}", output=output())
        elif status != 0:
            report.fails("broker", f"exit status {status} after SIGTERM", time.monotonic() - began, output())
        else:
            print(f"the broker ended with status 0, {time.monotonic() - began:.1f} s after SIGTERM")
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def broker_of(options, report):
    """A context that yields the address of the broker under test."""
    if options.peer:
        return apache_kafka_broker()
    if options.brook:
        return brook_broker(options.brook, report)
    return contextlib.nullcontext(options.bootstrap)


def run_all(clients, options, report):
    def build_of(client):
        return options.build_dir / client.folder.name

    ready = []
    for client in clients:
        if set_up(client, build_of(client), report):
            ready.append(client)
        elif report.failed and not options.keep_going:
            return
    if options.setup_only:
        print(f"set up: {', '.join(client.name for client in ready)}")
        return
    with broker_of(options, report) as bootstrap:
        for client in ready:
            run_cases(client, build_of(client), bootstrap, options, report)
            if report.failed and not options.keep_going:
                break


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    broker = parser.add_mutually_exclusive_group()
    broker.add_argument("--bootstrap", metavar="HOST:PORT", help="a broker that runs already")
    broker.add_argument("--peer", choices=["apache-kafka"], help="start Apache Kafka from its jars")
    broker.add_argument("--brook", metavar="PATH", type=lambda path: str(pathlib.Path(path).resolve()), help="start this Brook binary")
    parser.add_argument("--setup-only", action="store_true", help="install and compile the clients, run nothing")
    parser.add_argument("--client", action="append", default=[], metavar="NAME", help="only this client: its folder or name; repeatable")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the record counts (default 1.0)")
    parser.add_argument("--build-dir", type=lambda path: pathlib.Path(path).resolve(), default=REPOSITORY / "build" / "compat")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure")
    parser.add_argument("--fail-on-skip", action="store_true", help="a skipped client fails the run")
    options = parser.parse_args(arguments)
    if not (options.bootstrap or options.peer or options.brook or options.setup_only):
        parser.error("which broker? one of --bootstrap, --peer, --brook")
    if options.scale <= 0:
        parser.error("--scale must be above 0")
    return options


def main(arguments):
    options = parse_options(arguments)
    report = Report()
    try:
        run_all(find_clients(options.client), options, report)
    except ConfigurationError as error:
        sys.exit(str(error))
    except BrokerFailed as error:
        report.fails("broker", str(error).splitlines()[0], output="\n".join(str(error).splitlines()[1:]))
    report.close()
    return 1 if report.failed or (options.fail_on_skip and report.skipped) else 0


if __name__ == "__main__":
    # so that brokers and programs are ended on the way out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
