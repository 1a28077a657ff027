"""Memory of open connections that have asked once and are idle since."""

import contextlib

import kafka_wire
from figures import Figure
from process import resident_mib

COUNTS = [10, 1_000, 10_000]

FIGURES = [Figure(f"connections.{count}.rss_mib", f"resident memory with {count:,} connections", "MiB", digits=1, always=count < 10_000)
           for count in COUNTS]


def run(session):
    for name in session.names:
        for count in COUNTS[:2] if session.quick else COUNTS:
            if count + 1000 > session.open_files:
                session.samples.note(f"connections: {count:,} need more open files than the {session.open_files:,} allowed here")
                continue
            with session.fresh(name) as broker, _connections(broker, count):
                session.add(name, f"connections.{count}.rss_mib", resident_mib(broker.process.pid))
            session.log(f"{name}: {count:,} connections")


@contextlib.contextmanager
def _connections(broker, count):
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(kafka_wire.Connection(broker.port, timeout_s=60)).api_versions()
        yield
